"""Exports, feeds, sitemaps, pages, Word, PDF and reference libraries."""

from __future__ import annotations

import json
import sys
import zipfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingest.cleaning import clean_text, without_shortcodes
from ingest.corpus_files import read_document
from ingest.fetching import Fetcher
from ingest.importing import Report, import_all
from ingest.sources.bibliography import read_bibtex
from ingest.sources.pdf import joined_pages
from tests.test_import_hostile import serving


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return tmp_path / "corpus"


def counts(report: Report) -> dict[str, int]:
    return dict(Counter(item.action for item in report.items))


def wxr(items: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" '
        'xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">'
        "<channel><title>Blog</title><wp:wxr_version>1.2</wp:wxr_version>"
        "<wp:base_blog_url>https://blog.example</wp:base_blog_url>"
        "<wp:author><wp:author_login>maya</wp:author_login>"
        "<wp:author_display_name><![CDATA[Maya Okafor]]></wp:author_display_name></wp:author>"
        f"{items}</channel></rss>"
    )


def wxr_item(number: int, content: str, **fields: str) -> str:
    given = {
        "post_type": "post", "status": "publish", "post_password": "",
        "post_date": "2020-02-03 04:05:06", "post_modified": "2021-03-04 05:06:07",
        "post_name": f"p{number}",
    } | fields  # fmt: skip
    inner = "".join(f"<wp:{k}>{v}</wp:{k}>" for k, v in given.items())
    return (
        f"<item><title><![CDATA[R&amp;D & rest {number}]]></title><link>https://blog.example/p{number}/</link>"
        f"<dc:creator>maya</dc:creator><content:encoded><![CDATA[{content}]]></content:encoded>"
        f'<category domain="post_tag" nicename="hips"><![CDATA[Hips]]></category>'
        f"<wp:post_id>{number}</wp:post_id>{inner}"
        "<wp:comment><wp:comment_content>Spam spam</wp:comment_content></wp:comment></item>"
    )


def write_wxr(tmp_path: Path, *items: str) -> Path:
    path = tmp_path / "export.xml"
    path.write_text(wxr("".join(items)), "utf-8")
    return path


def test_an_export_gives_its_public_posts_and_says_why_not_the_rest(
    tmp_path: Path, corpus: Path
) -> None:
    text = 'First line\nsecond line.\n\nSecond paragraph\x0b here.\n[gallery ids="1,2"]'
    path = write_wxr(
        tmp_path,
        wxr_item(1, text),
        wxr_item(2, "never", status="draft"),
        wxr_item(3, "never", post_password="x"),
        wxr_item(4, "never", post_type="page"),
        wxr_item(5, "never", status="private"),
    )
    report = import_all([str(path)], corpus)
    assert [(i.action, i.reason) for i in report.items] == [
        ("added", None),
        ("skipped", "status is draft, not publish"),
        ("skipped", "password-protected"),
        ("skipped", "a page, not a post"),
        ("skipped", "status is private, not publish"),
    ]
    article = read_document(corpus / "articles" / "p1.md", "article")
    assert article.title == "R&D & rest 1"
    assert article.meta["author"] == "Maya Okafor"
    assert (article.meta["date"], article.meta["updated"]) == (date(2020, 2, 3), date(2021, 3, 4))
    assert article.meta["tags"] == ["Hips"]
    assert article.meta["url"] == "https://blog.example/p1/"
    assert article.body.strip() == "First line\\\nsecond line.\n\nSecond paragraph here."


def test_a_post_made_private_in_a_later_export_leaves(tmp_path: Path, corpus: Path) -> None:
    import_all(
        [str(write_wxr(tmp_path, wxr_item(1, "Some words."), wxr_item(2, "More words.")))], corpus
    )
    path = write_wxr(
        tmp_path, wxr_item(1, "Some words.", status="private"), wxr_item(2, "More words.")
    )
    assert counts(import_all([str(path)], corpus)) == {"removed": 1, "unchanged": 1}
    assert [p.name for p in (corpus / "articles").glob("*.md")] == ["p2.md"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (wxr("").replace("channel", "notachannel"), "no <channel>"),
        (wxr("")[:-20], "not well-formed"),
        ("<html><body/></html>", "no WordPress export"),
    ],
    ids=["no channel", "cut off", "another XML"],
)
def test_a_damaged_export_fails_in_a_line(
    tmp_path: Path, corpus: Path, text: str, says: str
) -> None:
    (tmp_path / "bad.xml").write_text(text, "utf-8")
    report = import_all([str(tmp_path / "bad.xml")], corpus)
    assert report.exit_code == 2
    assert says in str(report.items[0].reason)


