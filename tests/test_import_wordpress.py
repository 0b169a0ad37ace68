"""A WordPress over HTTP: everything in, only what changed again, and what left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.corpus_files import read_document
from ingest.fetching import Fetcher
from ingest.importing import Report, import_all
from ingest.sources.found import Article
from ingest.sources.wordpress import Site, article_of
from tests.wordpress.server import Post, WordPress, serving

CLASSIC = """<p>Rest three minutes between hard sets 💪 — it pays&#8230;</p>
[su_note note_color=&#8221;#fff&#8221;]<p>Keep [sic] and [8-12] reps.</p>[/su_note]
[contact-form-7 id=&#8221;99&#8243; title=&#8221;Contact&#8221;]
<div class="sharedaddy"><p>Share this:</p></div>
<script>alert(1)</script>"""
BLOCKS = """<h2 class="wp-block-heading">Łydki i pośladki</h2>
<p>Squats grew the legs<sup>1</sup>, as one trial found (Kubo et al., 2019).</p>
<figure class="wp-block-image"><img src="https://x.example/a.png" alt=""/><figcaption>Half and full squat.</figcaption></figure>
<figure class="wp-block-table"><table><tbody><tr><td>Depth</td><td>Growth</td></tr><tr><td>Full</td><td>6.7%</td></tr></tbody></table></figure>
<ul class="wp-block-latest-posts__list wp-block-latest-posts"><li><a href="/x">Another post's title</a></li></ul>
<h2>References</h2>
<ol><li>Kubo, K., Ikebukuro, T., &amp; Yata, H. (2019). Effects of squat training with different depths on lower limb muscle volumes. <em>European Journal of Applied Physiology</em>, 119(9), 1933–1942. <a href="https://doi.org/10.1007/s00421-019-04181-y">https://doi.org/10.1007/s00421-019-04181-y</a></li></ol>"""


@pytest.fixture
def site() -> Iterator[WordPress]:
    with serving(WordPress()) as wordpress:
        yield wordpress


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return tmp_path / "corpus"


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def __call__(self) -> float:
        return self.now


def run(
    site: WordPress, corpus: Path, clock: Clock | None = None, *, dry_run: bool = False
) -> Report:
    clock = clock or Clock()
    fetcher = Fetcher(allow_private=True, sleep=clock.sleep, clock=clock)
    try:
        return import_all([site.base + "/"], corpus, fetcher=fetcher, dry_run=dry_run)
    finally:
        fetcher.close()


def counts(report: Report) -> dict[str, int]:
    return dict(Counter(item.action for item in report.items))


def fill(site: WordPress, count: int) -> None:
    for number in range(1, count + 1):
        body = f"<p>Paragraph of post {number}: lift a little more each week, and rest.</p>"
        site.add(Post(number, f"Post {number}", body))


def bodies(corpus: Path) -> dict[str, str]:
    return {p.name: p.read_text("utf-8") for p in sorted((corpus / "articles").glob("*.md"))}


def test_250_posts_come_in_and_a_second_run_fetches_no_content(
    site: WordPress, corpus: Path
) -> None:
    fill(site, 250)
    assert counts(run(site, corpus)) == {"added": 250}
    before = bodies(corpus)
    site.requests.clear()
    assert counts(run(site, corpus)) == {"unchanged": 250}
    assert bodies(corpus) == before
    listings = [r for r in site.requests if "wp/v2/posts" in r]
    assert len(listings) == 3
    assert all("_fields=" in r for r in listings)


def test_a_second_run_embeds_nothing_and_a_changed_post_only_itself(
    site: WordPress, corpus: Path, tmp_path: Path, exported_models: Path
) -> None:
    from ingest.index import update_index
    from rag.settings import load_settings

    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "models").symlink_to(exported_models, target_is_directory=True)
    settings = load_settings(corpus=corpus, index=tmp_path / "index")
    fill(site, 250)
    run(site, corpus)
    assert update_index(settings).embedded == 250
    run(site, corpus)
    assert update_index(settings).embedded == 0
    site.posts[57].content = "<p>Rewritten altogether, with another number of sets in it.</p>"
    site.posts[57].modified_gmt = "2024-02-01T08:00:00"
    run(site, corpus)
    assert update_index(settings).embedded == 1
    site.posts[58].status = "draft"
    run(site, corpus)
    result = update_index(settings)
    assert (result.passages, result.embedded) == (249, 0)


def test_one_changed_post_is_the_only_one_fetched_and_written(
    site: WordPress, corpus: Path
) -> None:
    fill(site, 120)
    run(site, corpus)
    before = bodies(corpus)
    site.posts[57].content = "<p>Rewritten altogether, with another number of sets in it.</p>"
    site.posts[57].modified_gmt = "2024-02-01T08:00:00"
    site.requests.clear()
    report = run(site, corpus)
    assert counts(report) == {"unchanged": 119, "updated": 1}
    changed = {name for name, text in bodies(corpus).items() if before[name] != text}
    assert changed == {"post-57.md"}
    assert [r for r in site.requests if "include=57&" in r]


@pytest.mark.parametrize(
    "change",
    [
        lambda site: site.users.update({1: "Maya Okafor-Reyes"}),
        lambda site: setattr(site.posts[3], "tags", (2,)),
        lambda site: site.terms.update({1: ("category", "Sleep")}),
    ],
    ids=["a renamed author", "an added tag", "a renamed category"],
)
def test_what_modified_gmt_does_not_show_is_seen(
    site: WordPress, corpus: Path, change: object
) -> None:
    fill(site, 5)
    run(site, corpus)
    assert callable(change)
    change(site)
    assert counts(run(site, corpus)).get("updated", 0) >= 1


def test_a_scheduled_post_that_goes_live_comes_in(site: WordPress, corpus: Path) -> None:
    fill(site, 3)
    site.posts[2].status = "future"
    site.posts[2].modified_gmt = "2023-01-01T00:00:00"
    assert counts(run(site, corpus)) == {"added": 2}
    site.posts[2].status = "publish"
    assert counts(run(site, corpus)) == {"unchanged": 2, "added": 1}


@pytest.mark.parametrize("status", ["draft", "private", "trash", "pending", "deleted"])
def test_a_post_that_left_the_public_leaves_the_corpus(
    site: WordPress, corpus: Path, status: str
) -> None:
    fill(site, 3)
    run(site, corpus)
    if status == "deleted":
        del site.posts[2]
    else:
        site.posts[2].status = status
    report = run(site, corpus)
    assert counts(report) == {"unchanged": 2, "removed": 1}
    assert sorted(bodies(corpus)) == ["post-1.md", "post-3.md"]
    assert counts(run(site, corpus)) == {"unchanged": 2}


def test_drafts_private_and_password_posts_never_come_in(site: WordPress, corpus: Path) -> None:
    fill(site, 4)
    site.posts[1].status, site.posts[2].status = "draft", "private"
    site.posts[3].password = "hunter2"
    report = run(site, corpus)
    assert sorted(bodies(corpus)) == ["post-4.md"]
    assert [i.reason for i in report.items if i.action == "skipped"] == ["password-protected"]


def test_a_post_that_gets_a_password_leaves(site: WordPress, corpus: Path) -> None:
    fill(site, 2)
    run(site, corpus)
    site.posts[1].password, site.posts[1].modified_gmt = "x", "2024-03-01T00:00:00"
    assert counts(run(site, corpus)) == {"unchanged": 1, "removed": 1}
    assert sorted(bodies(corpus)) == ["post-2.md"]


def test_too_many_requests_are_waited_out(site: WordPress, corpus: Path) -> None:
    fill(site, 150)
    left = [2]

    def busy(wordpress: WordPress, path: str) -> tuple[int, dict[str, str], bytes] | None:
        if "page=2" in path and left[0]:
            left[0] -= 1
            return 429, {"Retry-After": "7"}, b"slow down"
        return None

    site.before, clock = busy, Clock()
    assert counts(run(site, corpus, clock)) == {"added": 150}
    assert clock.slept == [7.0, 7.0]


def test_a_500_in_mid_run_is_tried_again(site: WordPress, corpus: Path) -> None:
    fill(site, 250)
    left = [1]

    def failing(wordpress: WordPress, path: str) -> tuple[int, dict[str, str], bytes] | None:
        if "page=3" in path and left[0]:
            left[0] -= 1
            return 500, {}, b"error"
        return None

    site.before = failing
    assert counts(run(site, corpus)) == {"added": 250}


def test_a_server_that_stays_broken_removes_nothing(site: WordPress, corpus: Path) -> None:
    fill(site, 150)
    run(site, corpus)
    del site.posts[1]
    site.before = lambda w, path: (503, {}, b"") if "page=2" in path else None
    report = run(site, corpus)
    assert report.exit_code == 1
    assert len(bodies(corpus)) == 150
    assert "nothing was removed" in str(report.items[-1].reason)


def test_a_post_trashed_between_pages_makes_none_other_be_missed(
    site: WordPress, corpus: Path
) -> None:
    fill(site, 250)

    def trash(wordpress: WordPress, path: str) -> None:
        if "page=2" in path and wordpress.posts[5].status == "publish":
            wordpress.posts[5].status = "trash"

    site.before = trash
    assert counts(run(site, corpus)) == {"added": 249}


def test_a_post_published_or_updated_between_pages_comes_once(
    site: WordPress, corpus: Path
) -> None:
    fill(site, 150)

    def publish(wordpress: WordPress, path: str) -> None:
        if "page=2" in path and 151 not in wordpress.posts:
            wordpress.add(Post(151, "New", "<p>Published while the pages were being read.</p>"))
            wordpress.posts[3].modified_gmt = "2024-05-05T05:05:05"
            wordpress.posts[
                3
            ].content = "<p>Updated while the pages were being read, at the end.</p>"

    site.before = publish
    assert counts(run(site, corpus)) == {"added": 151}
    site.before = None
    assert counts(run(site, corpus)) == {"unchanged": 151}
    assert "Updated while" in bodies(corpus)["post-3.md"]


def test_content_is_cleaned_and_references_are_linked(site: WordPress, corpus: Path) -> None:
    site.add(Post(1, "R&#038;D: 3 < 5 &#038; it’s <em>fine</em> 💪", CLASSIC + "\u000b", slug="rd"))
    site.add(Post(2, "Głębokość", BLOCKS, slug="depth", author=4711))
    assert counts(run(site, corpus)) == {"added": 2}
    classic = read_document(corpus / "articles" / "rd.md", "article")
    assert classic.title == "R&D: 3 < 5 & it’s fine 💪"
    assert classic.meta["tags"] == ["Recovery & Sleep"]
    assert classic.meta["author"] == "Maya Okafor"
    assert classic.body.strip() == (
        "Rest three minutes between hard sets 💪 — it pays…\n\nKeep [sic] and [8-12] reps."
    )
    blocks = read_document(corpus / "articles" / "depth.md", "article")
    assert blocks.meta["author"] is None
    assert blocks.meta["references"] == ["kubo-2019-effects-squat-training"]
    assert blocks.body.strip() == (
        "## Łydki i pośladki\n\n"
        "Squats grew the legs [@kubo-2019-effects-squat-training], as one trial found "
        "[@kubo-2019-effects-squat-training].\n\n"
        "Half and full squat.\n\n"
        "| Depth | Growth |\n| --- | --- |\n| Full | 6.7% |"
    )
    kubo = read_document(corpus / "references" / "kubo-2019-effects-squat-training.md", "reference")
    assert kubo.meta["DOI"] == "10.1007/s00421-019-04181-y"
    assert kubo.meta["volume"] == "119"


def test_two_posts_of_one_title_and_no_slug_get_two_files(site: WordPress, corpus: Path) -> None:
    site.add(Post(1, "Same", "<p>The first of two posts that share a title.</p>", slug="same"))
    site.add(Post(2, "Same", "<p>The second of two posts that share a title.</p>", slug="same"))
    assert counts(run(site, corpus)) == {"added": 2}
    assert sorted(bodies(corpus)) == ["same-2.md", "same.md"]
    assert counts(run(site, corpus)) == {"unchanged": 2}


def test_a_site_without_permalinks_is_found_by_its_announcement(
    site: WordPress, corpus: Path
) -> None:
    fill(site, 3)
    site.pretty = False
    assert counts(run(site, corpus)) == {"added": 3}


def test_a_site_that_does_not_announce_itself_is_asked(site: WordPress, corpus: Path) -> None:
    fill(site, 3)
    site.announce = False
    assert counts(run(site, corpus)) == {"added": 3}


def test_a_closed_api_is_said_with_what_else_can_be_done(site: WordPress, corpus: Path) -> None:
    fill(site, 3)
    site.closed = True
    report = run(site, corpus)
    assert report.exit_code in {1, 2}
    assert "Tools > Export" in str(report.items[0].reason)


def test_dry_run_says_everything_and_writes_nothing(site: WordPress, corpus: Path) -> None:
    fill(site, 3)
    report = run(site, corpus, dry_run=True)
    assert counts(report) == {"added": 3}
    assert not corpus.exists()


def test_maintenance_is_not_waited_for_ten_minutes(site: WordPress, corpus: Path) -> None:
    site.before = lambda w, path: (503, {"Retry-After": "600"}, b"<html>Briefly unavailable</html>")
    clock = Clock()
    report = run(site, corpus, clock)
    assert clock.slept == []
    assert "asks to wait 600 s" in str(report.items[0].reason)
    assert report.exit_code == 1


@pytest.mark.parametrize(
    ("excerpt", "summary"),
    [
        ("<p>Squats grew the legs of most people who did them. Then came thrusts.</p>\n", ""),
        ("<p>Why depth pays.</p>\n", "Why depth pays."),
        ("<p>Squats grew the legs of most [&hellip;]</p>\n", ""),
    ],
    ids=["WordPress's own, without its blocks", "a person's", "WordPress's own, cut off"],
)
def test_only_a_persons_excerpt_is_a_summary(excerpt: str, summary: str) -> None:
    row = {
        "id": 5, "link": "https://blog.example/squats/", "status": "publish",
        "title": {"rendered": "Squats"}, "excerpt": {"rendered": excerpt},
        "content": {
            "rendered": "<p>Squats grew the legs of most people who did them.</p>"
            '<ul class="wp-block-latest-posts"><li>Another post</li></ul><p>Then came thrusts.</p>',
        },
    }  # fmt: skip
    article = article_of(Site("https://blog.example/wp-json/", "https://blog.example/"), row)
    assert isinstance(article, Article)
    assert article.summary == summary
