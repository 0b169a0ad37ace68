"""Plain text: an article typed as text, or a web page copied whole out of a browser.

A copied page brings its skip links, menus, share buttons, related posts, comments and "Leave a
Reply" along, without any markup that would tell them apart: what they say does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ingest.cleaning import (
    WRITTEN_DATE,
    clean_line,
    clean_text,
    is_reference_heading,
    tidy,
    written_day,
)
from ingest.html_markdown import escape, escape_start
from ingest.sources.found import Article, Skipped

_FURNITURE = re.compile(
    r"""^(?:
      skip\ (?:to|over)\ .*|toggle\ (?:navigation|menu|search).*|(?:main|primary|mobile)?\ ?menu|search(?:\ for)?:?
     |search\ (?:this\ (?:website|site|blog)|…)|close|open\ menu|home|log\ ?in|sign\ ?(?:in|up)|register|cart|checkout
     |share(?:\ (?:this|on|via)\b.{0,40})?:?|tweet|pin(?:\ it)?|e-?mail(?:\ this)?|print(?:\ this)?|save|like|reddit|pocket
     |(?:click\ to\ )?(?:share|tweet|email|print)\ (?:this|on|to|a\ link)\b.*|copy\ link|facebook|twitter|x|linkedin|pinterest
     |whats\ ?app|instagram|youtube|telegram|tumblr|rss(?:\ feed)?|follow\ (?:us|me|on)\b.{0,40}
     |(?:facebook|twitter|instagram|youtube|linkedin|pinterest|tiktok|whatsapp|email|print|x|·|•|\||\s)+
     |advertisements?|sponsored(?:\ content)?|\[?ad\]?|loading…?|like\ loading…?|report\ this\ ad
     |\d+\s*(?:shares?|likes?|views?|comments?|min(?:ute)?s?\ read)|\d+\ min(?:ute)?s?\ read(?:ing\ time)?|reading\ time.{0,30}
     |(?:leave|post|add|write|no)\ (?:a\ )?comments?(?:\ on\ .*)?|comments?\ (?:off|closed).*|be\ the\ first\ to\ .*
     |subscribe(?:\ (?:now|to|today|via)\b.{0,60})?|join\ (?:our|my|the)\ (?:newsletter|mailing\ list|list)\b.{0,80}
     |(?:enter\ )?your\ (?:email|e-mail)(?:\ address)?.{0,20}|email\ address\*?:?|sign\ (?:me\ )?up(?:\ (?:for|to)\b.{0,60})?!?
     |get\ (?:my|our|the)\ (?:free\ )?(?:newsletter|updates|e-?book|guide)\b.{0,60}|no\ spam\b.{0,60}|unsubscribe\ .{0,40}
     |read\ more|continue\ reading.{0,80}|back\ to\ top|table\ of\ contents|jump\ to\ .{0,40}|previous(?:\ post)?|next(?:\ post)?
     |edit(?:\ this)?|permalink|bookmark.{0,60}|accept(?:\ all)?(?:\ cookies)?|we\ use\ cookies\b.*|cookie\ (?:settings|policy)
     |(?:filed\ under|posted\ in|tagged(?:\ with|\ as)?)\b.{0,200}|(?:tags|categories|category|topics)\s*:.{0,200}
    )$""",
    re.VERBOSE | re.IGNORECASE,
)
_END = re.compile(
    r"""^(?:
      (?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|no)\s+(?:comments?|(?:thoughts?|responses?|replies|reply|comments?)(?:\ (?:on|to)\b.{0,140}[^.])?)
     |comments?(?:\ \(\d+\))?:?|(?:reader|user)\ (?:comments|interactions)|leave\ a\ (?:reply|comment|response)\b.{0,60}
     |(?:post|add|write|submit)\ a\ comment|join\ the\ (?:conversation|discussion)|cancel\ reply|reply|responses
     |your\ email\ address\ will\ not\ be\ published.*|(?:post|comment|posts|comments)\ navigation
     |related(?:\ (?:posts?|articles?|reading|stories|content))?:?|you\ (?:may|might)\ (?:also\ )?(?:like|enjoy|be\ interested\ in).{0,40}
     |more\ (?:from|articles|posts)\b.{0,60}[^.]|recent\ (?:posts|comments|articles)|popular\ posts|recommended(?:\ (?:for\ you|reading|posts))?
     |about\ (?:the\ )?(?:author|me)(?::.*)?|primary\ sidebar|footer|archives|(?:©|copyright\b|\(c\)).{0,120}|.{0,60}all\ rights\ reserved.{0,40}
     |powered\ by\ .{0,60}|proudly\ powered\ by\ .*|privacy\ policy.{0,60}|terms\ (?:of\ (?:use|service)|and\ conditions).{0,60}
     |notify\ me\ of\ .{0,80}|(?:←|«)\ .*|.*\ (?:→|»)
    )$""",
    re.VERBOSE | re.IGNORECASE,
)
_COMMENTER = re.compile(r"^.{1,60}\bsays?:?$")
_COMMENT_STAMP = re.compile(
    r"^(?:on\s+)?.{0,40}\b\d{4}\b.{0,8}\bat\s+\d{1,2}:\d{2}\s*(?:[ap]\.?m\.?)?\b.{0,20}$|^\d+ (?:minutes|hours|days|weeks|months|years) ago$",
    re.IGNORECASE,
)
_BYLINE = re.compile(
    r"^(?:(?:written|posted|published|authored|article|words|reviewed)\s+)?(?:by|author)\s*:?\s+"
    r"(?P<name>[A-ZÀ-Þ][\w.'’-]*(?:\s+(?:de|van|von|der|la|[A-ZÀ-Þ][\w.'’-]*)){0,4}(?:,\s*(?:Ph\.?D\.?|M\.?D\.?|MSc?|BSc?|CSCS\S*|DPT|RD|PT)\b\.?)*)"
    r"(?P<rest>.*)$",
    re.IGNORECASE,
)  # fmt: skip
_UPDATED = re.compile(
    r"\b(?:(?:last\s+)?(?:updated|modified|edited|revised|reviewed)|update)\b\s*(?:on|:)?\s*",
    re.IGNORECASE,
)
_DATED = re.compile(
    r"\b(?:published|posted|written|date|created|on|updated|modified|edited|revised|reviewed|last)\b",
    re.IGNORECASE,
)
_TAG_LINE = re.compile(
    r"^(?:(?:filed under|posted in|tagged(?: with| as)?)\b\s*:?|(?:tags?|categor(?:y|ies)|topics)\s*:)\s*(?P<tags>.{2,200})$",
    re.IGNORECASE,
)
_MENU_SEPARATED = re.compile(r"\s[|»›>·•]\s")


@dataclass(slots=True)
class _Head:
    """What the top of the page says about the article, and the line its text begins at."""

    title: str = ""
    author: str = ""
    date: str = ""
    updated: str = ""
    start: int = 0
    tags: list[str] = field(default_factory=list)


def read_text(
    text: str, *, source: str, key: str, url: str = "", stem: str = ""
) -> Article | Skipped:
    """Text as an article; Markdown is kept as it is, furniture of copied pages goes."""
    lines = [line.rstrip() for line in clean_text(text).split("\n")]
    if not any(line.strip() for line in lines):
        return Skipped(source, "the file is empty")
    head = _read_head(lines)
    end = _end_of_article(lines, head.start, re.sub(r",.*", "", head.author))
    tags = list(head.tags)
    kept: list[str] = []
    for line in lines[head.start : end]:
        words = clean_line(line)
        tagged = _TAG_LINE.match(words)
        if tagged and len(words) < 200:
            tags += [t.strip() for t in re.split(r"[,;|]|\s{2,}", tagged["tags"])]
        elif not words or not (_is_furniture(words) or _is_meta_line(words, head)):
            kept.append(line)
    kept += _references_behind(lines[end:], kept)
    body = tidy(_as_markdown(kept))
    if len(body.split()) < 5:
        return Skipped(source, "no article text found in the file")
    return Article(
        key=key,
        source=source,
        title=head.title or clean_line(stem.replace("-", " ").replace("_", " ")) or "Untitled",
        body=body,
        author=head.author,
        date=head.date,
        updated=head.updated,
        url=url or _own_url(lines[: head.start]),
        tags=tuple(dict.fromkeys(t for t in tags if t and len(t) < 60)),
    )


# -- the top -----------------------------------------------------------------------------------


def _read_head(lines: Sequence[str]) -> _Head:
    """Title, byline and dates from the lines before the first paragraph of prose."""
    words = [clean_line(line) for line in lines]
    prose = next((n for n, w in enumerate(words) if _is_prose(w)), len(words))
    top = [n for n in range(prose) if words[n]]
    meta = [n for n in top if _is_byline(words[n]) or _is_date_line(words[n])]
    head = _Head(start=prose)
    for n in meta:
        _take_meta(words[n], head)
    if not head.author:
        meta = sorted({*meta, *_bare_name(words, top, meta, head)})
    candidates = [n for n in top if n not in meta and _could_be_title(words[n])]
    title = _choose_title(words, candidates, meta)
    if title is None:
        head.start = (
            min(meta[-1] + 1 if meta else prose, prose) if meta else _after_menu(words, prose)
        )
        return head
    head.title = re.sub(r"^#+\s+", "", words[title])
    last = max([title, *(n for n in meta if n <= title + 12)])
    # A heading or a short list may stand between the byline and the first long paragraph.
    head.start = last + 1
    return head


def _is_furniture(words: str) -> bool:
    """Menu items, buttons and form labels; whole sentences only where they sell a newsletter."""
    if not _FURNITURE.match(words):
        return False
    sentence = words.endswith(".") and len(words.split()) > 4
    return (
        not sentence
        or re.match(r"(?:no spam|unsubscribe|we use cookies|skip|join|get)\b", words, re.IGNORECASE)
        is not None
    )


def _is_prose(words: str) -> bool:
    if _is_furniture(words) or _MENU_SEPARATED.search(words) or _is_byline(words):
        return False
    return len(words) > 90 or (len(words) > 60 and re.search(r"[.!?][\"”’)]?$", words) is not None)


def _is_byline(words: str) -> bool:
    match = _BYLINE.match(words)
    return len(words) < 160 and words[:1].isalpha() and match is not None and _named(match["name"])


def _named(name: str) -> bool:
    return sum(w[:1].isupper() for w in name.split()) >= 1


def _is_date_line(words: str) -> bool:
    """A short line that is a date, or says when something was published or updated."""
    if len(words) > 140 or not WRITTEN_DATE.search(words):
        return False
    rest = _BY_INSIDE.sub(" ", WRITTEN_DATE.sub(" | ", words))
    left = re.sub(r"[\W\d_]+|\b(?:at|am|pm|by|in|comments?|min|read|minutes?)\b", " ", rest)
    left = _DATED.sub(" ", left)
    return len(left.split()) <= 4


_PERSON = re.compile(
    r"[A-ZÀ-Þ][\w.'’-]+(?:\s+(?:de|van|von|der|la|[A-ZÀ-Þ][\w.'’-]*)){1,3}(?:,\s*(?:Ph\.?D|M\.?D|MSc?|BSc?|CSCS|DPT|RD|PT)\b\.?)*"
)
_BY = re.compile(r"(?:(?:written|posted|published)\s+)?(?:by|author)\s*:?", re.IGNORECASE)
_BY_INSIDE = re.compile(
    rf"\b(?:by|author:?)\s+(?P<name>{_PERSON.pattern}|[A-ZÀ-Þ][\w.'’-]+)(?=\s*(?:$|[|·•,(–—-]|\s(?:on|in|at)\s))"
)


def _bare_name(
    words: Sequence[str], top: Sequence[int], meta: Sequence[int], head: _Head
) -> list[int]:
    """Lines of a byline without "by": "By" and the name below it, or a name beside the date."""
    for place, n in enumerate(top[:-1]):
        if _BY.fullmatch(words[n]) and _PERSON.fullmatch(words[top[place + 1]]):
            head.author = words[top[place + 1]]
            return [n, top[place + 1]]
    for n in meta:
        named = [
            p
            for p in re.split(r"\s*[|·•]\s*", words[n])
            if _PERSON.fullmatch(p) and not WRITTEN_DATE.search(p)
        ]
        if named and len(words[n]) < 120 and not _is_furniture(named[0]):
            head.author = named[0]
            return [n]
        place = top.index(n)
        beside = [*top[place + 1 : place + 2], *top[max(0, place - 1) : place]]
        for m in beside:
            others = [k for k in top if k not in {n, m} and len(words[k].split()) >= 3]
            if _PERSON.fullmatch(words[m]) and _could_be_title(words[m]) and others:
                head.author = words[m]
                return [m]
    return []


def _take_meta(words: str, head: _Head) -> None:
    byline = _BYLINE.match(words)
    text = words
    if byline and _is_byline(words):
        name = re.split(
            r"\s+(?:on|in|at|—|–|-|\||·|•)\s+|\s*[|·•(]", byline["name"] + (byline["rest"] or "")
        )[0]
        date = WRITTEN_DATE.search(name)
        name = name[: date.start()] if date else name
        if not head.author:
            head.author = _UPDATED.sub("", name).strip(" ,;:–—-")
    inside = _BY_INSIDE.search(words)
    if inside and not head.author:
        head.author = inside["name"].strip(" ,.")
    updated = _UPDATED.search(text)
    if updated:
        behind = WRITTEN_DATE.search(text, updated.end())
        head.updated = head.updated or (written_day(behind.group()) if behind else "")
        text = text[: updated.start()] + (text[behind.end() :] if behind else "")
    head.date = head.date or written_day(text)


def _could_be_title(words: str) -> bool:
    if _is_furniture(words) or _MENU_SEPARATED.search(words) or words.startswith(("http", "www.")):
        return False
    return 3 <= len(words) <= 160 and re.search(r"[A-Za-zÀ-ž]{2}", words) is not None


def _choose_title(
    words: Sequence[str], candidates: Sequence[int], meta: Sequence[int]
) -> int | None:
    marked = [n for n in candidates if words[n].startswith("# ")]
    if marked:
        return marked[0]
    long = [n for n in candidates if len(words[n].split()) >= 3]
    if meta:
        above = [n for n in long if n < meta[0] and meta[0] - n <= 8]
        if above:
            return above[-1]
        below = [n for n in long if meta[0] < n <= meta[-1] + 4]
        if below:
            return below[0]
        short = [n for n in candidates if n < meta[0]]
        if short:
            return short[-1]
    return (
        long[0]
        if long and not meta and long[0] == min(candidates)
        else (long[-1] if long else (candidates[-1] if candidates else None))
    )


def _after_menu(words: Sequence[str], prose: int) -> int:
    return next((n for n in range(prose, -1, -1) if n == 0 or _FURNITURE.match(words[n - 1])), 0)


def _is_meta_line(words: str, head: _Head) -> bool:
    """The byline and dates again, below the title or at the article's foot."""
    if words == head.title:
        return True
    return (
        _is_byline(words) and bool(head.author) and head.author in words and len(words) < 90
    ) or (_is_date_line(words) and written_day(words) in {head.date, head.updated})


