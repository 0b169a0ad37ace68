"""The audit: one small corpus a rule, and two hundred mutations of the committed corpus."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ingest.audit import audit, audit_document
from ingest.audit_statements import reading_grade
from ingest.corpus_files import Document, dump_document, read_corpus
from ingest.figures import figures_of
from ingest.findings import Finding, Shelf, Statement, shelf_of, statements_of
from ingest.readability import grade, syllables

ROOT = Path(__file__).parent.parent

REFERENCE = {
    "id": "depth-2019",
    "type": "article-journal",
    "title": "Squat depth and muscle size",
    "author": [{"family": "Kubo", "given": "K."}],
    "issued": 2019,
    "DOI": "10.1007/s00421-019-04181-y",
    "kind": "rct",
    "population": "men (8 full squat, 9 half squat)",
    "sample_size": 17,
    "status": "ok",
}
DIGEST = "## Findings\n\nDeep squats for 10 weeks grew the glutes by 6.7% against 2.2% in 17 men."
CLAIM = "Deep squats grew the glutes of 17 men by 6.7% in 10 weeks [@depth-2019]."
ARTICLE = {"title": "Squat depth", "date": "2026-11-23"}


class Corpus:
    """A small corpus that passes; tests break one thing in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("references/depth-2019", REFERENCE, DIGEST)
        self.write("articles/depth", ARTICLE, f"## How deep?\n\n{CLAIM}")

    def write(self, name: str, meta: Mapping[str, object], body: str) -> None:
        path = self.folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dump_document(meta, body), "utf-8")

    def claim(self, text: str) -> None:
        self.write("articles/depth", ARTICLE, f"## How deep?\n\n{CLAIM} {text}")

    def rules(self) -> list[str]:
        return [finding.rule for finding in audit(self.folder)]


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(tmp_path)


def test_a_sound_corpus_of_minimal_files_has_no_findings(corpus: Corpus) -> None:
    assert audit(corpus.folder) == []


def test_an_unknown_citation_key_is_found_with_its_place(corpus: Corpus) -> None:
    corpus.claim("\n\nHip thrusts are fine too [@thrust-2020].")
    (finding,) = audit(corpus.folder)
    assert (finding.path, finding.rule) == ("articles/depth.md", "citation-key")
    assert "thrust-2020" in finding.message
    lines = (corpus.folder / finding.path).read_text("utf-8").splitlines()
    assert "thrust-2020" in lines[finding.line - 1]


@pytest.mark.parametrize(
    "doi", ["https://doi.org/10.1007/s00421", "10.1/x", "doi:10.1007/x", "10.1007/", "10.1007"]
)
def test_a_malformed_doi_is_found(corpus: Corpus, doi: str) -> None:
    corpus.write("references/depth-2019", {**REFERENCE, "DOI": doi}, DIGEST)
    assert corpus.rules() == ["doi"]


@pytest.mark.parametrize("doi", ["10.1016/S0140-6736(20)30183-5", "10.1002/14651858.CD007912.pub2"])
def test_odd_but_real_dois_pass(corpus: Corpus, doi: str) -> None:
    corpus.write("references/depth-2019", {**REFERENCE, "DOI": doi}, DIGEST)
    assert corpus.rules() == []


@pytest.mark.parametrize("missing", ["id", "title", "type", "kind", "population", "status"])
def test_a_reference_without_a_field_is_found(corpus: Corpus, missing: str) -> None:
    meta = {k: v for k, v in REFERENCE.items() if k != missing}
    corpus.write("references/depth-2019", meta, DIGEST)
    (finding,) = audit(corpus.folder)
    assert finding.rule == "front-matter"
    assert missing in finding.message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sample_size", "many"),
        ("status", "fine"),
        ("author", 3),
        ("issued", "soon"),
        ("issued", 20199),
        ("id", "other"),
    ],
)
def test_a_field_of_the_wrong_type_is_found(corpus: Corpus, field: str, value: object) -> None:
    corpus.write("references/depth-2019", {**REFERENCE, field: value}, DIGEST)
    (finding,) = audit(corpus.folder)
    assert finding.rule == "front-matter"
    assert field in finding.message


