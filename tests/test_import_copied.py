"""Pages of several themes and sites, each copied whole out of a browser: `copied_pages/`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from ingest.corpus_files import Document, read_document
from ingest.importing import Item, import_all
from ingest.sources.found import Article
from ingest.sources.text import read_text
from ingest.sources.text_head import read_meta

PAGES = Path(__file__).parent / "copied_pages"


@dataclass(frozen=True)
class Expected:
    title: str
    author: str | None
    published: date | None
    updated: date | None
    first: str
    """How the text begins."""
    last: str
    """How it ends."""
    references: int


EXPECTED = {
    "wp-theme": Expected(
        "How Many Glute Exercises Do You Need?", "Dana Whitfield, MSc", date(2021, 3, 3), date(2022, 6, 12),
        "Most lifters do too many glute exercises", "and I will do my best to answer.", 3,
    ),
    "medium": Expected(
        "Why Your Squat Won’t Grow Your Glutes (Alone)", "Jordan Okafor", date(2022, 9, 14), date(2022, 9, 14),
        "Every few months someone tells me", "is plenty to begin with.", 6,
    ),
    "substack": Expected(
        "Glute Medius Work: What Trials Show", "Ana-Sofía García Pérez", date(2024, 2, 2), date(2024, 2, 2),
        "Welcome back. This week a reader", "That is a pity, but so it is.", 2,
    ),
    "squarespace": Expected(
        "Deadlift or Hip Thrust? A Coach's View", "Siobhán O’Malley", date(2019, 8, 22), date(2023, 1, 5),
        "People ask me which of these two", "Do both where you can.", 5,
    ),
    "divi": Expected(
        "The Complete Guide to Hip Thrust Foot Placement", "Priya N. Raman", date(2021, 3, 3), date(2021, 3, 3),
        "Foot placement changes where you feel", "@neto-2019-barbell-hip-thrust].", 3,
    ),
    "twenty": Expected(
        "Should You Squeeze Your Glutes at the Top?", "Tom Håkansson", date(2019, 11, 9), date(2020, 6, 1),
        "You have been told to squeeze.", "I added the second study.", 4,
    ),
    "astra": Expected(
        "Glute Bridge vs Hip Thrust: Which Is Better for Beginners?", "Marta Nowak", date(2020, 5, 12),
        date(2022, 2, 3), "The lifts are cousins.", "Bridge first. Thrust later.", 2,
    ),
    "genesis": Expected(
        "What 4 Studies Say About Glute Bridges", "Renée Dufour", date(2020, 7, 14), date(2021, 8, 2),
        "NEW: my 12-week glute program", "three sets of fifteen feel easy.", 4,
    ),
    "blogger": Expected(
        "On Cable Kickbacks", "Tomás Ferreira", date(2019, 3, 7), date(2019, 3, 7),
        "I like cable kickbacks", "Tomás", 0,
    ),
    "twentyfive": Expected(
        "Deep Squats and the Gluteus Maximus", "Noor El-Amin", None, None,
        "Kubo and colleagues", "Deep squats, then.", 1,
    ),
    "nobyline": Expected(
        "Glute Minimus: The Forgotten Muscle", None, None, None, "The gluteus minimus lies",
        "It shares its work with the medius [@semciw-2014-gluteus-minimus-intramuscular].", 1,
    ),
    "healthsite": Expected(
        "10 Minute Glute Workout for Runners", "Chidi Eze", date(2021, 6, 4), date(2021, 6, 4),
        "We include products", "Ten minutes are enough to start.", 0,
    ),
}  # fmt: skip


def imported(name: str, tmp_path: Path) -> tuple[Document, Item]:
    report = import_all([str(PAGES / f"{name}.txt")], tmp_path)
    (path,) = (tmp_path / "articles").glob("*.md")
    return read_document(path, "article"), report.items[0]


@pytest.mark.parametrize("name", EXPECTED)
def test_title_author_and_both_dates_are_exact(name: str, tmp_path: Path) -> None:
    meta, want = imported(name, tmp_path)[0].meta, EXPECTED[name]
    said = (meta["title"], meta["author"], meta["date"], meta["updated"])
    assert said == (want.title, want.author, want.published, want.updated)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_text_begins_and_ends_where_the_article_does(name: str, tmp_path: Path) -> None:
    body = imported(name, tmp_path)[0].body.strip()
    assert body.startswith(EXPECTED[name].first)
    assert body.endswith(EXPECTED[name].last)


@pytest.mark.parametrize("name", EXPECTED)
def test_every_reference_is_listed_and_every_citation_linked(name: str, tmp_path: Path) -> None:
    article, item = imported(name, tmp_path)
    listed = article.meta.get("references") or []
    assert len(listed) == EXPECTED[name].references
    assert item.unresolved == ()
    assert set(listed) == set(re.findall(r"@([\w-]+)", article.body))


@pytest.mark.parametrize("name", EXPECTED)
def test_every_paragraph_of_the_page_is_in_the_article(name: str, tmp_path: Path) -> None:
    """Long lines between the text's first and last line; citations are compared without."""
    page = (PAGES / f"{name}.txt").read_text("utf-8")
    body = re.sub(
        r"[\W\d_]", "", re.sub(r"\[[^\]]*@[^\]]*\]", "", imported(name, tmp_path)[0].body)
    )
    text = page[page.index(EXPECTED[name].first[:20]) :]
    text = re.split(
        r"\n(?:References:?|Bibliography|Sources|Works Cited|Labels.*|SOURCES|1\nDistefano.*)\n",
        text,
    )[0]
    lines = [
        line.strip() for line in text.split("\n") if len(line) > 60 and "Subscribe" not in line
    ]
    missing = [w for line in lines for w in re.findall(r"\b[a-z]{5,}\b", line) if w not in body]
    assert lines
    assert missing == []