def _own_url(lines: Iterable[str]) -> str:
    for line in lines:
        match = re.match(
            r"\s*(?:(?:url|source|link)\s*:\s*)?(https?://[^\s<>]+/[^\s<>]+)\s*$",
            line,
            re.IGNORECASE,
        )
        if match:
            return match[1]
    return ""


# -- the end -----------------------------------------------------------------------------------


def _end_of_article(lines: Sequence[str], start: int, author: str = "") -> int:
    """The line at which comments, related posts or the footer begin."""
    prose_seen = False
    for n in range(start, len(lines)):
        words = clean_line(lines[n])
        if not words:
            continue
        about = author and re.fullmatch(
            rf"about(?: the author)?:?\s+{re.escape(author)}", words, re.IGNORECASE
        )
        if prose_seen and (_END.match(words) or about or _opens_comment(lines, n)):
            return n
        prose_seen = prose_seen or _is_prose(words)
    return len(lines)


def _opens_comment(lines: Sequence[str], n: int) -> bool:
    """A name ("… says:") followed within two lines by a comment's time stamp."""
    words = clean_line(lines[n])
    following = [w for line in lines[n + 1 : n + 4] if (w := clean_line(line))][:2]
    if _COMMENTER.match(words):
        return any(_COMMENT_STAMP.match(w) for w in following)
    return (
        len(words) < 60
        and not words.endswith((".", ":"))
        and any(_COMMENT_STAMP.match(w) for w in following[:1])
    )


