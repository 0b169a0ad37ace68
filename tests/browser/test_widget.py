"""The widget on a page of another origin, used in a browser as readers use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Visit
from tests.fakes import QUOTE, STUDY

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def open_widget(page: Page, address: str) -> Locator:
    """Opens the chat and gives its panel."""
    page.goto(address)
    page.get_by_role("button", name="Ask the Glute Coach").click()
    panel = page.get_by_role("dialog", name="Glute Coach")
    expect(panel).to_be_visible()
    return panel


def ask(panel: Locator, question: str) -> None:
    box = panel.get_by_label("Your question")
    box.fill(question)
    box.press("Enter")


def marker_of(panel: Locator) -> Locator:
    return panel.get_by_role("button", name=f"Source 1: {STUDY.label}").last


def test_ask_open_the_quote_and_go_on(visit: Visit, site: str, blog: str) -> None:
    page = visit.page
    panel = open_widget(page, blog)
    expect(panel.get_by_label("Your question")).to_be_focused()
    ask(panel, "are hip thrusts better than squats?")
    expect(panel.get_by_role("button", name="Good answer")).to_be_visible()
    marker_of(panel).click()
    source = page.get_by_role("dialog", name="Hip thrust or squat?")
    expect(source.locator("mark")).to_have_text(QUOTE)
    expect(source).to_contain_text("RCT · untrained adults · 34 people · 2023")
    link = source.get_by_role("link", name="Read it in the article")
    expect(link).to_have_attribute(
        "href",
        "https://blog.example/thrust-or-squat#:~:text=Over%20nine%20weeks%20the%20gluteus%20maximus"
        "%20grew%20about%20equally%20in%20both%20groups.",
    )
    page.keyboard.press("Escape")
    expect(source).to_be_hidden()
    expect(panel).to_be_visible()
    expect(marker_of(panel)).to_be_focused()
    panel.get_by_role("button", name="How many sets a week?").click()
    expect(panel.get_by_role("button", name="Good answer")).to_have_count(2)
    assert visit.requests_beyond(site, blog) == []
    assert [c for c in visit.complaints if "favicon" not in c and "404" not in c] == []


def test_escape_closes_and_gives_the_focus_back(visit: Visit, site: str, blog: str) -> None:
    panel = open_widget(visit.page, blog)
    visit.page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(visit.page.get_by_role("button", name="Ask the Glute Coach")).to_be_focused()


def test_tab_goes_round_in_the_chat(visit: Visit, site: str, blog: str) -> None:
    page = visit.page
    panel = open_widget(page, blog)
    panel.get_by_label("Answer for").focus()
    page.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="New conversation")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(panel.get_by_label("Answer for")).to_be_focused()


HARSH = """<style>* { all: revert; font-size: 40px !important; letter-spacing: 9px !important; }
button, dialog, textarea, div { display: none !important; visibility: hidden !important; opacity: .1 !important; }</style>"""
STRICT = "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; script-src {site} 'unsafe-inline'; " + (
    "connect-src {site}; require-trusted-types-for 'script'; trusted-types 'none'\">"
)
TAG = "<script src='{site}/widget.js' async></script>"


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (HARSH, TAG),
        (STRICT, TAG),
        (TAG, ""),
        (TAG, TAG + TAG),
        ("", TAG.replace("async", "type='module'")),
        ("<script>Object.prototype.extra = 1; Array.prototype.extra = () => 1;</script>", TAG),
    ],
    ids=["harsh style", "strict policy", "in the head", "three tags", "a module", "changed prototypes"],
)
def test_it_works_on_any_page_and_leaves_nothing_behind(
    visit: Visit, site: str, blog: str, blog_folder: Path, head: str, body: str
) -> None:
    page = visit.page
    text = f"<!doctype html><html lang=en><title>A blog</title>{head}<h1>A post</h1>{body}</html>"
    (blog_folder / "odd.html").write_text(text.replace("{site}", site))
    page.add_init_script("window.names = new Set(Object.getOwnPropertyNames(window)).add('names')")
    panel = open_widget(page, f"{blog}/odd.html")
    ask(panel, "squats? 🍑")
    marker_of(panel).click()
    mark = page.locator("dialog mark")
    expect(mark).to_have_text(QUOTE)
    assert mark.evaluate("e => { const s = getComputedStyle(e); return [s.fontSize, s.letterSpacing, s.visibility] }") == [
        "16px", "normal", "visible",
    ]  # fmt: skip
    assert page.evaluate("Object.getOwnPropertyNames(window).filter(name => !names.has(name))") == []
    assert page.locator("#glute-coach").count() == 1
    assert visit.requests_beyond(site, blog) == []


def test_the_blogs_style_stays_out(visit: Visit, site: str, blog: str) -> None:
    panel = open_widget(visit.page, blog)
    size = panel.get_by_label("Your question").evaluate("e => getComputedStyle(e).fontSize")
    assert size == "16px"


def test_the_conversation_survives_a_reload(visit: Visit, site: str, blog: str) -> None:
    panel = open_widget(visit.page, blog)
    ask(panel, "squats?")
    expect(marker_of(panel)).to_be_visible()
    expect(panel.get_by_role("button", name="Good answer")).to_be_visible()
    panel = open_widget(visit.page, blog)
    expect(marker_of(panel)).to_be_visible()
    sent: list[dict[str, object]] = []
    visit.page.on("request", lambda r: "/api/ask" in r.url and sent.append(json.loads(r.post_data or "")))
    ask(panel, "and lunges?")
    expect(panel.get_by_role("button", name="Good answer")).to_have_count(2)
    assert [turn["role"] for turn in sent[-1]["history"]] == ["user", "assistant"]  # type: ignore[attr-defined]
    panel.get_by_role("button", name="New conversation").click()
    expect(panel.get_by_role("button", name="Good answer")).to_have_count(0)


def test_only_new_text_is_read_out(visit: Visit, site: str, blog: str) -> None:
    panel = open_widget(visit.page, blog)
    spoken = panel.locator("[aria-live=polite]")
    ask(panel, "squats?")
    expect(spoken.locator("p")).to_have_text([QUOTE])
    ask(panel, "knee pain")
    expect(spoken.locator("p")).to_have_text([QUOTE, f"Pain at rest needs a look first. {QUOTE}"])


def test_a_warning_stands_before_the_answer(visit: Visit, site: str, blog: str) -> None:
    panel = open_widget(visit.page, blog)
    ask(panel, "knee pain when squatting")
    box = panel.get_by_role("note")
    expect(box).to_contain_text("Please see a clinician first.")
    assert box.evaluate("e => e.nextElementSibling.localName") == "p"


def test_a_thumb_is_sent(visit: Visit, site: str, blog: str) -> None:
    panel = open_widget(visit.page, blog)
    ask(panel, "squats?")
    down = panel.get_by_role("button", name="Bad answer")
    with visit.page.expect_response(f"{site}/api/feedback") as sent:
        down.click()
    assert sent.value.status == 201
    expect(down).to_have_attribute("aria-pressed", "true")
    expect(panel.get_by_text("Thank you.")).to_be_visible()


def test_a_site_that_is_not_allowed_sees_no_button_and_its_owner_learns_why(
    visit: Visit, site: str, stranger: str
) -> None:
    page = visit.page
    with page.expect_console_message(lambda m: m.type == "warning") as warned:
        page.goto(stranger)
    assert "GLUTE_ALLOWED_ORIGINS" in warned.value.text
    expect(page.get_by_role("button", name="Ask the Glute Coach")).to_have_count(0)


def test_a_refusal_names_what_to_ask_once(visit: Visit, site: str, blog: str) -> None:
    panel = open_widget(visit.page, blog)
    ask(panel, "how is the weather?")
    expect(panel.get_by_role("button", name="How many sets a week?")).to_be_visible()
    expect(panel.locator(".turn").last).to_contain_text("I only know about glute training.")
    expect(panel.locator(".turn").last).not_to_contain_text("You could ask me")


@pytest.mark.parametrize(
    ("status", "headers", "body", "words"),
    [
        (429, {"Retry-After": "7"}, '{"error":{"code":"x","message":"later"}}', "try again in 7 s"),
        (500, {}, "<h1>Traceback</h1>", "cannot answer at the moment"),
        (200, {"Content-Type": "text/event-stream"}, 'event: token\ndata: {"text": "Half"}\n\n', "cut off"),
    ],
    ids=["too many", "server error", "cut stream"],
)
def test_trouble_is_told_and_can_be_tried_again(
    visit: Visit, site: str, blog: str, status: int, headers: dict[str, str], body: str, words: str
) -> None:
    page = visit.page
    panel = open_widget(page, blog)
    shared = {
        "Access-Control-Allow-Origin": blog,
        "Access-Control-Expose-Headers": "Retry-After",
        "Access-Control-Allow-Headers": "content-type",
    }

    def fail(route: Route) -> None:
        route.fulfill(status=status, headers=shared | headers, body=body)

    page.clock.install()
    page.route("**/api/ask", fail)
    ask(panel, "squats?")
    expect(panel.get_by_role("alert")).to_contain_text(words)
    page.unroute("**/api/ask")
    again = panel.get_by_role("button", name="Try again")
    if status == 429:
        expect(again).to_be_disabled()
    page.clock.fast_forward(8000)
    again.click()
    page.clock.run_for(100)
    expect(marker_of(panel)).to_be_visible()


def test_being_offline_is_told(visit: Visit, site: str, blog: str) -> None:
    panel = open_widget(visit.page, blog)
    visit.page.context.set_offline(True)
    ask(panel, "squats?")
    expect(panel.get_by_role("alert")).to_contain_text("offline")
    visit.page.context.set_offline(False)
    panel.get_by_role("button", name="Try again").click()
    expect(marker_of(panel)).to_be_visible()


# Cuts what the server sends into single bytes, through "🍑", "\r\n" and field names alike.
_CUT = """
const whole = window.fetch;
window.fetch = async (...given) => {
  const response = await whole(...given);
  if (!String(given[0]).includes("/api/ask")) return response;
  const text = (await response.text()).replaceAll("\\n", "\\r\\n");
  const bytes = new TextEncoder().encode(": a comment\\r\\n\\r\\n" + text);
  const body = new ReadableStream({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  return new Response(body, { status: response.status, headers: response.headers });
};
"""


def test_a_stream_may_be_cut_anywhere(visit: Visit, site: str, blog: str) -> None:
    visit.page.add_init_script(_CUT)
    panel = open_widget(visit.page, blog)
    ask(panel, "squats? 🍑")
    expect(marker_of(panel)).to_be_visible()
    expect(panel.get_by_role("button", name="Good answer")).to_be_visible()


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_on_a_phone_it_fills_the_screen(visit: Visit, site: str, blog: str) -> None:
    panel = open_widget(visit.page, blog)
    visit.page.wait_for_function(
        "document.querySelector('#glute-coach').shadowRoot.querySelector('.panel').getAnimations().length === 0"
    )
    assert panel.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    ask(panel, "squats?")
    marker_of(panel).tap()
    expect(visit.page.locator("dialog mark")).to_be_in_viewport()


@pytest.mark.parametrize("visit", [{"reduced_motion": "reduce"}], indirect=True)
def test_nothing_moves_for_those_who_asked(visit: Visit, site: str, blog: str) -> None:
    panel = open_widget(visit.page, blog)
    assert panel.evaluate("e => getComputedStyle(e).animationName") == "none"


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_the_newest_warning_is_in_sight(visit: Visit, site: str, blog: str) -> None:
    panel = open_widget(visit.page, blog)
    for number, question in enumerate(("squats?", "lunges?", "steps?", "knee pain"), start=1):
        ask(panel, question)
        expect(panel.get_by_role("button", name="Good answer")).to_have_count(number)
    expect(panel.get_by_role("note")).to_be_in_viewport(ratio=1)
