"""The chat page, used in a browser as people use it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.fakes import QUOTE, STUDY

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
MARKERS = "#chat a[href^='#cite=']"


def ask(page: Page, question: str) -> Locator:
    """Asks and gives the first marker of the newest answer."""
    before = page.locator(MARKERS).count()
    box = page.get_by_label("Your question")
    box.fill(question)
    box.press("Enter")
    marker = page.locator(MARKERS).nth(before)
    expect(page.get_by_role("button", name="sources").or_(page.get_by_text("1 source")).last).to_be_visible()
    expect(marker).to_be_visible()
    return marker


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
    for question in ("squats?", "lunges?", "steps?", "knee pain when squatting"):
        ask(page, question)
    expect(page.locator("#chat blockquote")).to_be_in_viewport(ratio=1)