PROSE = (
    "Hips grow when they are trained hard, often enough, and with a little patience, as a rule. "
)
PAGE = f"""<!DOCTYPE html><html><head><title>Train hips | Iron Orchard</title>
<link rel="canonical" href="https://blog.example/train-hips/">
<meta property="article:published_time" content="2022-01-02T10:00:00+00:00">
<meta property="article:modified_time" content="2022-05-06T10:00:00+00:00">
<meta name="author" content="Maya Okafor"></head><body>
<nav><a href="/">Home</a> <a href="/about">About</a></nav>
<main><article><h1>Train hips</h1><p>{PROSE * 3}</p><h2>How much</h2>
<p>{PROSE * 2}More sets helped (Smith, 2010).<sup>2</sup></p>
<figure><img src="a.png"><figcaption>A hip thrust at the top.</figcaption></figure>
<ul><li>{PROSE}</li><li>{PROSE}</li></ul>
<h2>References</h2><ol><li>Smith, J. (2010). Squatting deep for growth. <i>Journal of Squats</i>, 2(1), 3–4.</li>
<li>Jones, A. (2012). Thrusting far for growth. <i>Journal of Thrusts</i>, 3(1), 5–6.</li></ol></article>
<section class="comments-area" id="comments"><h2>2 Comments</h2><p>{PROSE} says a spammer with a link.</p></section></main>
<aside><h3>Related posts</h3><a href="/x">Another post entirely</a></aside>
<footer>© Iron Orchard</footer></body></html>"""


def check_page(corpus: Path) -> None:
    (path,) = (corpus / "articles").glob("*.md")
    article = read_document(path, "article")
    assert article.title == "Train hips"
    assert article.meta["author"] == "Maya Okafor"
    assert (article.meta["date"], article.meta["updated"]) == (date(2022, 1, 2), date(2022, 5, 6))
    assert article.meta["references"] == [
        "smith-2010-squatting-deep-growth",
        "jones-2012-thrusting-far-growth",
    ]
    body = article.body
    assert "[@smith-2010-squatting-deep-growth]. [@jones-2012-thrusting-far-growth]" in body
    assert "## How much" in body
    assert "A hip thrust at the top." in body
    assert body.count("\n- ") == 2
    for furniture in ("Home", "spammer", "Related", "Iron Orchard", "Journal of Squats"):
        assert furniture not in body


def test_a_saved_page_is_cleaned_with_its_references(tmp_path: Path, corpus: Path) -> None:
    (tmp_path / "page.html").write_text(PAGE, "utf-8")
    assert counts(import_all([str(tmp_path / "page.html")], corpus)) == {"added": 1}
    check_page(corpus)


def over_http(corpus: Path, pages: dict[str, tuple[str, str]], path: str) -> Report:
    """Imports `path` from a server that has `pages` (path → content type, text)."""

    def answer(asked: str, handler: Any) -> tuple[int, dict[str, str], bytes]:
        kind, text = pages.get(asked, ("", ""))
        host = f"http://{handler.headers['Host']}"
        body = text.replace("{host}", host).encode()
        return (200 if kind else 404), {"Content-Type": kind or "text/html"}, body

    with serving(answer) as port:
        fetcher = Fetcher(allow_private=True, sleep=lambda seconds: None)
        try:
            return import_all([f"http://127.0.0.1:{port}{path}"], corpus, fetcher=fetcher)
        finally:
            fetcher.close()


def test_a_page_address_is_imported_as_one_page(corpus: Path) -> None:
    assert counts(over_http(corpus, {"/a": ("text/html", PAGE)}, "/a")) == {"added": 1}
    check_page(corpus)


FEED = f"""<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>B</title>
<item><title>One &amp;amp; only</title><link>{{host}}/one/</link><pubDate>Mon, 03 Feb 2020 04:05:06 +0000</pubDate>
<content:encoded><![CDATA[<p>{PROSE}</p>]]></content:encoded></item>
<item><title>Locked</title><link>{{host}}/two/</link>
<content:encoded><![CDATA[<form class="post-password-form"></form>]]></content:encoded></item></channel></rss>"""


def test_a_feed_gives_its_items(corpus: Path) -> None:
    report = over_http(corpus, {"/feed/": ("application/rss+xml", FEED)}, "/feed/")
    assert [(i.action, i.reason) for i in report.items] == [
        ("added", None), ("skipped", "password-protected"),
    ]  # fmt: skip
    article = read_document(corpus / "articles" / "one.md", "article")
    assert (article.title, article.meta["date"]) == ("One & only", date(2020, 2, 3))