@pytest.mark.parametrize(
    ("line", "author", "published", "updated"),
    [
        ("By Dana Whitfield", "Dana Whitfield", "", ""),
        ("BY BRET ANDERS", "Bret Anders", "", ""),
        ("March 3, 2021 by Dana Whitfield, MSc 14 Comments", "Dana Whitfield, MSc", "2021-03-03", ""),
        ("by Priya N. Raman | Mar 3, 2021 | Hip Thrust, Technique | 5 comments", "Priya N. Raman", "2021-03-03", ""),
        ("Leave a Comment / Beginners / By Marta Nowak / May 12, 2020", "Marta Nowak", "2020-05-12", ""),
        ("Posted on 9th of November 2019 by Tom Håkansson in Training", "Tom Håkansson", "2019-11-09", ""),
        ("Updated June 12, 2022 • Published March 3, 2021", "", "2021-03-03", "2022-06-12"),
        ("Written by Ana van der Berg, PhD, CSCS — Updated on January 5, 2023", "Ana van der Berg, PhD, CSCS", "", "2023-01-05"),
        ("Medically reviewed by Ilse Brandt, DPT — Written by Chidi Eze on June 4, 2021", "Chidi Eze", "2021-06-04", ""),
        ("By An Do", "An Do", "", ""),
        ("By Maya Okafor and Rui Teixeira · Sep 14, 2022 · 7 min read", "Maya Okafor and Rui Teixeira", "2022-09-14", ""),
    ],
)  # fmt: skip
def test_a_byline_is_read(line: str, author: str, published: str, updated: str) -> None:
    meta = read_meta(line)
    assert meta is not None
    assert (meta.author, meta.date, meta.updated) == (author, published, updated)


@pytest.mark.parametrize(
    "line",
    [
        "By Monday you will feel it in your hips and in your hamstrings too.",
        "The study was published on March 3, 2021 and nobody has repeated it since.",
        "In one trial, led by Dana Whitfield, both groups grew.",
        "Three sets by ten repetitions",
    ],
)
def test_a_sentence_is_no_byline(line: str) -> None:
    assert read_meta(line) is None


# -- bylines of every shape below tops of every shape ------------------------------------------

TOPS = [
    "",
    "Skip to content\n\nStrongBody\n\nHome\nWorkouts\nAbout\n\n",
    "Skip to main content\nMenu\nStrong Body Blog\nScience-based lifting for all\nHome\nCart (0)\n\nHome » Blog » {title}\n\n",
    "STRONG BODY\n    Home\n    Start Here\n    Glute Guide\n    Work With Me\n\n",
    "{title} - Strong Body Blog\nSkip to content\nStrong Body Blog\nHome   About   Blog   Contact\n\n",
    "Sign In\nSubscribe\nFREE E-BOOK: 10 glute workouts! Download now\nLatest\nTrending\n\n",
    "We use cookies to give you the best experience. By using this site you agree to this.\nAccept\n\n",
]
BYLINES = [
    "By {name}\nPublished: March 15, 2021 | Updated: August 2, 2022",
    "by {name} on 15 March 2021\nLast updated 2nd August, 2022",
    "Published on 15th March, 2021 by {name} · Last updated on Aug 2, 2022",
    "Posted by {name} on 2021-03-15 (updated 2022-08-02)",
    "{name}\nMar 15, 2021\nUpdated: Aug 2, 2022",
    "Author: {name}\nDate: 2021-03-15\nLast modified: 2022-08-02",
    "Written by: {name}\nPublished Monday, March 15, 2021\nLast Updated August 2, 2022\n8 min read",
    "March 15, 2021 by {name} Leave a Comment\nLast Updated: August 2, 2022",
    "By {name} | March 15, 2021 | Training | 2 Comments\nLast Modified: August 2, 2022",
    "Updated on August 2, 2022\nBy {name}\nOriginally published March 15, 2021",
    "{name} • March 15, 2021 • Updated August 2, 2022",
    "BY {name}\nPUBLISHED MARCH 15, 2021 / UPDATED AUGUST 2, 2022",
]
REST = (
    "\n\nFacebook\nTwitter\n\nThe hip thrust loads the glutes where the squat does not, or so it is said.\n"
    "Short and sweet.\nMy advice\nDo both (Ortiz & Weber, 2015), and add load when you can.\n\n"
    "References\nOrtiz, A., & Weber, K. (2015). Thrusts and squats. Journal of Hips, 31(6), 452–458.\n\n"
    "2 Responses to {title}\n\nCheapMeds\nMarch 16, 2021\nBuy cheap pills here.\nReply\n© 2023 Strong Body Blog\n"
)


@pytest.mark.parametrize(
    "title", ["How to Build Glutes: The Science", "Hip Thrusts", "Do Squats Grow Glutes?"]
)
@pytest.mark.parametrize("name", ["Jane Smith", "Dr. María José Núñez", "Tom van der Berg"])
def test_every_byline_is_read_below_every_top(title: str, name: str) -> None:
    for top in TOPS:
        for byline in BYLINES:
            page = (
                (top + "{title}\n" + byline + REST)
                .replace("{title}", title)
                .replace("{name}", name)
            )
            article = read_text(page, source="page.txt", key="k")
            assert isinstance(article, Article), page
            assert (article.title, article.author, article.date, article.updated) == (
                title, name, "2021-03-15", "2022-08-02",
            ), page  # fmt: skip
            assert article.body.startswith("The hip thrust loads"), page
            assert article.body.rstrip().endswith("452–458."), page