def test_an_article_needs_title_and_date(corpus: Corpus) -> None:
    corpus.write("articles/bare", {"author": "Someone"}, "## Why?\n\nBecause squats are hard.")
    assert corpus.rules() == ["front-matter", "front-matter"]


def test_our_own_articles_need_all_fields(corpus: Corpus) -> None:
    corpus.write("articles/own", {**ARTICLE, "title": "Own", "topic": "own"}, "## Why?\n\nSquats.")
    missing = {f.message for f in audit(corpus.folder)}
    assert len(missing) == 5  # author, updated, url, tags, summary


def test_a_file_that_cannot_be_read_is_a_finding(corpus: Corpus) -> None:
    (corpus.folder / "articles/broken.md").write_text("---\ntitle: [\n---\nText.", "utf-8")
    (corpus.folder / "articles/open.md").write_text("---\ntitle: x\n", "utf-8")
    assert corpus.rules() == ["unreadable", "unreadable"]


def test_an_unreadable_file_hides_no_references(corpus: Corpus) -> None:
    """What a broken article cites is unknown: its references are no orphans."""
    path = corpus.folder / "articles/depth.md"
    path.write_text("---\ndate: 2026-11-23\ntitle: Squats: how deep\n---\nText.", "utf-8")
    (finding,) = audit(corpus.folder)
    assert (finding.rule, finding.line) == ("unreadable", 3)


@pytest.mark.parametrize("kind", ["articles", "references", "exercises"])
def test_an_empty_file_is_found(corpus: Corpus, kind: str) -> None:
    (corpus.folder / kind).mkdir(exist_ok=True)
    (corpus.folder / kind / "blank.md").write_bytes(b"")
    assert "empty" in corpus.rules()


def test_a_field_that_stands_twice_is_found(corpus: Corpus) -> None:
    path = corpus.folder / "articles/depth.md"
    path.write_text(f"---\ntitle: A\ntitle: B\ndate: 2026-11-23\n---\n\n{CLAIM}\n", "utf-8")
    (finding,) = audit(corpus.folder)
    assert (finding.rule, finding.line) == ("front-matter", 3)


def test_documents_that_nothing_reads_are_found(corpus: Corpus) -> None:
    corpus.write("articles/old/depth", ARTICLE, "## How?\n\nDeep.")
    assert [(f.path, f.rule) for f in audit(corpus.folder)] == [("articles/old/depth.md", "unread")]


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_endings_and_byte_order_marks_change_nothing(
    corpus: Corpus, ending: str, mark: str
) -> None:
    path = corpus.folder / "articles/depth.md"
    text = path.read_text("utf-8")
    path.write_bytes((mark + text.replace("\n", ending)).encode())
    assert corpus.rules() == []
    path.write_bytes((mark + text.replace("6.7%", "7.6%").replace("\n", ending)).encode())
    (finding,) = audit(corpus.folder)
    assert (finding.rule, finding.line) == ("figure", 7)


@pytest.mark.parametrize("value", [5, "x", [1, [2]], {"a": {"b": 1}}, None, True, float("inf")])
def test_front_matter_of_any_shape_is_audited_without_a_crash(
    corpus: Corpus, value: object
) -> None:
    names = (
        "title name date id type author issued DOI URL kind status sample_size weeks measurements "
        "disagrees_with background aliases regressions progressions topic tags summary undigested"
    )
    meta = dict.fromkeys(names.split(), value)
    for kind in ("articles", "references", "exercises"):
        corpus.write(f"{kind}/odd", meta, "## Why?\n\nSquats are hard work [@odd].")
        corpus.write(f"{kind}/empty", {}, "")
    assert "front-matter" in corpus.rules()


def test_figures_of_a_summary_are_those_of_the_references(corpus: Corpus) -> None:
    body = f"## How deep?\n\n{CLAIM}"
    corpus.write("articles/depth", {**ARTICLE, "summary": "Deep squats gave 6.7%."}, body)
    assert corpus.rules() == []
    corpus.write("articles/depth", {**ARTICLE, "summary": "Deep squats gave 7.6%."}, body)
    assert corpus.rules() == ["figure"]


