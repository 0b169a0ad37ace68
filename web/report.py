"""The owner's report: which questions found nothing, which answers were disliked."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable
from html import escape

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from web.feedback import Ledger, Tally

_STYLE = """
:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5 }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid #8886; vertical-align: top }
"""


def report_routes(ledger: Ledger, token: str) -> APIRouter:
    """GET /report, open to whoever sends the admin token: as a bearer, or as a password."""
    routes = APIRouter()

    @routes.get("/report", include_in_schema=False)
    def report(request: Request) -> Response:
        if not _admits(request.headers.get("authorization", ""), token):
            headers = {"WWW-Authenticate": 'Basic realm="Glute Coach report", charset="UTF-8"'}
            message = "Sign in with any name and GLUTE_ADMIN_TOKEN as the password.\n"
            return PlainTextResponse(message, status_code=401, headers=headers)
        return HTMLResponse(report_html(ledger), headers={"Cache-Control": "no-store"})

    return routes


def report_html(ledger: Ledger) -> str:
    """The page; questions and comments are strangers' text and are escaped."""
    counts = ledger.counts()
    totals = ", ".join(f"{escape(name.replace('_', ' '))}: {n}" for name, n in counts.items())
    kept = "" if ledger.keeps_questions else "<p>Questions are not kept; GLUTE_LOG_QUESTIONS=on keeps them.</p>"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Glute Coach: report</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style><h1>Report</h1><p>{totals}</p>{kept}"
        f"<h2>Asked, and nothing found</h2>{_table(ledger.unanswered())}"
        f"<h2>Answers with a thumb down</h2>{_table(ledger.disliked())}</html>"
    )


def _table(tallies: Iterable[Tally]) -> str:
    rows = "".join(
        f"<tr><td>{t.count}</td><td>{escape(t.question)}</td><td>{escape(t.comment)}</td>"
        f"<td>{escape(t.last[:16].replace('T', ' '))}</td></tr>"
        for t in tallies
    )
    if not rows:
        return "<p>None so far.</p>"
    head = "<tr><th>Times</th><th>Question</th><th>Comments</th><th>Last (UTC)</th></tr>"
    return f"<table>{head}{rows}</table>"


def _admits(authorization: str, token: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.encode(), token.encode())