SITEMAP = """<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>{host}/a</loc>
<lastmod>2024-01-01</lastmod></url><url><loc>{host}/missing</loc></url>
<url><loc>https://elsewhere.example/x</loc></url></urlset>"""
INDEX = """<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>{host}/sitemap-posts.xml</loc></sitemap></sitemapindex>"""


def test_a_sitemap_gives_its_pages(corpus: Path) -> None:
    pages = {
        "/sitemap.xml": ("text/xml", INDEX),
        "/sitemap-posts.xml": ("text/xml", SITEMAP),
        "/a": ("text/html", PAGE),
    }
    report = over_http(corpus, pages, "/sitemap.xml")
    assert [i.action for i in report.items] == ["added", "skipped", "skipped"]
    assert "404" in str(report.items[1].reason)
    assert report.items[2].reason == "on another site than the sitemap"
    check_page(corpus)


_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def run_xml(text: str, raised: bool = False) -> str:
    style = '<w:rPr><w:vertAlign w:val="superscript"/></w:rPr>' if raised else ""
    return f'<w:r>{style}<w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(text: str, style: str = "", extra: str = "") -> str:
    props = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{props}{text if text.startswith('<') else run_xml(text)}{extra}</w:p>"


def test_a_word_file_keeps_headings_lists_tables_and_references(
    tmp_path: Path, corpus: Path
) -> None:
    cells = "".join(f"<w:tc>{paragraph(t)}</w:tc>" for t in ("Depth", "Growth"))
    body = (
        paragraph("Squat depth", "Title")
        + paragraph("Why depth", "Heading1")
        + paragraph(
            run_xml("Deep squats grew more")
            + run_xml("1", raised=True)
            + run_xml(" than half squats.")
        )
        + paragraph("Go deep", "ListBullet")
        + paragraph("Go slow", "ListBullet")
        + f"<w:tbl><w:tr>{cells}</w:tr><w:tr>{cells}</w:tr></w:tbl>"
        + paragraph("References", "Heading1")
        + paragraph(
            "1. Kubo K, Ikebukuro T, Yata H. Effects of squat training with different depths. Eur J Appl Physiol. 2019;119:1933–1942."
        )
    )
    styles = "".join(
        f'<w:style w:styleId="{i}"><w:name w:val="{n}"/></w:style>'
        for i, n in (("Title", "Title"), ("Heading1", "heading 1"), ("ListBullet", "List Bullet"))
    )
    with zipfile.ZipFile(tmp_path / "depth.docx", "w") as archive:
        archive.writestr(
            "word/document.xml", f"<w:document {_W}><w:body>{body}</w:body></w:document>"
        )
        archive.writestr("word/styles.xml", f"<w:styles {_W}>{styles}</w:styles>")
        archive.writestr(
            "docProps/core.xml",
            '<p xmlns:dc="d" xmlns:t="t"><dc:creator>Ada Lindqvist</dc:creator><t:created>2021-02-03T00:00:00Z</t:created></p>',
        )
    assert counts(import_all([str(tmp_path / "depth.docx")], corpus)) == {"added": 1}
    article = read_document(corpus / "articles" / "squat-depth.md", "article")
    assert (article.meta["author"], article.meta["date"]) == ("Ada Lindqvist", date(2021, 2, 3))
    assert article.body.strip() == (
        "## Why depth\n\nDeep squats grew more [@kubo-2019-effects-squat-training] than half squats.\n\n"
        "- Go deep\n- Go slow\n\n| Depth | Growth |\n| --- | --- |\n| Depth | Growth |"
    )


def pdf(lines: list[str]) -> bytes:
    """A one-page PDF that shows `lines`."""
    escaped = [line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in lines]
    shown = "BT /F1 10 Tf 14 TL 40 780 Td " + " ".join(f"({t}) Tj T*" for t in escaped) + " ET"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        f"<</Length {len(shown)}>>stream\n{shown}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        "<</Title(Depth and growth)/Author(Ada Lindqvist)/CreationDate(D:20210203)>>",
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj{text}endobj\n".encode("latin-1")
    table = "".join(f"{o:010d} 00000 n \n" for o in offsets)
    return (
        out
        + (
            f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
            f"trailer<</Size {len(objects) + 1}/Root 1 0 R/Info 6 0 R>>\nstartxref\n{len(out)}\n%%EOF"
        ).encode()
    )