def test_duplicate_dois_and_titles_are_found(corpus: Corpus) -> None:
    twin = {**REFERENCE, "id": "twin", "DOI": "10.1007/S00421-019-04181-Y", "background": True}
    corpus.write("references/twin", twin, "## Findings\n\nNothing is the same here.")
    assert sorted(corpus.rules()) == ["duplicate-doi", "duplicate-title"]


def test_duplicate_ids_are_found(corpus: Corpus) -> None:
    other = {**REFERENCE, "title": "Else", "DOI": "10.1007/other", "background": True}
    corpus.write("references/twin", other, "## Findings\n\nNothing is the same here.")
    assert set(corpus.rules()) == {"duplicate-id", "front-matter"}


@pytest.mark.parametrize(
    "claim",
    [
        "Deep squats grew the glutes by 7.6% in the trial [@depth-2019].",
        "Deep squats grew the glutes by 6.7 kg in the trial [@depth-2019].",
        "Lifters trained for ten days in the trial [@depth-2019].",
        "Lifters trained for eleven weeks in the trial [@depth-2019].",
        "The trial studied 71 men at two depths [@depth-2019].",
        "A trial of 2009 studied squat depth in men [@depth-2019].",
        "Deep squats grew the glutes by 2.2 to 7% or so [@depth-2019].",
        "Squats of half depth grew the glutes by 2.3%. [@depth-2019]",
    ],
)
def test_figures_that_the_reference_does_not_print_are_found(corpus: Corpus, claim: str) -> None:
    corpus.claim(claim)
    assert corpus.rules() == ["figure"]


@pytest.mark.parametrize(
    "claim",
    [
        "Seventeen men squatted to one of two depths in a 2019 trial [@depth-2019].",
        "Growth was 6.70 per cent with full squats over a ten-week block [@depth-2019].",
        "Eight men did full squats and 9 men did half squats [@depth-2019].",
        "Rest for 3 minutes after each of your 4 sets of squats.",
        "Half squats gave 2.2% and full squats gave 6.7% of growth [@depth-2019].",
    ],
)
def test_figures_in_other_forms_and_uncited_ones_pass(corpus: Corpus, claim: str) -> None:
    corpus.claim(claim)
    assert corpus.rules() == []


SIGNED = "The change was −1.6 cm² (95% CI −6.1 to 2.0), r = −.85, p = .05, in 5 sets of 10."


@pytest.mark.parametrize(
    "claim",
    [
        "The area differed by 1.6 cm² (95% CI −6.1 to 2.0) [@depth-2019].",
        "The area differed by −1.6 cm² (95% CI 6.1 to 2.0) [@depth-2019].",
        "The area differed by −1.6 cm² (95% CI −6.1 to −2.0) [@depth-2019].",
        "Area and depth were less related in men (r = 0.85) [@depth-2019].",
        "The area changed a little (r = −0.85, p = 0.85) [@depth-2019].",
        "Men in the trial did 5 sets of 5 at the same load [@depth-2019].",
        "Growth fell by 6.7 cm² (95% CI −6.1 to 2.0) [@depth-2019].",
    ],
)
def test_a_sign_that_the_reference_does_not_print_is_found(corpus: Corpus, claim: str) -> None:
    corpus.write("references/depth-2019", REFERENCE, f"{DIGEST} It was 6.7 cm². {SIGNED}")
    corpus.claim(claim)
    assert set(corpus.rules()) == {"figure"}


@pytest.mark.parametrize(
    "claim",
    [
        "The area differed by -1.6 cm² (95% CI -6.1 to 2.0), p = 0.05 [@depth-2019].",
        "The area fell by 1.6 cm² (95% CI −2.0 to 6.1) in the trial [@depth-2019].",
        "The area was smaller by 1.6 cm² after 5 sets of 10 repetitions [@depth-2019].",
        "Depth and area were tied (r = -.85) in the trial of 8-10 sets [@depth-2019].",
    ],
)
def test_a_decrease_may_be_told_in_words(corpus: Corpus, claim: str) -> None:
    corpus.write("references/depth-2019", REFERENCE, f"{DIGEST} {SIGNED} Some did 8 to 10 sets.")
    corpus.claim(claim)
    assert corpus.rules() == []


