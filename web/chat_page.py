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
from web.pieces import answer_markdown, linked, plain, sources_markdown

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
_EMPTY = "### What would you like to know?\nAsk in your own words, or start from an example."
_TROUBLE = "Something went wrong on our side. Please ask again in a moment."

_HEAD = """
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="Answers about glute training with the passage and the study behind every statement.">
<script src="/widget.js" data-page></script>
"""

_CSS = """
.gradio-container { max-width: 52rem !important; margin: 0 auto !important; --quiet: #475569; }
.dark .gradio-container, .gradio-container.dark { --quiet: #b6c2d1; }
.gradio-container .main { padding-top: .75rem !important; padding-bottom: .5rem !important; }
.gradio-container .column { gap: .6rem; }
#intro h1 { margin: 0; font-size: 1.5rem; }
#intro p, #footnote p { color: var(--quiet); margin: .15rem 0 0; }
#footnote p { font-size: .82rem; text-align: center; }
#audience { padding: 0; border: 0; background: none; box-shadow: none; }
#audience label { box-shadow: none; border: 1px solid var(--border-color-primary); border-radius: 10px; }
#audience label.selected { background: #0f766e; border-color: #0f766e; color: #fff; }
#audience label:focus-within { outline: 3px solid #14b8a6; outline-offset: 2px; }
#chat {
  height: calc(100dvh - 18.5rem) !important; min-height: 18rem;
  border: 1px solid var(--border-color-primary); border-radius: 14px;
}
.gradio-container:has(#follow-ups button) #chat { height: calc(100dvh - 23.5rem) !important; }
#chat .message { font-size: 1rem; line-height: 1.6; box-shadow: none; color: var(--body-text-color); }
#chat .message p { color: inherit; }
#chat .prose { opacity: 1; }
#chat .message-buttons-right { display: none; }
#chat .user-row { padding-right: 2rem; }
#chat .bot.message { background: none; border-color: transparent; }
#chat a[href^="#cite="] {
  display: inline-block; min-width: 1.6em; padding: 0 .4em; margin: 0 .1em; border-radius: .45em;
  background: #d5efec; color: #0b4f4a; font-size: .78em; font-weight: 700;
  line-height: 1.6; text-align: center; text-decoration: none; vertical-align: .12em;
}
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
#chat .example {
  padding: .6rem .8rem; border: 1px solid var(--border-color-primary); border-radius: 12px;
  background: var(--background-fill-secondary); text-align: left;
}
#chat .example:hover { border-color: #0f766e; }
#follow-ups { gap: .4rem; flex-wrap: wrap; }
#follow-ups button {
  flex: 0 1 auto; min-width: 0; padding: .35rem .8rem; border: 1px solid var(--border-color-primary);
  border-radius: 14px; box-shadow: none; font-size: .9rem; font-weight: 400; text-align: left; white-space: normal;
}
#follow-ups button:hover { border-color: #0f766e; }
#ask-row { flex-wrap: nowrap; align-items: flex-end; gap: .5rem; }
#question { min-width: 0 !important; }
#question textarea { font-size: 1rem; padding: .65rem .8rem; border: 1px solid var(--border-color-primary); }
#ask { background: #0f766e; color: #fff; height: 2.9rem; flex: 0 0 5.5rem; }
@media (max-width: 640px) {
  .gradio-container .main { padding: .6rem .75rem !important; }
  #intro h1 { font-size: 1.25rem; }
  #intro p { font-size: .9rem; line-height: 1.35; }
  #audience .wrap { flex-wrap: nowrap; gap: .4rem; }
  #audience label { flex: 1; min-width: 0; font-size: .82rem; padding: .35rem .5rem; }
  #chat { height: calc(100dvh - 18.5rem) !important; }
  .gradio-container:has(#follow-ups button) #chat { height: calc(100dvh - 21.5rem) !important; }
  #chat .message-row { margin-inline: .5rem; }
  #chat .flex-wrap { max-width: 100%; }
  #ask { flex-basis: 4.25rem; min-width: 0 !important; padding: 0; }
  #footnote p { font-size: .75rem; line-height: 1.3; }
  #chat .examples { grid-template-columns: 1fr !important; gap: .4rem; padding: .4rem; }
  #chat .example { padding: .45rem .7rem; }
  #chat .placeholder { padding: .5rem; }
  #follow-ups { flex-wrap: nowrap; overflow-x: auto; }
  #follow-ups button { flex: 0 0 auto; max-width: 80vw; }
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
        with gr.Row(elem_id="follow-ups"):
            buttons = [gr.Button(visible=False, size="sm") for _ in range(FOLLOW_UPS)]
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
        _wire(desk, chat, box, send, buttons, audience, turns)
    page.queue(default_concurrency_limit=CONCURRENT_ANSWERS)
    return page


def _wire(
    desk: Desk,
    chat: gr.Chatbot,
    box: gr.Textbox,
    send: gr.Button,
    buttons: list[gr.Button],
    audience: gr.Radio,
    turns: gr.State,
) -> None:
    """Connects what people do with what happens."""
    import gradio as gr

    outputs = [chat, box, turns, *buttons]

    def respond(
        text: str, audience: str, messages: Any, turns: list[dict[str, str]], request: gr.Request
    ) -> Iterator[list[Any]]:
        for shown, after, follow_ups in _conversation(desk, text, audience, messages, turns, request):
            labels = [*follow_ups, *[""] * FOLLOW_UPS][:FOLLOW_UPS]
            yield [
                shown,
                "",
                after,
                *(gr.Button(value=label, visible=bool(label)) for label in labels),
            ]

    def picked(event: gr.SelectData) -> str:
        return str(event.value["text"])

    def liked(event: gr.LikeData, turns: list[dict[str, str]], messages: Any) -> None:
        _thumb(desk, event.index, bool(event.liked), turns, messages)

    # Gradio passes these by type and looks the names up in this module, which imports it late.
    respond.__annotations__["request"] = gr.Request
    picked.__annotations__["event"] = gr.SelectData
    liked.__annotations__["event"] = gr.LikeData
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    asking = {"fn": respond, "outputs": outputs, **quiet}
    gr.on([send.click, box.submit], inputs=[box, audience, chat, turns], **asking)
    for button in buttons:
        button.click(inputs=[button, audience, chat, turns], **asking)
    chat.example_select(picked, outputs=box, **quiet).then(
        inputs=[box, audience, chat, turns], **asking
    )
    chat.like(liked, inputs=[turns, chat], outputs=None, **quiet)
    chat.clear(
        lambda: ([], "", [], *(gr.Button(visible=False) for _ in buttons)),
        outputs=outputs,
        **quiet,
    )


def _conversation(
    desk: Desk,
    text: str,
    audience: str,
    messages: list[dict[str, Any]],
    turns: list[dict[str, str]],
    request: gr.Request,
) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, str]], tuple[str, ...]]]:
    """(messages to show, turns so far, follow-ups), again and again while the answer grows."""
    shown = [*messages, {"role": "user", "content": plain(text)}]
    place = str(sum(1 for m in shown if m["role"] == "user"))
    try:
        desk.admit(request.client.host if request.client else "", "ask")
        question = checked_question(text, _history(turns), audience)
        said = ""
        citations: tuple[Citation, ...] = ()
        for answer_id, event in desk.stream(question):
            match event:
                case Sources(found):
                    citations = found
                case Token(piece):
                    said += piece
                    yield [*shown, _bot(linked(said, citations))], turns, ()
                case Final(answer):
                    turn = {"question": question.text, "text": answer.text}
                    turn |= {"id": answer_id, "place": place}
                    yield [*shown, *_answered(answer)], [*turns, turn], answer.follow_ups
    except (QuestionError, TooManyError) as error:
        message = str(error)
        yield [*shown, _bot(plain(f"{message[:1].upper()}{message[1:]}."))], turns, ()
    except RagError as error:
        log.error("answering on the page failed: %s", error)
        yield [*shown, _bot(_TROUBLE)], turns, ()
    except Exception:
        log.exception("answering on the page failed")
        yield [*shown, _bot(_TROUBLE)], turns, ()


def _answered(answer: Answer) -> list[dict[str, Any]]:
    messages = [_bot(answer_markdown(answer))]
    if answer.citations:
        count = len(answer.citations)
        title = "1 source" if count == 1 else f"{count} sources"
        messages.append(
            {
                "role": "assistant",
                "content": sources_markdown(answer.citations),
                "metadata": {"title": title, "status": "done"},
            }
        )
    return messages


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
