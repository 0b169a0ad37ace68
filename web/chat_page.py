"""The chat page. The only module that knows Gradio."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from rag.errors import QuestionError, RagError
from rag.types import Answer, Citation, Final, Sources, Token
from web.asking import Desk, TooManyError, checked_question
from web.feedback import Feedback
from web.pieces import answer_markdown, folded_sources, linked, plain

if TYPE_CHECKING:
    import gradio as gr

log = logging.getLogger(__name__)

EXAMPLES = (
    "Are hip thrusts better than squats for glutes?",
    "How many sets a week do my glutes need?",
    "What should my first eight weeks look like?",
    "My lower back hurts when I do hip thrusts. What can I change?",
)
FOLLOW_UPS = 3
CONCURRENT_ANSWERS = 8

_INTRO = """# Glute Coach
Quoted from articles and studies. Open a number to read the quote in its place and the study behind it."""
_FOOTNOTE = (
    "General information, not medical advice. With pain, an injury, an illness or a pregnancy, ask a clinician."
)
_EMPTY = "## What would you like to know?\nAsk in your own words, or start from an example."
_TROUBLE = "Something went wrong on our side. Please ask again in a moment."

_HEAD = """
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="Answers about glute training with the passage and the study behind every statement.">
<script src="/widget.js" data-page></script>
"""

_CSS = """
html, body { height: 100%; }
.gradio-container {
  width: 100% !important; max-width: 52rem !important; margin: 0 auto !important; min-height: 0 !important;
  --quiet: #475569; --accent: #0f766e; --edge: #cbd5e1;
}
.dark .gradio-container, .gradio-container.dark { --quiet: #b6c2d1; --edge: #475569; }
.gradio-container .main { padding: .9rem 1rem .6rem !important; }
/* The conversation takes what the other parts leave of the window, whatever their heights. */
.gradio-container .column:has(> #chat) {
  height: calc(100dvh - 1.6rem); min-height: 30rem; display: flex; flex-direction: column; flex-wrap: nowrap; gap: .6rem;
}
.gradio-container .column:has(> #chat) > * { flex: 0 0 auto; }
#chat {
  flex: 1 1 0 !important; height: auto !important; min-height: 0;
  border: 1px solid var(--edge); border-radius: 14px; box-shadow: none;
}
#intro h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; }
#intro p, #footnote p { color: var(--quiet); margin: .15rem 0 0; }
#footnote p { font-size: .82rem; text-align: center; }
#audience { padding: 0; border: 0; background: none; box-shadow: none; overflow: visible !important; }
#audience .wrap { gap: .5rem; }
#audience label { min-height: 2.75rem; padding: .35rem .9rem; box-shadow: none; border: 1px solid var(--edge); border-radius: 12px; }
#audience label.selected { background: var(--accent); border-color: var(--accent); color: #fff; }
#audience label:focus-within { outline: 3px solid #14b8a6; outline-offset: 2px; }
#chat .message { font-size: 1rem; line-height: 1.6; box-shadow: none; color: var(--body-text-color); }
#chat .message p { color: inherit; }
#chat .prose { opacity: 1; }
#chat .prose > :last-child { margin-bottom: 0; }
#chat .message-row { margin: .35rem 1rem; }
#chat .message-buttons-right { display: none; }
#chat .user-row { padding-right: 0; }
#chat .user.message {
  padding: .5rem .85rem; border: 0; border-radius: 14px 14px 4px 14px; background: #d5efec; color: #0b3f3b; max-width: 36rem;
}
.dark #chat .user.message { background: #17514b; color: #e6fbf7; }
#chat .bot.message { padding: .25rem .1rem; background: none; border-color: transparent; }
#chat .message-row.bot-row { width: auto; max-width: none; margin-inline: 1rem; align-self: stretch; }
#chat .bot-row .flex-wrap { width: 100%; max-width: 100%; margin-inline: 0; }
#chat .icon-button { min-width: 2.25rem; min-height: 2.25rem; color: var(--quiet); }
/* Clearing stands beside the choice of readers, where it covers no text. */
#chat { overflow: visible !important; }
#chat .icon-button-wrapper.top-panel { top: -3.4rem; right: 0; padding: 0; border: 0; background: none; box-shadow: none; }
#chat .icon-button-wrapper.top-panel .icon-button {
  min-width: 2.75rem; min-height: 2.75rem; border: 1px solid var(--edge); border-radius: 12px; background: var(--background-fill-primary);
}
#chat button:focus-visible, #ask:focus-visible, #chat summary:focus-visible { outline: 3px solid #14b8a6; outline-offset: 2px; }
#chat .scroll-down-button-container { display: none; }
#chat a[href^="#cite="] {
  position: relative; display: inline-block; min-width: 1.75em; padding: .05em .45em; margin: 0 .1em;
  border-radius: .5em; background: #d5efec; color: #0b4f4a; font-size: .8em; font-weight: 700;
  line-height: 1.6; text-align: center; text-decoration: none; vertical-align: .1em;
}
/* A finger gets more than the eye. */
#chat a[href^="#cite="]::after { content: ""; position: absolute; inset: -.75em -.6em; }
#chat a[href^="#cite="]:hover { background: #b5e2dc; }
#chat a[href^="#cite="]:focus-visible { outline: 3px solid #0f766e; outline-offset: 2px; }
.dark #chat a[href^="#cite="] { background: #17514b; color: #d6fbf5; }
.dark #chat a[href^="#cite="]:focus-visible { outline-color: #2dd4bf; }
#chat blockquote {
  margin: .2rem 0 .8rem; padding: .7rem .9rem; border: 1px solid #d97706; border-left-width: 6px;
  border-radius: 8px; background: #fff7e0; font-style: normal;
}
#chat blockquote * { color: #6b3a08; margin: 0; }
.dark #chat blockquote { background: #3a2a0b; border-color: #f59e0b; }
.dark #chat blockquote * { color: #fde7b8; }
#chat details { margin-top: .9rem; border: 1px solid var(--edge); border-radius: 10px; font-size: .9rem; }
#chat summary { padding: .6rem .9rem; cursor: pointer; font-weight: 600; border-radius: 10px; }
#chat details > :not(summary) { margin: 0 .9rem .8rem; }
#chat details ul { padding-left: 0; list-style: none; }
#chat details li { margin: 0 0 .5rem; line-height: 1.45; }
#chat .prose > table { display: table; width: 100%; margin: .8rem 0; border-collapse: collapse; font-size: .9rem; }
#chat .prose > table :is(th, td) {
  padding: .4rem .5rem; border: 0; border-bottom: 1px solid var(--edge); text-align: left; vertical-align: top;
  line-height: 1.4; white-space: normal; word-break: normal; overflow-wrap: break-word; background: none;
}
#chat .prose > table :is(th, td:first-child) { font-weight: 600; }
#chat details table { display: table; width: calc(100% - 1.8rem); border-collapse: collapse; font-size: .85rem; }
#chat details :is(th, td) {
  padding: .45rem .5rem; border: 0; border-bottom: 1px solid var(--edge); text-align: left; vertical-align: top;
  line-height: 1.4; white-space: normal; word-break: normal; overflow-wrap: normal; background: none;
}
#chat details th { color: var(--quiet); font-weight: 600; }
#chat .placeholder-content, #chat .placeholder { text-align: center; }
#chat .placeholder h2 { margin: 0 0 .3rem; font-size: 1.2rem; }
#chat .examples { grid-template-columns: 1fr 1fr !important; }
#chat .example {
  padding: .7rem .9rem; border: 1px solid var(--edge); border-radius: 12px;
  background: var(--background-fill-secondary); text-align: left;
}
#chat .example:hover, #chat .option:hover { border-color: var(--accent); }
#chat .options { display: flex; flex-flow: row wrap; justify-content: flex-start; align-self: stretch; gap: .5rem; margin: .4rem 1rem 1rem; padding: 0; max-width: none; width: auto; }
#chat .option {
  width: auto; max-width: 100%; min-height: 2.75rem; padding: .4rem .9rem; border: 1px solid var(--edge); border-radius: 14px;
  background: var(--background-fill-secondary); color: var(--body-text-color); font-size: .92rem; text-align: left; white-space: normal;
}
#ask-row { flex-wrap: nowrap; align-items: stretch; gap: .5rem; }
#question { min-width: 0 !important; padding: 0 !important; border: 0; background: none; overflow: visible; }
#question textarea {
  min-height: 2.9rem; font-size: 1rem; padding: .65rem .85rem; border: 1px solid var(--edge); border-radius: 12px;
}
#question textarea:focus-visible { outline: 3px solid #14b8a6; outline-offset: 1px; }
#question textarea::placeholder { color: var(--quiet); opacity: 1; }
#ask { background: var(--accent); color: #fff; min-height: 2.9rem; flex: 0 0 5.5rem; border-radius: 12px; }
@media (max-width: 640px) {
  .gradio-container .main { padding: .6rem .75rem .4rem !important; }
  .gradio-container .column:has(> #chat) { height: calc(100dvh - 1.1rem); gap: .5rem; }
  #intro h1 { font-size: 1.25rem; }
  #intro p { font-size: .85rem; line-height: 1.35; }
  #audience .wrap { flex-wrap: nowrap; gap: .4rem; padding-right: 3.2rem; }
  #audience label { flex: 1; min-width: 0; font-size: .88rem; padding: .35rem .6rem; }
  #chat .message-row, #chat .message-row.bot-row { margin-inline: .6rem; }
  #chat .options { margin-inline: .6rem; }
  #chat .icon-button { min-width: 2.75rem; min-height: 2.75rem; }
  #ask { flex-basis: 4.25rem; min-width: 0 !important; padding: 0; }
  #footnote p { font-size: .75rem; line-height: 1.3; }
  #chat details > :not(summary) { margin: 0 .4rem .6rem; }
  #chat details table { width: calc(100% - .8rem); font-size: .78rem; }
  #chat details :is(th, td) { padding: .4rem .25rem; }
  #chat .examples { grid-template-columns: 1fr !important; gap: .4rem; padding: .4rem; }
  #chat .example { padding: .55rem .75rem; min-height: 2.75rem; }
  #chat .placeholder { padding: .5rem; }
}
@media (prefers-reduced-motion: reduce) {
  .gradio-container *, .gradio-container *::before, .gradio-container *::after {
    animation-duration: .01ms !important; transition: none !important; scroll-behavior: auto !important;
  }
}
"""


def mount_chat_page(app: FastAPI, desk: Desk) -> None:
    """Serves the page at /; routes that `app` has already go first."""
    _stay_offline()
    import gradio as gr

    gr.mount_gradio_app(
        app,
        _page(desk),
        path="/",
        theme=gr.themes.Soft(primary_hue="teal", neutral_hue="slate", font=["system-ui", "sans-serif"]),
        css=_CSS,
        head=_HEAD,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        show_error=False,
        max_file_size=0,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
    )


def _stay_offline() -> None:
    """Gradio reads these when it is imported; each switches off a call to another host."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("HF_HUB_OFFLINE", "1")


def _page(desk: Desk) -> gr.Blocks:
    import gradio as gr

    page: gr.Blocks
    with gr.Blocks(title="Glute Coach", analytics_enabled=False) as page:
        turns = gr.State([])
        gr.Markdown(_INTRO, elem_id="intro")
        audience = gr.Radio(
            [("For clients", "client"), ("For trainers", "trainer")],
            value="client",
            label="Answer for",
            show_label=False,
            container=False,
            elem_id="audience",
        )
        chat = gr.Chatbot(
            label="Conversation",
            elem_id="chat",
            show_label=False,
            autoscroll=False,
            latex_delimiters=[],
            buttons=["copy"],
            placeholder=_EMPTY,
            examples=[{"text": text} for text in EXAMPLES],
            feedback_options=("Like", "Dislike"),
            line_breaks=False,
            layout="bubble",
        )
        with gr.Row(elem_id="ask-row"):
            box = gr.Textbox(
                label="Your question",
                show_label=False,
                container=False,
                placeholder="Ask about glutes",
                lines=1,
                max_lines=6,
                scale=8,
                autofocus=True,
                elem_id="question",
            )
            send = gr.Button("Ask", variant="primary", scale=0, min_width=68, elem_id="ask")
        gr.Markdown(_FOOTNOTE, elem_id="footnote")
        _wire(desk, chat, box, send, audience, turns)
    page.queue(default_concurrency_limit=CONCURRENT_ANSWERS)
    return page


def _wire(
    desk: Desk,
    chat: gr.Chatbot,
    box: gr.Textbox,
    send: gr.Button,
    audience: gr.Radio,
    turns: gr.State,
) -> None:
    """Connects what people do with what happens."""
    import gradio as gr

    def respond(
        text: str, audience: str, messages: Any, turns: list[dict[str, str]], request: gr.Request
    ) -> Iterator[list[Any]]:
        # The box is emptied once, at the start: what is typed while an answer grows must stay.
        asked = [*messages, {"role": "user", "content": plain(text)}]
        yield [asked, "", turns]
        place = sum(1 for m in asked if m["role"] == "user")
        for said, after in _conversation(desk, text, audience, turns, place, request):
            yield [[*asked, said], gr.skip(), after]

    def picked(event: gr.SelectData) -> str:
        return str(event.value["text"] if isinstance(event.value, dict) else event.value)

    def liked(event: gr.LikeData, turns: list[dict[str, str]], messages: Any) -> None:
        _thumb(desk, event.index, bool(event.liked), turns, messages)

    # Gradio passes these by type and looks the names up in this module, which imports it late.
    respond.__annotations__["request"] = gr.Request
    picked.__annotations__["event"] = gr.SelectData
    liked.__annotations__["event"] = gr.LikeData
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    asking = {
        "fn": respond, "inputs": [box, audience, chat, turns], "outputs": [chat, box, turns], **quiet,
    }  # fmt: skip
    answers = [gr.on([send.click, box.submit], **asking)]
    for chosen in (chat.example_select, chat.option_select):
        answers.append(chosen(picked, outputs=box, **quiet).then(**asking))
    chat.like(liked, inputs=[turns, chat], outputs=None, **quiet)
    # An answer that still grows would bring the cleared conversation back.
    chat.clear(lambda: ([], []), outputs=[chat, turns], cancels=answers, **quiet)


def _conversation(
    desk: Desk,
    text: str,
    audience: str,
    turns: list[dict[str, str]],
    place: int,
    request: gr.Request,
) -> Iterator[tuple[dict[str, Any], list[dict[str, str]]]]:
    """(the coach's message, turns so far), again and again while the answer grows.

    `place` says which of the conversation's questions this is.
    """
    try:
        desk.admit(request.client.host if request.client else "", "ask")
        question = checked_question(text, _history(turns), audience)
        said = ""
        citations: tuple[Citation, ...] = ()
        for answer_id, event in desk.stream(question):
            match event:
                case Sources(found):
                    citations = found
                case Token(piece, known):
                    said += piece
                    citations = known or citations
                    yield _bot(linked(said, citations)), turns
                case Final(answer):
                    turn = {"question": question.text, "text": answer.text}
                    turn |= {"id": answer_id, "place": str(place)}
                    yield _answered(answer), [*turns, turn]
    except (QuestionError, TooManyError) as error:
        message = str(error)
        yield _bot(plain(f"{message[:1].upper()}{message[1:]}.")), turns
    except RagError as error:
        log.error("answering on the page failed: %s", error)
        yield _bot(_TROUBLE), turns
    except Exception:
        log.exception("answering on the page failed")
        yield _bot(_TROUBLE), turns


def _answered(answer: Answer) -> dict[str, Any]:
    """The whole answer; Gradio shows a message's options below it while it is the last one."""
    options = [{"value": text, "label": text} for text in answer.follow_ups[:FOLLOW_UPS]]
    parts = (answer_markdown(answer), folded_sources(answer))
    return {**_bot("\n\n".join(part for part in parts if part)), "options": options}


def _bot(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def _history(turns: list[dict[str, str]]) -> list[dict[str, str]]:
    return [
        message
        for turn in turns
        for message in (
            {"role": "user", "content": turn["question"]},
            {"role": "assistant", "content": turn["text"]},
        )
    ]


def _thumb(
    desk: Desk,
    index: int | tuple[int, int],
    liked: bool,
    turns: list[dict[str, str]],
    messages: list[dict[str, Any]],
) -> None:
    """Keeps a thumb for the answer that the message at `index` belongs to."""
    last = index if isinstance(index, int) else index[0]
    place = str(sum(1 for m in messages[: last + 1] if m["role"] == "user"))
    rating = 1 if liked else -1
    for turn in turns:
        if turn["place"] == place:
            desk.ledger.add_feedback(Feedback(turn["question"], rating, turn["id"]))
            desk.metrics.feedback(rating)