def test_figures_of_references_that_nobody_read_are_not_held_against_them(corpus: Corpus) -> None:
    meta = {"id": "new", "type": "article-journal", "title": "New", "undigested": True}
    corpus.write("references/new", meta, "")
    corpus.claim("Hip thrusts grew the glutes by 12% in a new trial [@new].")
    assert corpus.rules() == []


def test_a_measurement_that_the_digest_does_not_print_is_found(corpus: Corpus) -> None:
    right = {"outcome": "volume gain", "unit": "%", "group": "full squat", "value": 6.7}
    for wrong in ({**right, "value": 7.6}, {**right, "ci95": [2.2, 9.1]}, {**right, "spread": 3}):
        corpus.write("references/depth-2019", {**REFERENCE, "measurements": [wrong]}, DIGEST)
        assert corpus.rules() == ["measurement"]


TRANSCRIBED = {
    **REFERENCE,
    "figures": [{"weeks": 10, "full_pct": 6.7, "half_pct": 2.2}],
    "other_figures": ["17 men"],
}


@pytest.mark.parametrize(
    ("old", "new"),
    [("6.7%", "7.6%"), ("6.7%", "6.7 kg"), ("10 weeks", "12 weeks"), ("2.2%", "−2.2%")],
)
def test_a_digest_that_parts_from_its_transcript_is_found(
    corpus: Corpus, old: str, new: str
) -> None:
    corpus.write("references/depth-2019", TRANSCRIBED, DIGEST)
    assert corpus.rules() == []
    corpus.write("references/depth-2019", TRANSCRIBED, DIGEST.replace(old, new))
    assert "transcription" in corpus.rules()


def test_a_transcript_that_the_digest_does_not_print_is_found(corpus: Corpus) -> None:
    figures = [{"weeks": 10, "full_pct": 7.6, "half_pct": 2.2}]
    corpus.write("references/depth-2019", {**TRANSCRIBED, "figures": figures}, DIGEST)
    assert set(corpus.rules()) == {"transcription"}


@pytest.mark.parametrize("status", ["concern", "retracted"])
def test_contested_work_is_no_support(corpus: Corpus, status: str) -> None:
    bad = {**REFERENCE, "id": "bad", "title": "Bad", "DOI": "10.1000/bad", "status": status}
    corpus.write("references/bad", bad, "## Findings\n\nSquats won by a mile.")
    corpus.claim("Squats win by a mile over thrusts [@bad].")
    assert corpus.rules() == ["contested"]
    corpus.claim("A contested trial let squats win by a mile [@bad].")
    assert corpus.rules() == []


@pytest.mark.parametrize(
    ("sentence", "flagged"),
    [
        ("The hip thrust has higher EMG, so it grows the glutes more.", True),
        ("High glute activation means more growth from the hip thrust.", True),
        ("Glutes grow best with thrusts because their EMG is highest.", True),
        ("Because EMG is higher in the hip thrust, it builds bigger glutes.", True),
        ("The hip thrust is the best glute builder, as its EMG shows.", True),
        ("Step-ups gave the highest EMG, making them the best exercise for glute size.", True),
        ("With 120% MVIC, the band walk is superb for hypertrophy.", True),
        ("Glutes fire harder in thrusts. So they grow faster.", True),
        ("The leg press had high EMG and it also grew the glutes in a trial.", False),
        (
            "The hip thrust has higher EMG, which does not mean that it grows the glutes more.",
            False,
        ),
        ("EMG says how active a muscle was, never how much it grows.", False),
        ("Squats grew the glutes of beginners over 9 weeks.", False),
    ],
)
def test_growth_concluded_from_emg_is_found(corpus: Corpus, sentence: str, flagged: bool) -> None:
    corpus.claim(sentence)
    assert corpus.rules() == (["emg-growth"] if flagged else [])


