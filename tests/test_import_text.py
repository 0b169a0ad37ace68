"""A web page copied whole out of a browser, and plain text files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ingest.corpus_files import Document, read_document
from ingest.importing import import_all

COPIED_PAGE = """\
Skip to primary navigation
Skip to main content
Iron Orchard Training

Home
About
Programs
Blog
Contact
Search this website

Home » Training » Why Your Hip Thrust Stalled

Why Your Hip Thrust Stalled (and What to Do About It)
Published on March 3, 2021 by Maya Okafor, MSc · Last updated: June 14, 2023 · 7 min read

Share on Facebook
Tweet
Pin
Share

Most people who stop progressing on the hip thrust are not weak; they are doing the same three sets of ten that they did last spring. Progress in any lift comes from asking for a little more over time (Contreras, Cronin, & Schoenfeld, 2011).

The lift itself is a good one. Contreras et al. (2011) described it as a way to load the hips without loading the upper back, and a later trial found that squats and thrusts grew the glutes about equally (Plotkin et al., 2023).

What the numbers say

Volume matters up to a point. A meta-analysis reported more growth with more weekly sets (Schoenfeld, Ogborn & Krieger, 2017; Plotkin et al., 2023), though the return shrinks as the sets add up.

Advertisement

- Add one set a week until you reach about ten.
- Then add load before you add anything else.

Your knees should stay over your ankles at the top. If they do not, move your feet before you blame your glutes.

A short word on patience

Nobody stalls forever. Give each change three weeks before you judge it, and write your sets down.

Get my free newsletter every Friday
Enter your email address
No spam. Unsubscribe at any time.

References

Contreras, B., Cronin, J., & Schoenfeld, B. (2011). Barbell hip thrust. Strength and Conditioning Journal, 33(5), 58–61. https://doi.org/10.1519/SSC.0b013e31822fa09d
Plotkin, D. L., Rodas, M. A., Vigotsky, A. D., & Roberts, M. D. (2023). Hip thrust and back squat training elicit similar gluteus muscle hypertrophy. Frontiers in Physiology, 14, 1279170. https://doi.org/10.3389/fphys.2023.1279170
Schoenfeld, B. J., Ogborn, D., & Krieger, J. W. (2017). Dose-response relationship between weekly resistance training volume and increases in muscle mass. Journal of Sports Sciences, 35(11), 1073–1082.

Filed Under: Training, Hip thrust
Tagged With: plateaus, volume

About Maya Okafor
Maya coaches lifters in a converted cider barn.

You may also like
Five bands worth buying
The truth about ankle weights

Reader Interactions
2 Comments
BestPillsOnline says:
July 1, 2023 at 4:12 am
Amazing post!! I lost 20 kg with this one trick, click http://cheap-pills.example now
Reply
Loan Approval Fast says:
July 2, 2023 at 11:47 pm
Get your loan approved today, no questions asked (Smith, 2010).
Reply
Leave a Reply
Your email address will not be published. Required fields are marked *
Comment *
Name *
Email *
Save my name, email, and website in this browser for the next time I comment.