def test_a_pdf_is_read_with_its_references(tmp_path: Path, corpus: Path) -> None:
    lines = [
        "Depth and growth", "",
        "Deep squats grew the gluteus maximus about three times as much as half squats did over ten",
        "weeks of training in seventeen young men (Kubo, Ikebukuro, & Yata, 2019), and the quadri-",
        "ceps grew alike in both groups, which surprised some readers of the paper.", "",
        "References", "",
        "Kubo, K., Ikebukuro, T., & Yata, H. (2019). Effects of squat training with different depths.",
        "European Journal of Applied Physiology, 119(9), 1933-1942.",
    ]  # fmt: skip
    (tmp_path / "depth.pdf").write_bytes(pdf(lines))
    report = import_all([str(tmp_path / "depth.pdf")], corpus)
    assert counts(report) == {"added": 1}, report.items
    article = read_document(corpus / "articles" / "depth-and-growth.md", "article")
    assert (article.meta["author"], article.meta["date"]) == ("Ada Lindqvist", date(2021, 2, 3))
    assert "[@kubo-2019-effects-squat-training], and the quadriceps grew alike" in article.body
    assert "1933" not in article.body


def test_running_heads_and_page_numbers_of_a_pdf_go() -> None:
    words = "word " * 18
    pages = [
        f"Journal of Hips {n}\nThis is page text {n} {words}\nmore of it {words}\n{n}"
        for n in range(1, 5)
    ]
    text = joined_pages(pages)
    assert "Journal of Hips" not in text
    assert "This is page text 3" in text


def test_a_head_that_two_pages_share_goes() -> None:
    words = "word " * 18
    pages = [f"Printed today, page {n} of 2\nPage text {n} {words}" for n in (1, 2)]
    assert "Printed" not in joined_pages(pages)


PLAIN_PAGE = """<html><head><title>Thrusts and sprints</title></head><body><h1>Thrusts and sprints</h1>
<p>By Lea Voss, PhD<br>Published 4 May 2022</p>
<p>Sprinters use the hip thrust because the end of its range looks like the end of ground contact, and the glutes work hard there.</p>
<p>Others found no transfer at all. Differences in training age may explain some of that, though nobody has shown it so far.</p>
<h2>What to do</h2><p>Keep both lifts. Thrust twice a week for eight weeks, then test your sprint again on the same track and in similar weather.</p>
<ul><li>Three sets of six.</li><li>Rest for three minutes.</li></ul>
<table><tr><th>Week</th><th>Load</th></tr><tr><td>1</td><td>60 kg</td></tr></table>
<p>Then add five kilograms whenever the last set feels as if two more repetitions were left in you.</p></body></html>"""


def test_a_plain_page_keeps_its_headings_lists_and_tables(tmp_path: Path, corpus: Path) -> None:
    (tmp_path / "page.html").write_text(PLAIN_PAGE, "utf-8")
    import_all([str(tmp_path / "page.html")], corpus)
    body = read_document(corpus / "articles" / "thrusts-and-sprints.md", "article").body
    assert "\n\n## What to do\n\nKeep both lifts." in body
    assert "\n\n- Three sets of six.\n- Rest for three minutes.\n\n" in body
    assert "| Week | Load |\n| --- | --- |\n| 1 | 60 kg |" in body


def test_a_byline_in_a_pages_text_is_no_part_of_it(tmp_path: Path, corpus: Path) -> None:
    (tmp_path / "page.html").write_text(PLAIN_PAGE, "utf-8")
    import_all([str(tmp_path / "page.html")], corpus)
    article = read_document(corpus / "articles" / "thrusts-and-sprints.md", "article")
    assert (article.meta["author"], article.meta["date"]) == ("Lea Voss, PhD", date(2022, 5, 4))
    assert article.body.strip().startswith("Sprinters use")


def test_a_word_files_own_byline_goes_before_the_files_stamps(tmp_path: Path, corpus: Path) -> None:
    body = paragraph("Hips", "Title") + paragraph("By Lea Voss | 4 May 2022")
    body += paragraph("The hip thrust grows the glutes about as squats do.")
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as archive:
        archive.writestr(
            "word/document.xml", f"<w:document {_W}><w:body>{body}</w:body></w:document>"
        )
        archive.writestr(
            "docProps/core.xml",
            '<p xmlns:dc="d" xmlns:t="t"><dc:creator>Template</dc:creator><t:created>2013-12-23T00:00:00Z</t:created></p>',
        )
    import_all([str(tmp_path / "a.docx")], corpus)
    (path,) = (corpus / "articles").glob("*.md")
    article = read_document(path, "article")
    assert (article.meta["author"], article.meta["date"]) == ("Lea Voss", date(2022, 5, 4))
    assert article.body.strip() == "The hip thrust grows the glutes about as squats do."


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("[su_note]Kept words[/su_note] stay", "Kept words stay"),
        ("a[sic]b and [x]y", "a[sic]b and [x]y"),
        ("[gallery ids=”1,2″] end", " end"),
        ("do [8-12] of [2]", "do [8-12] of [2]"),
    ],
)
def test_shortcodes_go_and_other_brackets_stay(text: str, left: str) -> None:
    assert without_shortcodes(text) == left