@pytest.mark.parametrize(
    ("link", "dead"),
    [
        ("(gone.md)", True),
        ("(../exercises/gone.md)", True),
        ("(#no-such-heading)", True),
        ("(../../outside.md)", True),
        ("(depth.md)", False),
        ("(../references/depth-2019.md)", False),
        ("(#how-deep)", False),
        ("(https://example.org/gone.md)", False),
        ("(../references/depth-2019.md#no-such-heading)", True),
        ("(../references/depth-2019.md#findings)", False),
        ("(<gone as well.md>)", True),
        ("[below]\n\n[below]: gone.md", True),
        (' <a href="gone.md">more</a>', True),
        (" ![a picture](gone.png)", True),
        (" `[code](gone.md)`", False),
    ],
)
def test_dead_internal_links_are_found(corpus: Corpus, link: str, dead: bool) -> None:
    corpus.claim(f"Read [more of it]{link}")
    assert corpus.rules() == (["link"] if dead else [])


def test_exercises_link_to_exercises_and_share_no_alias(corpus: Corpus) -> None:
    corpus.write("exercises/a", {"name": "A squat", "aliases": ["squat"]}, "## How?\n\nSquat.")
    corpus.write("exercises/b", {"name": "B", "regressions": ["a", "A squat"]}, "## How?\n\nSit.")
    assert corpus.rules() == []
    corpus.write("exercises/c", {"name": "C", "aliases": ["Squat"]}, "## How?\n\nStand.")
    corpus.write("exercises/d", {"name": "D", "progressions": ["none"]}, "## How?\n\nLie.")
    assert corpus.rules() == ["alias", "link"]


def test_exercises_that_are_nearly_complete_must_be_complete(corpus: Corpus) -> None:
    meta: dict[str, object] = {
        "name": "A squat", "aliases": [], "equipment": ["barbell"], "knee": "bent", "load": "axial",
        "primary_muscles": ["quadriceps"], "peak_tension_at": "lengthened", "level": "beginner",
        "regressions": [], "progressions": [],
    }  # fmt: skip
    corpus.write("exercises/a", meta, "## How?\n\nSquat.")
    assert corpus.rules() == []
    corpus.write("exercises/a", meta | {"knee": "straightish"}, "## How?\n\nSquat.")
    assert corpus.rules() == ["front-matter"]
    del meta["level"]
    corpus.write("exercises/a", meta, "## How?\n\nSquat.")
    assert corpus.rules() == ["front-matter"]


def test_hard_text_is_found_in_our_own_plain_sections(corpus: Corpus) -> None:
    hard = (
        "Electromyographical investigations demonstrating considerable gluteal participation "
        "necessitate extraordinarily conservative interpretation regarding hypertrophic adaptation."
    )
    meta = {
        **ARTICLE, "title": "Own", "topic": "own", "author": "A", "updated": "2026-11-23",
        "url": None, "tags": ["a"], "summary": "S.",
    }  # fmt: skip
    corpus.write("articles/own", meta, f"## Why?\n\n{hard}")
    assert corpus.rules() == ["reading-grade"]
    corpus.write("articles/own", meta, f"## Why?\n\nSquat low.\n\n## For trainers: why?\n\n{hard}")
    assert corpus.rules() == []


def test_reading_grade_is_that_of_known_texts() -> None:
    assert [syllables(w) for w in ("glute", "muscle", "exercise", "trained", "abduction")] == [
        1, 2, 3, 1, 3,
    ]  # fmt: skip
    # 0.39 * 6 + 11.8 * 1 - 15.59, by hand
    assert grade(["The cat sat on the mat."]) == pytest.approx(-1.45)
    assert reading_grade([]) is None


def test_near_duplicates_between_files_are_found(corpus: Corpus) -> None:
    text = "Deep squats made the glutes of seventeen young men grow far more than half squats did."
    corpus.claim(f"{text} {text}")  # twice in one file is the writer's business
    assert corpus.rules() == []
    copy = text.replace("far more", "much more")
    corpus.write("articles/other", {**ARTICLE, "title": "Other"}, f"## What?\n\n{copy}")
    assert corpus.rules() == ["near-duplicate"]


def test_missing_syllabus_topics_are_found(corpus: Corpus) -> None:
    syllabus = corpus.folder / "syllabus.yaml"
    syllabus.write_text("articles:\n  Squats:\n    depth: Depth\nexercises: []\n", "utf-8")
    assert corpus.rules() == []
    syllabus.write_text("articles:\n  Squats:\n    stance: Stance\nexercises: [lunge]\n", "utf-8")
    found = audit(corpus.folder)
    assert [(f.path, f.line, f.rule) for f in found] == [
        ("syllabus.yaml", 3, "syllabus"),
        ("syllabus.yaml", 4, "syllabus"),
    ]
    for broken in (b"articles: [a]\n", b"articles: [\n", b"\xff\xfe\x00"):
        syllabus.write_bytes(broken)
        assert corpus.rules() == ["unreadable"]


