"""Input that means harm: refused in a line, memory bounded, the rest imported."""

from __future__ import annotations

import gzip
import io
import re
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ingest.fetching import AddressRefused, Fetcher, FetchError, check_address
from ingest.importing import Report, import_all
from ingest.sources.pdf import read_pdf
from rag.errors import CorpusError
from tests.work import Work

Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def serving(answer: Callable[[str, Any], Answer | None]) -> Iterator[int]:
    """A server on this machine; `answer` may write to the connection itself and return None."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = answer(self.path, self)
            if given is None:
                return
            status, headers, body = given
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    )
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def fetcher(**options: Any) -> Fetcher:
    return Fetcher(sleep=lambda seconds: None, **options)


def one(report: Report) -> tuple[str, str, int]:
    (item,) = report.items
    return item.action, str(item.reason), report.exit_code


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.8", "192.168.1.1", "172.16.4.4", "100.64.0.1", "0.0.0.0", "169.254.169.254",
        "::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::", "224.0.0.1", "255.255.255.255", "::",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(address, allow_private=False)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0"])
def test_link_local_is_refused_even_where_private_is_allowed(address: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(address, allow_private=True)


def test_public_and_allowed_addresses_pass() -> None:
    check_address("93.184.216.34", allow_private=False)
    check_address("2606:2800:220:1::1", allow_private=False)
    check_address("127.0.0.1", allow_private=True)
    check_address("192.168.1.1", allow_private=True)


@pytest.mark.parametrize(
    "source", ["file:///etc/passwd", "ftp://x.example/a", "gopher://x.example/"]
)
def test_other_schemes_are_refused(tmp_path: Path, source: str) -> None:
    action, reason, code = one(import_all([source], tmp_path / "corpus"))
    assert (action, code) == ("skipped", 2)
    assert "only http and https" in reason


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"])
def test_loopback_is_refused_in_every_spelling(tmp_path: Path, host: str) -> None:
    action, reason, code = one(import_all([f"http://{host}:9/"], tmp_path / "corpus"))
    assert (action, code) == ("skipped", 2)
    assert "--allow-private" in reason


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/", "file:///etc/passwd"])
def test_a_redirect_is_checked_like_the_address_itself(tmp_path: Path, target: str) -> None:
    with serving(lambda path, handler: (302, {"Location": target}, b"")) as port:
        report = import_all(
            [f"http://127.0.0.1:{port}/post"],
            tmp_path / "corpus",
            fetcher=fetcher(allow_private=True),
        )
    action, reason, code = one(report)
    assert (action, code) == ("skipped", 2)
    assert "refused" in reason


def test_a_redirect_to_loopback_is_refused_without_a_connection() -> None:
    seen: list[str] = []
    names = {"blog.example": ["127.0.0.1"]}

    def resolve(host: str, port: int) -> Sequence[str]:
        seen.append(host)
        return names.get(host, [host])

    with pytest.raises(AddressRefused):
        fetcher(resolve=resolve).get("http://blog.example/")
    assert seen == ["blog.example"]


def test_a_name_that_changes_its_address_is_reached_only_where_it_was_checked() -> None:
    """DNS rebinding: the second answer is loopback; it is never asked for."""
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])

    def resolve(host: str, port: int) -> Sequence[str]:
        return next(answers)

    with serving(lambda path, handler: (200, {}, b"here")) as port:
        reader = fetcher(allow_private=True, resolve=resolve)
        assert reader.get(f"http://blog.example:{port}/").body == b"here"
        with pytest.raises(AddressRefused):
            reader.get(f"http://blog.example:{port}/again")


def test_any_private_address_among_several_refuses_the_name() -> None:
    with pytest.raises(AddressRefused):
        fetcher(resolve=lambda host, port: ["93.184.216.34", "10.0.0.1"]).get("http://x.example/")


def test_a_huge_page_is_refused_before_it_is_read() -> None:
    headers = {"Content-Length": str(200 * 1024 * 1024), "Content-Type": "text/html"}
    with (
        serving(lambda path, handler: (200, headers, b"<p>")) as port,
        pytest.raises(FetchError, match="larger than 20 MB"),
    ):
        fetcher(allow_private=True).get(f"http://127.0.0.1:{port}/")


def test_a_huge_page_without_a_length_is_cut_off() -> None:
    sent = [0]

    def endless(path: str, handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        block = b"<p>more</p>" * 6000
        try:
            while sent[0] < 200 * 1024 * 1024:
                handler.wfile.write(block)
                sent[0] += len(block)
        except OSError:
            return

    with serving(endless) as port, pytest.raises(FetchError, match="larger than 1 MB"):
        fetcher(allow_private=True, max_bytes=1024 * 1024).get(f"http://127.0.0.1:{port}/")
    assert sent[0] < 100 * 1024 * 1024


def test_a_compressed_bomb_is_cut_off_while_it_is_unpacked() -> None:
    bomb = gzip.compress(b"\0" * (64 * 1024 * 1024))
    headers = {"Content-Encoding": "gzip", "Content-Length": str(len(bomb))}
    with (
        serving(lambda path, handler: (200, headers, bomb)) as port,
        pytest.raises(FetchError, match="larger than 20 MB"),
    ):
        fetcher(allow_private=True).get(f"http://127.0.0.1:{port}/")


def test_a_server_that_drips_is_not_waited_for() -> None:
    ticks = iter(range(0, 100_000, 90))

    def drip(path: str, handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(50):
                handler.wfile.write(b"x" * 70_000)
        except OSError:
            return

    with serving(drip) as port, pytest.raises(FetchError, match="not read to its end"):
        Fetcher(allow_private=True, clock=lambda: float(next(ticks)), sleep=lambda s: None).get(
            f"http://127.0.0.1:{port}/", tries=1
        )


def test_redirects_in_a_circle_end() -> None:
    with (
        serving(lambda path, handler: (302, {"Location": path + "x"}, b"")) as port,
        pytest.raises(FetchError, match="redirects"),
    ):
        fetcher(allow_private=True).get(f"http://127.0.0.1:{port}/a")


# -- files -------------------------------------------------------------------------------------


def sparse(path: Path, megabytes: int) -> Path:
    with path.open("wb") as file:
        file.write(b"<html><body><p>big</p>")
        file.truncate(megabytes * 1024 * 1024)
    return path


def docx(path: Path, document: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", document)
    return path


_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
BILLION_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><rss><channel><title>&j;</title></channel></rss>"
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    "<rss><channel><title>&x;</title></channel></rss>"
)


def pdf_with_loop(path: Path) -> Path:
    """A page tree whose only child is itself."""
    parts = [
        b"%PDF-1.4\n",
        b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n",
        b"2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\n",
    ]
    offsets = [sum(map(len, parts[:n])) for n in (1, 2)]
    body = b"".join(parts)
    xref = b"xref\n0 3\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % o for o in offsets)
    trailer = b"trailer<</Size 3/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(body)
    path.write_bytes(body + xref + trailer)
    return path


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda d: sparse(d / "page.html", 200), "200 MB"),
        (lambda d: sparse(d / "page.txt", 200), "200 MB"),
        (lambda d: docx(d / "bomb.docx", b"<w>" + b" " * (60 * 1024 * 1024)), "unpacks to 60 MB"),
        (lambda d: docx(d / "laughs.docx", BILLION_LAUGHS.encode()), "entities"),
        (lambda d: (d / "x.docx", (d / "x.docx").write_bytes(b"PK\x03\x04 no zip"))[0], "no readable"),
        (lambda d: (d / "l.xml", (d / "l.xml").write_text(BILLION_LAUGHS))[0], "entities"),
        (lambda d: (d / "o.xml", (d / "o.xml").write_text(OUTSIDE))[0], "entities"),
        (lambda d: (d / "b.pdf", (d / "b.pdf").write_bytes(b"%PDF-1.7 nothing"))[0], "PDF"),
        (lambda d: pdf_with_loop(d / "loop.pdf"), "PDF"),
        (lambda d: (d / "a.exe", (d / "a.exe").write_bytes(b"MZ"))[0], "none of"),
        (lambda d: (d / "n.md", (d / "n.md").write_bytes(bytes(range(256)) * 40))[0], "binary"),
        (lambda d: (d / "p.txt", (d / "p.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + b"a" * 99))[0], "binary"),
    ],
    ids=[
        "a huge page", "a huge text", "a zip bomb", "entities in a docx", "a broken zip",
        "an entity bomb", "an outside entity", "a broken pdf", "a pdf that loops", "a program", "noise named .md", "a picture named .txt",
    ],
)  # fmt: skip
def test_a_hostile_file_is_refused_and_the_rest_imported(
    tmp_path: Path, make: Callable[[Path], Path], says: str
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = make(folder)
    alone = import_all([str(path)], tmp_path / "one")
    action, reason, code = one(alone)
    assert (action, code) == ("skipped", 2)
    assert says in reason
    assert "\n" not in reason
    (folder / "zz.md").write_text("# Fine\n\nThis article has nothing wrong with it.\n")
    report = import_all([str(folder)], tmp_path / "two")
    assert [i.action for i in report.items] == ["skipped", "added"]
    assert report.exit_code == 0


def test_a_pdf_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="does it loop"):
        read_pdf(pdf_with_loop(tmp_path / "a.pdf"), source="a.pdf", key="k", seconds=0.001)


def test_a_folder_never_leads_outside_itself(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("# Secret\n\nNobody should ever read this text here.\n")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link.md").symlink_to(tmp_path / "secret.md")
    report = import_all([str(folder)], tmp_path / "corpus")
    assert [(i.action, i.reason) for i in report.items] == [("skipped", "leads out of the folder")]


def test_text_that_looks_like_a_citation_or_markup_cites_nothing(tmp_path: Path) -> None:
    page = (
        "<html><head><title>Injection</title></head><body><article><h1>Injection</h1><p>"
        + "Ordinary words about training the hips come first, so that this is an article. " * 4
        + "Says @plotkin-2023-thrust. "
        + "Then [@plotkin-2023] and &lt;script&gt;alert(1)&lt;/script&gt; *stars* stand here.</p>"
        + "</article></body></html>"
    )
    (tmp_path / "page.html").write_text(page)
    import_all([str(tmp_path / "page.html")], tmp_path / "corpus")
    (path,) = (tmp_path / "corpus" / "articles").glob("*.md")
    body = path.read_text()
    from ingest.markdown import sections_of

    (section,) = sections_of(body.split("---\n", 2)[2])
    (paragraph,) = section.paragraphs
    assert paragraph.mentions == ()
    assert paragraph.text.endswith(
        "Says (@plotkin-2023-thrust). Then (@plotkin-2023) and <script>alert(1)</script> *stars* stand here."
    )


def test_deeply_nested_html_is_read_or_refused(tmp_path: Path) -> None:
    words = "Deep words about hips that are an article after all, said at some length. " * 5
    page = "<html><body>" + "<div>" * 20_000 + f"<p>{words}</p>" + "</div>" * 20_000
    (tmp_path / "deep.html").write_text(page)
    report = import_all([str(tmp_path / "deep.html")], tmp_path / "corpus")
    assert len(report.items) == 1


def test_the_naughty_bytes_of_a_zip_are_never_written_outside(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../evil.txt", "x")
        archive.writestr(
            "word/document.xml",
            f'<w:document xmlns:w="{_W}"><w:body><w:p><w:r><w:t>Some words of an article.</w:t></w:r></w:p>'
            "</w:body></w:document>",
        )
    (tmp_path / "a.docx").write_bytes(buffer.getvalue())
    report = import_all([str(tmp_path / "a.docx")], tmp_path / "corpus")
    assert [i.action for i in report.items] == ["added"]
    assert not list(tmp_path.parent.glob("evil.txt"))


def test_yaml_aliases_that_unfold_to_megabytes_stay_small(tmp_path: Path) -> None:
    """Nine levels of nine aliases each: written out, some 25 MB in one field."""
    levels = ["l0: &l0 [x,x,x,x,x,x,x,x,x]"]
    levels += [f"l{n}: &l{n} [{','.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 8)]
    text = "\n".join(["---", *levels, "title: Hips", "tags: *l7", "---", "", "Words about hips."])
    (tmp_path / "bomb.md").write_text(text)
    report = import_all([str(tmp_path / "bomb.md")], tmp_path / "corpus")
    assert [i.action for i in report.items] == ["added"]
    assert (tmp_path / "corpus" / "articles" / "hips.md").stat().st_size < 2000


def test_an_endless_title_in_a_library_is_skipped_and_not_printed(tmp_path: Path) -> None:
    (tmp_path / "a.ris").write_text(f"TY  - JOUR\nTI  - {'x' * 2_000_000}\nER  - \n")
    report = import_all([str(tmp_path / "a.ris")], tmp_path / "corpus")
    assert [i.reason for i in report.items] == ["entry 1: a title of 2000000 characters"]
    assert not list((tmp_path / "corpus").rglob("*.md"))


@pytest.mark.parametrize(
    ("meta", "path"),
    [
        ("title: con", "articles/article-con.md"),
        ("title: Nul", "articles/article-nul.md"),
        ("title: LPT1", "articles/article-lpt1.md"),
        ("title: Hips\nslug: ../../../evil", "articles/evil.md"),
        ("title: Hips\nslug: C:\\windows\\hips", "articles/c-windows-hips.md"),
        ("title: Console", "articles/console.md"),
    ],
)
def test_a_name_is_one_that_every_system_can_hold(tmp_path: Path, meta: str, path: str) -> None:
    (tmp_path / "a.md").write_text(f"---\n{meta}\n---\n\nWords about hips that say enough.\n")
    report = import_all([str(tmp_path / "a.md")], tmp_path / "corpus")
    assert [i.path for i in report.items] == [path]


def test_marks_that_turn_text_around_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        "# Good \u202eevil\u202c title\n\nWords\u2066 about hips.\n", "utf-8"
    )
    import_all([str(tmp_path / "a.md")], tmp_path / "corpus")
    text = (tmp_path / "corpus" / "articles" / "good-evil-title.md").read_text("utf-8")
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        pytest.param("txt", "Line {n} has words of its own\n", id="lines"),
        pytest.param("txt", "Anna Berg\nMar 15, 2021\n", id="names and dates"),
        pytest.param("txt", "A heading {n}\n\nA sentence about hips stands here.\n\n", id="headings"),
        pytest.param("txt", "squat\t{n}\t3 x 10\n", id="a table"),
        pytest.param("md", "- item {n}\n", id="a list"),
        pytest.param("md", "It grew (Smith, 2010) in trial {n} and [3] too.\n", id="citations"),
    ],
)
def test_a_long_text_takes_work_in_proportion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, line: str
) -> None:
    work = Work(monkeypatch, "ingest")

    def take(lines: int) -> tuple[int, int]:
        path = tmp_path / f"a{lines}.{kind}"
        path.write_text("".join(line.replace("{n}", str(n)) for n in range(lines)))
        return work.measured(lambda: import_all([str(path)], tmp_path / f"corpus{lines}"))

    take(50)  # what is done once only: imports, caches
    # Three sizes: what is done once, however much, cancels out of the differences.
    sizes = [take(450), take(650), take(850)]
    for once, twice, thrice in zip(*sizes, strict=True):
        assert thrice - twice <= 1.2 * (twice - once)


def test_one_endless_line_is_read(tmp_path: Path) -> None:
    """A pattern that goes back over a line again and again would never end here."""
    (tmp_path / "a.txt").write_text("By Anna Berg (Smith, 2010) " * 40_000)
    assert len(import_all([str(tmp_path / "a.txt")], tmp_path / "corpus").items) == 1