def _references_behind(rest: Sequence[str], kept: Sequence[str]) -> list[str]:
    """The reference list, where share buttons or the author's box stood before it."""
    if any(is_reference_heading(clean_line(line).lstrip("# ")) for line in kept):
        return []
    for n, line in enumerate(rest):
        words = clean_line(line)
        if _opens_comment(rest, n) or re.match(
            r"(?:\d+ comments?|leave a reply)\b", words, re.IGNORECASE
        ):
            return []
        if is_reference_heading(words.lstrip("# ")):
            end = _end_of_article(rest, n + 1)
            return ["", *rest[n:end]]
    return []


# -- lines to Markdown -------------------------------------------------------------------------


def _as_markdown(lines: Sequence[str]) -> str:
    """Paragraphs, headings and lists; text that is Markdown already stays as it is."""
    lines = _dedented(lines)
    if any(re.match(r"#{1,6}\s+\S", line) for line in lines):
        return "\n".join(lines)
    lines = _unwrapped(lines)
    out: list[str] = []
    for n, line in enumerate(lines):
        words = line.strip()
        if not words:
            out.append("")
            continue
        following = next((w for w in lines[n + 1 :] if w.strip()), "")
        bullet = re.match(r"(?:[-*•·▪‣–]|\d{1,2}[.)])\s+", words)
        if bullet:
            mark = bullet.group().strip()
            out.append(f"{mark if mark[0].isdigit() else '-'} {escape(words[bullet.end() :])}")
        elif _is_heading(words, following):
            out += ["", f"## {escape(words)}", ""]
        else:
            out += ["", escape_start(escape(words)), ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out))