def test_orphan_references_are_found_unless_marked_background(corpus: Corpus) -> None:
    lone = {**REFERENCE, "id": "lone", "title": "Lone", "DOI": "10.1000/lone"}
    corpus.write("references/lone", lone, "## Findings\n\nNobody cites me.")
    assert corpus.rules() == ["orphan-reference"]
    corpus.write("references/lone", {**lone, "background": True}, "## Findings\n\nNobody does.")
    assert corpus.rules() == []


def test_disagreements_have_two_sides(corpus: Corpus) -> None:
    other = {**REFERENCE, "id": "other", "title": "Other", "DOI": "10.1000/x", "background": True}
    against = [{"id": "depth-2019", "about": "how deep"}]
    corpus.write("references/other", {**other, "disagrees_with": against}, "## Findings\n\nNo.")
    assert corpus.rules() == ["disagreement"]
    back = [{"id": "other", "about": "how deep"}]
    corpus.write("references/depth-2019", {**REFERENCE, "disagrees_with": back}, DIGEST)
    assert corpus.rules() == []


def test_units_and_numbers_are_read_as_people_write_them() -> None:
    text = (
        "In 34 untrained adults, 8 to 12 reps (p = 0.008) at 1,600 kcal for 9 weeks: 95% CI 1 to 2"
    )
    found = [(str(f.value), f.unit) for f in figures_of(text)]
    assert found == [
        ("34", "people"), ("8", "rep"), ("12", "rep"), ("0.008", "p value"), ("1600", "kilocalorie"),
        ("9", "week"), ("1", None), ("2", None),
    ]  # fmt: skip
    assert [int(f.value) for f in figures_of("twenty-four women, two hundred men, T12, cm2")] == [
        24, 200,
    ]  # fmt: skip


