"""Sentence boundaries in the prose of training articles."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sentences import sentence_spans

ONE_SENTENCE = [
    "Contreras et al. (2015) measured EMG in 13 women.",
    "Plotkin et al. found similar growth in both groups.",
    "Use a heavy lift, e.g. the hip thrust, once a week.",
    "The second group, i.e. the squat group, gained more on the squat.",
    "The loads differed by 3.5 kg on average.",
    "Hip thrusts vs. squats is a fair question.",
    "The signal peaked near lockout (see Fig. 3 for the curve).",
    "Activity was 86.8% vs. 45.4% MVIC (p < 0.001).",
    "Dr. Contreras wrote the first article on it.",
    "The result (d = 0.46, 95% CI 0.1 to 0.8) was small.",
    "B. M. Contreras measured it first.",
    "Growth was greater in the U.S. sample than elsewhere.",
    "Contreras, B., Vigotsky, A. D., & Cronin, J. (2015). A comparison of two lifts. "
    "Journal of Applied Biomechanics, 31(6), 452-458.",
]


@pytest.mark.parametrize("text", ONE_SENTENCE)
def test_no_boundary_falls_inside_an_abbreviation_a_number_or_a_reference(text: str) -> None:
    assert sentence_spans(text) == [(0, len(text))]


@pytest.mark.parametrize(
    "sentences",
    [
        ["Both lifts grew the glutes.", "The squat grew the thighs more."],
        ["Do 3 sets of 10 reps.", "Rest for 2 min.", "Then add 5 kg."],
        ["Is it safe?", "Yes, for most people!", "Start light."],
        ["Growth was 3.5%.", "Strength rose by 12.1%."],
        ["The trial ran in 2015.", "Nine weeks later they were scanned."],
        ["“Squeeze at the top.”", "That cue is common."],
        ["Squats trained the thighs, too.", "12 women finished the plan."],
        ["It was first described by Contreras et al.", "Later work disagreed."],
    ],
)
def test_sentences_end_where_a_reader_ends_them(sentences: list[str]) -> None:
    text = " ".join(sentences)
    assert [text[a:b] for a, b in sentence_spans(text)] == sentences


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_nothing_has_no_sentences(text: str) -> None:
    assert [text[a:b] for a, b in sentence_spans(text) if text[a:b].strip()] == []


PIECES = st.sampled_from(
    ["The glutes grew", "et al.", "e.g.", "3.5", "vs.", ". ", "! ", "? ", " ", "(", ")", "“", "”",
     "5 kg.", "B.", "2015", "−1.6 cm²", "…", ": ", "U.S.", "a", "Ä", "🍑", "\t", "[1]", "etc."]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join))
def test_spans_cover_all_words_in_order_without_overlap(text: str) -> None:
    spans = sentence_spans(text)
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())
    assert all(text[a:b] == text[a:b].strip() for a, b in spans)