def _is_heading(words: str, following: str) -> bool:
    if is_reference_heading(words):
        return True
    return (
        len(words) <= 80
        and not re.search(r"[.,;:!…\"”)]$", words)
        and words[:1].isupper()
        and len(words.split()) <= 12
        and (len(following) > 60 or bool(re.match(r"(?:[-*•]|\d{1,2}[.)])\s", following)))
        and not re.match(r"[A-Z][\w'’-]+,\s+[A-Z]\.", words)
    )


def _dedented(lines: Sequence[str]) -> list[str]:
    """Four blanks in front would make code of a paragraph."""
    return [
        re.sub(r"^[ \t\u00a0]+", "", line) if not re.match(r"\s+[-*\d]", line) else line
        for line in lines
    ]


def _unwrapped(lines: Sequence[str]) -> list[str]:
    """Lines wrapped at a column joined to paragraphs; a line a paragraph left alone."""
    long = [len(line) for line in lines if len(line) > 40]
    if not long or max(long) > 110 or sorted(long)[len(long) // 2] < 50:
        return list(lines)
    out: list[str] = []
    before = 0
    for line in lines:
        begins = re.match(r"(?:[-*•]|\d{1,2}[.)]|\[\d+\])\s", line.strip()) is not None
        if before >= 45 and line.strip() and not begins:
            out[-1] = f"{out[-1]} {line.strip()}"
        else:
            out.append(line)
        before = len(line.strip())
    return out