def test_the_command_reports_and_exits_2_where_something_is_wrong(corpus: Corpus) -> None:
    def check(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ingest", "check", "--corpus", str(corpus.folder)]
        return subprocess.run(
            [*command, *options], cwd=ROOT, capture_output=True, text=True, check=False
        )

    clean = check("--json")
    assert clean.returncode == 0, clean.stderr
    assert json.loads(clean.stdout) == {
        "findings": [],
        "counts": {"articles": 1, "references": 1, "exercises": 0, "findings": 0},
    }
    corpus.claim("Lifters trained for nine weeks [@depth-2019].")
    wrong = check()
    assert wrong.returncode == 2
    assert wrong.stdout.startswith("articles/depth.md:7: figure: 'nine' (week)")


# -- mutations of the committed corpus ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mutation:
    """A statement of a file, and what stands there in a changed copy of the file."""

    document: Document
    statement: Statement
    changed: Statement


UNITS = {
    "%": " kg", " weeks": " days", "-week": "-day", " kg": "%", " adults": " minutes",
    " degrees": " cm", " cm²": " kg", " minutes": " months", " men": " sets", " women": " reps",
    " studies": " sessions", " months": " years", " sets": " kg", " sessions": " degrees",
}  # fmt: skip


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return shelf_of(read_corpus(ROOT / "corpus"))


@pytest.fixture(scope="module")
def cited() -> list[tuple[Document, Statement]]:
    corpus = read_corpus(ROOT / "corpus")
    documents = [d for d in corpus.documents if d.kind != "reference"]
    rng = random.Random(20261123)
    return [(d, s) for d in rng.sample(documents, 60) for s in statements_of(d) if s.keys]


def changed_figures(cited: Sequence[tuple[Document, Statement]]) -> Iterator[Mutation]:
    """One digit of one figure becomes another digit."""
    rng = random.Random(1)
    for document, statement in cited:
        for figure in figures_of(statement.text):
            at = rng.randrange(figure.start, figure.end)
            if not figure.spelled and statement.text[at].isdigit():
                digit = rng.choice([d for d in "123456789" if d != statement.text[at]])
                text = statement.text[:at] + digit + statement.text[at + 1 :]
                yield Mutation(document, statement, replace(statement, text=text))


def changed_units(cited: Sequence[tuple[Document, Statement]]) -> Iterator[Mutation]:
    for document, statement in cited:
        for figure in figures_of(statement.text):
            rest = statement.text[figure.end :]
            for unit, other in UNITS.items():
                if re.match(re.escape(unit) + r"(?!\w)", rest):
                    text = statement.text[: figure.end] + other + rest[len(unit) :]
                    yield Mutation(document, statement, replace(statement, text=text))


def changed_keys(cited: Sequence[tuple[Document, Statement]]) -> Iterator[Mutation]:
    rng = random.Random(2)
    for document, statement in cited:
        key = rng.choice(statement.keys)
        at = rng.randrange(1, len(key) - 1)
        wrong = key[:at] + rng.choice([c for c in "abcxyz" if c != key[at]]) + key[at + 1 :]
        keys = tuple(wrong if k == key else k for k in statement.keys)
        yield Mutation(document, statement, replace(statement, keys=keys))


def caught(mutation: Mutation, rule: str, shelf: Shelf) -> bool:
    found: list[Finding] = audit_document(
        mutation.document, ROOT / "corpus", shelf, [mutation.changed]
    )
    return any(finding.rule == rule for finding in found)


def share_caught(mutations: Iterator[Mutation], rule: str, shelf: Shelf) -> float:
    chosen = random.Random(3).sample(list(mutations), 200)
    return sum(caught(m, rule, shelf) for m in chosen) / len(chosen)


def test_changed_figures_are_caught(cited: list[tuple[Document, Statement]], shelf: Shelf) -> None:
    assert share_caught(changed_figures(cited), "figure", shelf) >= 0.95


def test_changed_units_are_caught(cited: list[tuple[Document, Statement]], shelf: Shelf) -> None:
    assert share_caught(changed_units(cited), "figure", shelf) >= 0.95


def test_changed_keys_are_all_caught(cited: list[tuple[Document, Statement]], shelf: Shelf) -> None:
    assert share_caught(changed_keys(cited), "citation-key", shelf) == 1


def test_changed_figures_of_digests_are_caught(shelf: Shelf) -> None:
    """A digest cites nothing: its figures are held to those of its front matter."""
    rng = random.Random(4)
    digests = read_corpus(ROOT / "corpus").of_kind("reference")
    places = [(d, m) for d in digests for m in re.finditer(r"(?<![\w.])\d+\.?\d*", d.body)]
    found = []
    for document, match in rng.sample(places, 200):
        changed = str(round(float(match.group()) + rng.choice((1, 2, 3)), 2)).removesuffix(".0")
        body = document.body[: match.start()] + changed + document.body[match.end() :]
        found.append(bool(audit_document(replace(document, body=body), ROOT / "corpus", shelf)))
    assert sum(found) / len(found) >= 0.95


def test_a_changed_file_is_caught_as_a_whole(tmp_path: Path, shelf: Shelf) -> None:
    """From the file's own text, Markdown and all, and not only from its sentences."""
    source = ROOT / "corpus/articles/hip-thrust-or-squat.md"
    text = source.read_text("utf-8")
    path = tmp_path / "articles" / source.name
    path.parent.mkdir()
    for old, new in (
        ("−1.6 cm²", "−1.7 cm²"),
        ("for 9 weeks", "for 9 days"),
        ("@krause-neto-2025", "@krause-neto-2024"),
    ):
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")
        (document,) = read_corpus(tmp_path).documents
        rules = {f.rule for f in audit_document(document, tmp_path, shelf)}
        assert rules & {"figure", "citation-key"}


ASKED = '"How deep?":\n  - how low do I go\n  - ass to grass or parallel\n'


def write_asked(corpus: Corpus, name: str, text: str) -> None:
    path = corpus.folder / "asked" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_a_citation_in_running_text_is_held_to_its_reference(corpus: Corpus) -> None:
    corpus.write("articles/depth", ARTICLE, "## How deep?\n\n@depth-2019 saw glutes grow by 6.7% in 17 men.")
    assert audit(corpus.folder) == []
    corpus.write("articles/depth", ARTICLE, "## How deep?\n\n@depth-2019 saw glutes grow by 9.9% in 17 men.")
    assert corpus.rules() == ["figure"]
    corpus.claim("Here @thrust-2020-trial found more.")
    (finding,) = audit(corpus.folder)
    assert finding.rule == "citation-key"
    assert "thrust-2020-trial" in finding.message


def test_ways_of_asking_that_lead_to_their_headings_pass(corpus: Corpus) -> None:
    write_asked(corpus, "articles/depth", ASKED)
    assert audit(corpus.folder) == []


@pytest.mark.parametrize(
    ("text", "line", "rule", "message"),
    [
        pytest.param(ASKED + '"How wide?":\n  - how far apart\n', 4, "asked", "'How wide?' is no heading", id="dead key"),
        pytest.param(ASKED + "  - How low do I go?\n", 4, "asked", "'How low do I go?' stands there twice", id="twice"),
        pytest.param(ASKED + '"How deep?":\n  - how far down\n', 4, "asked", "'How deep?' stands there twice", id="key twice"),
        pytest.param(ASKED + f"  - {'deep ' * 41}\n", 4, "asked", "longer than 200 characters", id="long"),
        pytest.param(ASKED + "  - '?!'\n", 4, "asked", "a phrasing without a word", id="no word"),
        pytest.param('"How deep?": []\n', 1, "asked", "'How deep?' has no phrasings", id="no phrasings"),
        pytest.param("", 1, "asked", "is empty", id="empty file"),
        pytest.param(ASKED + "  - ''\n", 1, "unreadable", "lists an empty question", id="empty question"),
        pytest.param(ASKED + '"How deep?": [open\n', 4, "unreadable", "not valid YAML", id="broken YAML"),
        pytest.param("- how low\n", 1, "unreadable", "not a mapping", id="a list"),
    ],
)
def test_a_fault_in_the_ways_of_asking_is_found_at_its_line(
    corpus: Corpus, text: str, line: int, rule: str, message: str
) -> None:
    write_asked(corpus, "articles/depth", text)
    (finding,) = audit(corpus.folder)
    assert (finding.path, finding.line, finding.rule) == ("asked/articles/depth.yaml", line, rule)
    assert message in finding.message


def test_a_question_asked_of_two_documents_is_found_in_the_second(corpus: Corpus) -> None:
    corpus.write("articles/width", {**ARTICLE, "title": "Width"}, "## How wide?\n\nAs you like.")
    write_asked(corpus, "articles/depth", ASKED)
    write_asked(corpus, "articles/width", '"How wide?":\n  - "how far apart"\n  - "How low do I go?"\n')
    (finding,) = audit(corpus.folder)
    assert (finding.path, finding.line) == ("asked/articles/width.yaml", 3)
    assert "is asked in asked/articles/depth.yaml too" in finding.message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("articles/gone", "there is no document 'articles/gone.md'"),
        ("exercises/depth", "there is no document 'exercises/depth.md'"),
        ("depth", "name it asked/articles/SLUG.yaml"),
        ("articles/more/depth", "name it asked/articles/SLUG.yaml"),
    ],
)
def test_ways_of_asking_beside_no_document_are_found(corpus: Corpus, name: str, message: str) -> None:
    write_asked(corpus, name, ASKED)
    (finding,) = audit(corpus.folder)
    assert (finding.path, finding.rule) == (f"asked/{name}.yaml", "unread")
    assert message in finding.message


def test_a_question_that_is_asked_and_not_covered_at_once_is_found(corpus: Corpus) -> None:
    write_asked(corpus, "articles/depth", ASKED)
    write_asked(corpus, "not-covered", "A theme:\n  - which shoes\n")
    assert audit(corpus.folder) == []
    write_asked(corpus, "not-covered", "A theme:\n  - which shoes\n  - how low do I go\nAnother:\n  - Which shoes?\n")
    assert [(f.path, f.line, f.rule) for f in audit(corpus.folder)] == [
        ("asked/not-covered.yaml", 3, "asked"), ("asked/not-covered.yaml", 5, "asked"),
    ]  # fmt: skip
