"""The chat page, used in a browser as people use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from rag.settings import Settings
from tests.browser.conftest import Visit, serving
from tests.fakes import QUOTE, STUDY, HeldCoach

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SOURCES = "#chat .bot-row summary"
MARKERS = "#chat a[href^='#cite=']"


def ask(page: Page, question: str) -> Locator:
    """Asks, waits for the whole answer (its sources come last) and gives its first marker."""
    answers = page.locator(SOURCES).count()
    markers = page.locator(MARKERS).count()
    box = page.get_by_label("Your question")
    box.fill(question)
    box.press("Enter")
    expect(page.locator(SOURCES)).to_have_count(answers + 1)
    return page.locator(MARKERS).nth(markers)


def test_ask_open_the_quote_and_go_on(visit: Visit, site: str) -> None:
    page = visit.page
    page.goto(site)
    marker = ask(page, "are hip thrusts better than squats?")
    expect(marker).to_have_attribute("aria-haspopup", "dialog")
    marker.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("mark")).to_have_text(QUOTE)
    expect(dialog.get_by_role("heading").first).to_have_text("Hip thrust or squat?")
    expect(dialog).to_contain_text("Growth")
    expect(dialog).to_contain_text(STUDY.label)
    expect(dialog).to_contain_text("RCT · untrained adults · 34 people · 2023")
    doi = dialog.get_by_role("link", name=STUDY.doi)
    expect(doi).to_have_attribute("href", f"https://doi.org/{STUDY.doi}")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(marker).to_be_focused()
    page.get_by_role("button", name="How many sets a week?").click()
    expect(page.locator("#chat .user-row")).to_have_count(2)
    assert visit.requests_beyond(site) == []
    assert visit.complaints == []


def test_passage_text_is_never_markup(visit: Visit, site: str) -> None:
    page = visit.page
    page.goto(site)
    ask(page, "<b>bold</b> <img src=x onerror=alert(1)> [go](https://evil.example) glutes?").click()
    expect(page.get_by_role("dialog")).to_contain_text("more <b>too</b>.")
    asked = page.locator("#chat .user-row").first
    expect(asked).to_contain_text("<b>bold</b> <img src=x onerror=alert(1)> [go](https://evil.example)")
    assert page.locator("#chat").locator("b, img[src='x'], a[href^='https:']").count() == 0
    assert visit.requests_beyond(site) == []


def test_the_keyboard_alone_is_enough(visit: Visit, site: str) -> None:
    page = visit.page
    page.goto(site)
    marker = ask(page, "squats?")
    marker.focus()
    page.keyboard.press("Enter")
    close = page.get_by_role("button", name="Close the source")
    expect(close).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_an_example_starts_the_conversation(visit: Visit, site: str) -> None:
    page = visit.page
    page.goto(site)
    page.get_by_role("button", name="How many sets a week do my glutes need?").click()
    expect(page.locator(MARKERS).first).to_be_visible()
    expect(page.get_by_label("Your question")).to_have_value("")


def test_a_warning_stands_before_the_answer(visit: Visit, site: str) -> None:
    page = visit.page
    page.goto(site)
    ask(page, "knee pain when squatting")
    answer = page.locator("#chat .bot-row .prose").first
    expect(answer.locator(":scope > :first-child")).to_contain_text("Please see a clinician first.")


@pytest.mark.parametrize("question", ["?!", "x" * 10_000, "broken glutes"])
def test_bad_questions_get_a_reply_and_leave_the_page_usable(
    visit: Visit, site: str, question: str
) -> None:
    page = visit.page
    page.goto(site)
    box = page.get_by_label("Your question")
    box.fill(question)
    box.press("Enter")
    reply = page.locator("#chat .bot-row").last
    expect(reply).to_contain_text("lease")
    expect(reply).not_to_contain_text("secret")
    ask(page, "squats?")


def test_a_thumb_is_kept(visit: Visit, site: str) -> None:
    page = visit.page
    page.goto(site)
    ask(page, "squats?")
    before = _ups(page, site)
    with page.expect_response(lambda r: "/gradio_api/queue/join" in r.url):
        page.get_by_role("button", name="Like", exact=True).click()
    expect(page.get_by_role("button", name="Liked")).to_be_visible()
    page.wait_for_function(
        "([url, n]) => fetch(url).then(r => r.text()).then(t => "
        "Number((/glute_feedback_total\\{rating=\"up\"\\} ([\\d.]+)/.exec(t) || [0, 0])[1]) > n)",
        arg=[f"{site}/metrics", before],
    )


def _ups(page: Page, site: str) -> float:
    text = page.request.get(f"{site}/metrics").text()
    lines = [line for line in text.splitlines() if line.startswith('glute_feedback_total{rating="up"}')]
    return float(lines[0].split()[-1]) if lines else 0.0


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_it_fits_a_phone(visit: Visit, site: str) -> None:
    page = visit.page
    page.goto(site)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_in_viewport()
    marker = ask(page, "are hip thrusts better than squats?")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for part in ("#chat .bot-row p", "#chat details", "#chat .option"):
        edges = page.locator(part).first.bounding_box()
        frame = page.locator("#chat").bounding_box()
        assert edges
        assert frame
        assert edges["x"] >= frame["x"], part
        assert edges["x"] + edges["width"] <= frame["x"] + frame["width"], part
    for name in ("Ask", "Clear", "Copy message", "Like", "Dislike", "How many sets a week?"):
        size = page.get_by_role("button", name=name, exact=True).bounding_box()
        assert size
        assert min(size["width"], size["height"]) >= 44, name
    marker.tap()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("mark")).to_be_in_viewport()
    box = dialog.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


@pytest.mark.parametrize("visit", [{"color_scheme": "dark"}], indirect=True)
def test_it_is_dark_in_the_dark(visit: Visit, site: str) -> None:
    page = visit.page
    page.goto(site)
    ask(page, "squats?").click()
    for surface in (page.locator("#chat"), page.get_by_role("dialog")):
        colour = surface.evaluate("e => getComputedStyle(e).backgroundColor")
        red, green, blue = (int(n) for n in colour.removeprefix("rgb(").rstrip(")").split(",")[:3])
        assert red + green + blue < 200, colour


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_the_newest_warning_is_in_sight(visit: Visit, site: str) -> None:
    page = visit.page
    page.goto(site)
    for question in ("squats?", "lunges?", "knee pain on stairs", "steps?", "knee pain when squatting"):
        ask(page, question)
    log = page.locator("#chat [role=log]")
    assert log.evaluate("e => e.scrollHeight > 2 * e.clientHeight"), "the conversation is not long"
    expect(page.locator("#chat blockquote")).to_have_count(2)
    expect(page.locator("#chat blockquote").last).to_be_in_viewport(ratio=1)
    expect(page.locator("#chat blockquote").first).not_to_be_in_viewport()


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[str, HeldCoach]]:
    """(address, coach) of a page whose answers stop half-way until the coach is released."""
    coach = HeldCoach()
    with serving(coach, Settings(_env_file=None, data=tmp_path)) as address:
        yield address, coach
        coach.release.set()


def test_what_is_typed_while_an_answer_grows_stays(visit: Visit, held: tuple[str, HeldCoach]) -> None:
    page, (address, coach) = visit.page, held
    page.goto(address)
    box = page.get_by_label("Your question")
    box.fill("squats?")
    box.press("Enter")
    expect(page.locator("#chat .bot-row .prose")).to_contain_text("Over")
    expect(box).to_have_value("")
    box.fill("and lunges?")
    box.press("Enter")  # too early: it must not be lost, nor break into the answer
    coach.release.set()
    expect(page.locator(SOURCES)).to_have_count(1)
    expect(box).to_have_value("and lunges?")
    box.press("Enter")
    expect(page.locator(SOURCES)).to_have_count(2)


def test_clearing_ends_the_answer_that_grows(visit: Visit, held: tuple[str, HeldCoach]) -> None:
    page, (address, coach) = visit.page, held
    page.goto(address)
    box = page.get_by_label("Your question")
    box.fill("squats?")
    box.press("Enter")
    expect(page.locator("#chat .bot-row .prose")).to_contain_text("Over")
    with page.expect_request("**/gradio_api/cancel"):
        page.get_by_role("button", name="Clear").click()
    with page.expect_response("**/gradio_api/reset"):  # the page's last word on the answer it ended
        coach.release.set()
    expect(page.locator("#chat .message-row")).to_have_count(0)
    ask(page, "lunges?")
    expect(page.locator("#chat .user-row")).to_have_text(["lunges?"])


def test_trainers_get_a_table_of_the_studies(visit: Visit, site: str) -> None:
    page = visit.page
    page.goto(site)
    page.get_by_text("For trainers").click()
    ask(page, "squats?")
    page.locator(SOURCES).click()
    cells = page.locator("#chat details td")
    expect(cells).to_have_text(["1", STUDY.label, "RCT", "34: untrained adults"])
    expect(cells.get_by_role("link", name=STUDY.label)).to_have_attribute("href", f"https://doi.org/{STUDY.doi}")
    cells.locator("a[href^='#cite=']").click()
    expect(page.get_by_role("dialog").locator("mark")).to_have_text(QUOTE)


def test_an_answer_is_read_out_once_and_whole(visit: Visit, site: str) -> None:
    page = visit.page
    page.goto(site)
    ask(page, "squats?")
    spoken = page.locator("#glute-coach [aria-live=polite] p")
    expect(spoken).to_have_text([QUOTE])
    expect(page.locator("#chat [role=log]")).to_have_attribute("aria-live", "off")
    ask(page, "knee pain")
    expect(spoken).to_have_count(2)
    expect(spoken.last).to_contain_text("Pain at rest needs a look first.")


@pytest.mark.parametrize("visit", [{"permissions": ["clipboard-read", "clipboard-write"]}], indirect=True)
def test_a_copied_answer_is_plain_text_with_its_sources(visit: Visit, site: str) -> None:
    page = visit.page
    page.goto(site)
    ask(page, "squats?")
    page.get_by_role("button", name="Copy message").click()
    expect(page.locator("#glute-coach [aria-live=polite] p").last).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == (
        f"{QUOTE} [1]\n\n[1] Hip thrust or squat? · Growth — {STUDY.label} (RCT)"
    )