Primary Sidebar
Copyright © 2024 Iron Orchard Training · All rights reserved
Privacy Policy
"""

PARAGRAPHS = [
    "Most people who stop progressing on the hip thrust are not weak; they are doing the same three "
    "sets of ten that they did last spring. Progress in any lift comes from asking for a little more "
    "over time [@contreras-2011-barbell-hip-thrust].",
    "The lift itself is a good one. Contreras et al. [@contreras-2011-barbell-hip-thrust] described "
    "it as a way to load the hips without loading the upper back, and a later trial found that "
    "squats and thrusts grew the glutes about equally [@plotkin-2023-hip-thrust-back].",
    "## What the numbers say",
    "Volume matters up to a point. A meta-analysis reported more growth with more weekly sets "
    "[@schoenfeld-2017-dose-response-relationship; @plotkin-2023-hip-thrust-back], though the return "
    "shrinks as the sets add up.",
    "- Add one set a week until you reach about ten.\n"
    "- Then add load before you add anything else.",
    "Your knees should stay over your ankles at the top. If they do not, move your feet before you "
    "blame your glutes.",
    "## A short word on patience",
    "Nobody stalls forever. Give each change three weeks before you judge it, and write your sets "
    "down.",
]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return tmp_path / "corpus"


def only_article(corpus: Path) -> Document:
    (path,) = (corpus / "articles").glob("*.md")
    return read_document(path, "article")


def import_text(tmp_path: Path, corpus: Path, text: str, name: str = "saved.txt") -> Document:
    (tmp_path / name).write_text(text, "utf-8")
    report = import_all([str(tmp_path / name)], corpus)
    assert [i.action for i in report.items] == ["added"], report.items
    return only_article(corpus)


def test_a_copied_page_becomes_the_article_and_nothing_else(tmp_path: Path, corpus: Path) -> None:
    article = import_text(tmp_path, corpus, COPIED_PAGE)
    assert article.body.strip().split("\n\n") == PARAGRAPHS


def test_a_copied_page_keeps_title_author_both_dates_and_tags(tmp_path: Path, corpus: Path) -> None:
    meta = import_text(tmp_path, corpus, COPIED_PAGE).meta
    assert meta["title"] == "Why Your Hip Thrust Stalled (and What to Do About It)"
    assert meta["author"] == "Maya Okafor, MSc"
    assert meta["date"] == date(2021, 3, 3)
    assert meta["updated"] == date(2023, 6, 14)
    assert meta["tags"] == ["Training", "Hip thrust", "plateaus", "volume"]


def test_a_copied_pages_reference_list_becomes_references(tmp_path: Path, corpus: Path) -> None:
    article = import_text(tmp_path, corpus, COPIED_PAGE)
    found = {p.stem: read_document(p, "reference") for p in (corpus / "references").glob("*.md")}
    assert article.meta["references"] == [
        "contreras-2011-barbell-hip-thrust",
        "plotkin-2023-hip-thrust-back",
        "schoenfeld-2017-dose-response-relationship",
    ]
    assert sorted(found) == sorted(article.meta["references"])
    plotkin = found["plotkin-2023-hip-thrust-back"]
    assert plotkin.meta["title"] == (
        "Hip thrust and back squat training elicit similar gluteus muscle hypertrophy"
    )
    assert [a["family"] for a in plotkin.meta["author"]] == [
        "Plotkin", "Rodas", "Vigotsky", "Roberts",
    ]  # fmt: skip
    assert plotkin.meta["DOI"] == "10.3389/fphys.2023.1279170"
    assert plotkin.meta["container-title"] == "Frontiers in Physiology"
    assert plotkin.meta["undigested"] is True
    assert plotkin.body.strip() == ""


def test_wrapped_text_is_joined_to_paragraphs(tmp_path: Path, corpus: Path) -> None:
    text = (
        "Resting between sets\n\nBy Ada Lindqvist\nMay 2, 2022\n\n"
        "Resting three minutes between hard sets let the lifters in one study do more\n"
        "repetitions in the sets that followed than resting one minute did, and the gain\n"
        "was largest in the squat.\n\n"
        "Shorter rests save time, which is a good reason on its own for people who train\n"
        "before work and have to catch a train.\n"
    )
    article = import_text(tmp_path, corpus, text)
    assert article.title == "Resting between sets"
    assert article.meta["author"] == "Ada Lindqvist"
    assert article.meta["date"] == date(2022, 5, 2)
    assert article.body.strip().split("\n\n") == [
        "Resting three minutes between hard sets let the lifters in one study do more repetitions "
        "in the sets that followed than resting one minute did, and the gain was largest in the "
        "squat.",
        "Shorter rests save time, which is a good reason on its own for people who train before "
        "work and have to catch a train.",
    ]


def test_comments_without_a_heading_are_cut_at_the_first(tmp_path: Path, corpus: Path) -> None:
    text = (
        "Band walks are not enough\nPosted by Rui Teixeira on 4 January 2020\n"
        "Band walks train the side glutes lightly, which suits a warm-up and little else for most "
        "people who have trained for a year.\n"
        "Posted in Training\n"
        "Karl says:\nJanuary 5, 2020 at 9:01 am\n"
        "I disagree with all of this and I want everybody who reads this page to know about it.\n"
    )
    article = import_text(tmp_path, corpus, text)
    assert article.title == "Band walks are not enough"
    assert article.meta["author"] == "Rui Teixeira"
    assert article.meta["date"] == date(2020, 1, 4)
    assert "disagree" not in article.body
    assert article.meta["tags"] == ["Training"]


def test_an_empty_file_is_refused_in_a_line(tmp_path: Path, corpus: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n \n", "utf-8")
    report = import_all([str(tmp_path / "empty.txt")], corpus)
    assert [(i.action, i.reason) for i in report.items] == [("skipped", "the file is empty")]