def test_ligatures_become_letters() -> None:
    assert clean_text("\ufb01bre, sti\ufb00, mu\ufb04e") == "fibre, stiff, muffle"


def test_braces_keep_an_organisation_whole_in_bibtex() -> None:
    text = "@book{a, title={{WHO} guidelines}, author={{Centers for Hips and Knees} and Ortiz, A.}, year={2020}}"
    (item,) = read_bibtex(text, "a.bib").items
    assert item["title"] == "WHO guidelines"
    assert item["author"] == [
        {"literal": "Centers for Hips and Knees"},
        {"family": "Ortiz", "given": "A."},
    ]


BIBTEX = """@article{plotkin, title={Hip thrust and {B}ack squat}, author={Plotkin, Daniel L. and Van Every, Derrick W.},
 year={2023}, journal={Frontiers in Physiology}, doi={10.3389/fphys.2023.1279170}, pages={1--9}}
@book{notitle, author={Nobody, A.}}"""
RIS = """TY  - JOUR
AU  - Plotkin, Daniel L.
TI  - Hip thrust and back squat
PY  - 2023/05/01
JO  - Frontiers in Physiology
DO  - https://doi.org/10.3389/FPHYS.2023.1279170
ER  -
"""
CSL = json.dumps(
    [{"id": "x", "type": "article-journal", "title": "Hip thrust and back squat",
      "author": [{"family": "Plotkin", "given": "Daniel L."}], "issued": {"date-parts": [[2023, 5, 1]]},
      "DOI": "10.3389/fphys.2023.1279170", "container-title": "Frontiers in Physiology"}]
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"),
    [("lib.bib", BIBTEX), ("lib.ris", RIS), ("lib.json", CSL)],
    ids=["BibTeX", "RIS", "CSL-JSON"],
)
def test_a_reference_library_becomes_references(
    tmp_path: Path, corpus: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    report = import_all([str(tmp_path / name)], corpus)
    assert report.items[0].path == "references/plotkin-2023-hip-thrust-back.md"
    meta = read_document(corpus / report.items[0].path, "reference").meta
    assert meta["title"].lower() == "hip thrust and back squat"
    assert meta["author"][0] == {"family": "Plotkin", "given": "Daniel L."}
    assert (meta["issued"], meta["type"]) == (2023, "article-journal")
    assert meta["DOI"].lower() == "10.3389/fphys.2023.1279170"
    assert meta["container-title"] == "Frontiers in Physiology"
    again = import_all([str(tmp_path / name)], corpus)
    assert again.items[0].action == "unchanged"


def test_one_work_in_three_libraries_is_one_reference(tmp_path: Path, corpus: Path) -> None:
    for name, text in (("a.bib", BIBTEX), ("b.ris", RIS), ("c.json", CSL)):
        (tmp_path / name).write_text(text, "utf-8")
    report = import_all([str(tmp_path / n) for n in ("a.bib", "b.ris", "c.json")], corpus)
    assert counts(report) == {"added": 1, "unchanged": 2, "skipped": 1}
    assert len(list((corpus / "references").glob("*.md"))) == 1


def test_the_command_prints_one_json_document_and_nothing_else(
    tmp_path: Path, corpus: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest.__main__ import parser
    from rag.commands import run

    (tmp_path / "a.md").write_text("# Title\n\nSome words of an article.\n", "utf-8")
    monkeypatch.setattr(sys, "argv", ["ingest"])
    command = [
        "import",
        str(tmp_path / "a.md"),
        "file:///etc/passwd",
        "--corpus",
        str(corpus),
        "--json",
    ]
    assert run(parser(), command) == 2
    said = capfd.readouterr()
    document = json.loads(said.out)
    assert document["counts"] == {
        "added": 1,
        "updated": 0,
        "unchanged": 0,
        "skipped": 1,
        "removed": 0,
    }
    assert said.err.count("\n") == 1
    assert "file:///etc/passwd" in said.err
