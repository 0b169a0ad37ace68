"""Plain text: an article typed as text, or a web page copied whole out of a browser.

A copied page brings its skip links, menus, share buttons, related posts, comments and "Leave a
Reply" along, without any markup that would tell them apart: what they say does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ingest.cleaning import (
    clean_line,
    clean_text,
    is_reference_heading,
    tidy,
    written_day,
)
from ingest.html_markdown import escape, escape_start
from ingest.sources.found import Article, Skipped
from ingest.sources.text_head import HEAD_LINES, PERSON, Head, HeadReader, is_breadcrumb, read_meta

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
     |\d[\d,.]*[KM]?\+?|--|follow(?:ing|ers?)?|[\d.,]+[KM]?\ (?:followers?|following)|respond|cancel|listen|open\ in\ app|write
     |(?:\d+|no)\ (?:comments?|responses?|replies)(?:\ on\b.{0,160})?|\d+\ restacks?|select\ page|(?:open\ menu\ ?)?(?:close\ menu)?|type\ your\ email.{0,10}
     |thanks\ for\ reading\b.{0,80}subscribe.*|(?:photo|image)(?:\ credit)?(?::|\ by)\ .{1,60}\ (?:on|via|/|from)\ (?:unsplash|pexels|pixabay|flickr|shutterstock|getty).{0,20}
     |you\ are\ here:.*|contents|(?:in\ )?this\ (?:article|post)(?:\ covers)?:?|on\ this\ page|(?:hide|show)(?:\ (?:contents|table))?|was\ this\ helpful\??
     |(?:related|read\ (?:also|more|next|this)|also\ read|see\ also|don['’]t\ miss|recommended|up\ next):\ .{3,120}[^.]
     |like\ this:?|copy(?:\ url)?|0\ skip\ to\ content|edit(?:\ this)?|permalink|bookmark.{0,60}|accept(?:\ all)?(?:\ cookies)?|we\ use\ cookies\b.*|cookie\ (?:settings|policy)
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
     |(?:newer|older)\ posts?|subscribe\ to:.*|blog\ archive|view\ my\ complete\ profile|email\ this\ ?blog\ ?this.*
     |responses\ \(\d+\)|discussion\ about\ this\ post|what\ are\ your\ thoughts\??|write\ a\ (?:response|comment).{0,5}|read\ (?:this\ )?next|view\ (?:archive|all\ posts)\b.{0,60}
     |how\ we\ reviewed\ this\ article:?|submit\ a\ comment|\d+\ likes?\b.{0,20}|latest\ (?:posts|articles)|keep\ reading|up\ next|you'?ll\ also\ (?:like|love).{0,40}
     |notify\ me\ of\ .{0,80}|(?:←|«)\ .*|.*\ (?:→|»)
    )$""",
    re.VERBOSE | re.IGNORECASE,
)
_COMMENTER = re.compile(r"^.{1,60}\bsays?:?$")
_COMMENT_STAMP = re.compile(
    r"^(?:on\s+)?.{0,40}\b\d{4}\b.{0,8}\bat\s+\d{1,2}:\d{2}\s*(?:[ap]\.?m\.?)?\b.{0,20}$|^\d+ (?:minutes|hours|days|weeks|months|years) ago$",
    re.IGNORECASE,
)
_TAG_LINE = re.compile(
    r"^(?:(?:filed under|posted in|tagged(?: with| as)?)\b\s*:?|(?:tags?|labels|categor(?:y|ies)|topics)\s*:|tags(?=\s[^.]*$))\s*(?P<tags>.{2,200})$",
    re.IGNORECASE,
)
_MENU_SEPARATED = re.compile(r"\s[|»›>·•]\s")


def read_text(
    text: str, *, source: str, key: str, url: str = "", stem: str = ""
) -> Article | Skipped:
    """Text as an article; Markdown is kept as it is, furniture of copied pages goes."""
    lines = _numbers_joined([line.rstrip() for line in clean_text(text).split("\n")])
    if not any(line.strip() for line in lines):
        return Skipped(source, "the file is empty")
    head = _read_head(lines)
    end = _end_of_article(lines, head.start, re.sub(r",.*", "", head.author))
    dropped = _take_foot(lines, end, head)
    dropped |= {
        head.start + n for n in _without_contents([clean_line(w) for w in lines[head.start : end]])
    }
    tags = list(head.tags)
    kept: list[str] = []
    for n in range(head.start, end):
        words = clean_line(lines[n])
        tagged = _TAG_LINE.match(words)
        if tagged and len(words) < 200:
            tags += [t.strip() for t in re.split(r"[,;|]|\s{2,}", tagged["tags"])]
        elif not words or not (n in dropped or _is_furniture(words) or _is_again(words, head)):
            kept.append(lines[n])
    kept += _references_behind(lines[end:], kept)
    kept = _up_to_last_entry(kept)
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
        summary=head.subtitle,
    )


def _read_head(lines: Sequence[str]) -> Head:
    words = [clean_line(line) for line in lines]
    top = words[:HEAD_LINES]
    furniture = [not w or _is_furniture(w) for w in top]
    prose = [bool(w) and _is_prose(w) for w in top]
    return HeadReader(words, furniture, prose, [bool(_END.match(w)) for w in top]).read()


# -- the top -----------------------------------------------------------------------------------


def _is_furniture(words: str) -> bool:
    """Menu items, buttons and form labels; whole sentences only where they sell a newsletter."""
    if not _FURNITURE.match(words):
        return False
    sentence = words.endswith(".") and len(words.split()) > 4
    return (
        not sentence
        or re.match(
            r"(?:no spam|unsubscribe|we use cookies|skip|join|get|thanks)\b", words, re.IGNORECASE
        )
        is not None
    )


def _is_prose(words: str) -> bool:
    """Whether a line reads as a paragraph: long, or a whole sentence of some length."""
    if _is_furniture(words) or _MENU_SEPARATED.search(words) or is_breadcrumb(words):
        return False
    if not (len(words) > 90 or (len(words) > 60 and re.search(r"[.!?][\"”’)]?$", words))):
        return False
    return read_meta(words) is None


def _is_again(words: str, head: Head) -> bool:
    """The title, byline and dates again, below the title or at the article's foot."""
    if words in {head.title, head.subtitle} and words:
        return True
    meta = read_meta(words) if len(words) < 140 else None
    if meta is None:
        return False
    known = {head.date, head.updated, ""}
    return meta.author in {head.author, ""} and meta.date in known and meta.updated in known


_CONTENTS = re.compile(
    r"(?:table of )?contents|in this (?:article|post):?|on this page", re.IGNORECASE
)


def _without_contents(words: Sequence[str]) -> set[int]:
    """The lines of a table of contents: a run at the top whose lines come again as headings."""
    prose = next((n for n, w in enumerate(words) if _is_prose(w)), len(words))
    run = [n for n in range(prose) if words[n] and not _is_furniture(words[n])]
    plain = [re.sub(r"^(?:[-*•]|\d{1,2}(?:\.\d+)*[.)]?)\s+", "", words[n]) for n in run]
    later = set(words[prose:])
    again = [n for n, text in zip(run, plain, strict=True) if text in later]
    announced = any(_CONTENTS.fullmatch(w) for w in words[:prose])
    if len(again) < (2 if announced else 3) or len(again) < 0.4 * len(run):
        return set()
    return {n for n in run if n >= (0 if announced else again[0])}


def _take_foot(lines: Sequence[str], end: int, head: Head) -> set[int]:
    """Byline and dates at the article's foot; those lines are no part of the text."""
    taken: set[int] = set()
    for n in range(head.start, end):
        words = clean_line(lines[n])
        meta = (
            read_meta(words) if 5 < len(words) < 140 and not is_reference_heading(words) else None
        )
        if meta and not re.search(r"[.!?]\s+\S", words) and not re.match(r"\d{4}", words):
            head.take(meta)
            taken.add(n)
        elif not head.updated and (said := re.match(r"(?i)(?:last )?(?:updated?|edit)\b", words)):
            head.updated = written_day(words[said.end() : said.end() + 30])
    behind = lines[end : end + 40]
    for line in behind if not head.author else ():
        about = re.fullmatch(
            rf"(?i:about(?: the author)?|written by|author)\s*:?\s+(?P<name>{PERSON.pattern})",
            clean_line(line),
        )
        if about:
            head.author = about["name"]
            break
    return taken


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
    prose_seen = listing = False
    for n in range(start, len(lines)):
        words = clean_line(lines[n])
        if not words:
            continue
        if listing and author and _is_signature(words, author):
            return n
        listing = listing or is_reference_heading(words.lstrip("# "))
        about = author and re.fullmatch(
            rf"about(?: the author)?:?\s+{re.escape(author)}", words, re.IGNORECASE
        )
        if prose_seen and (_END.match(words) or about or _opens_comment(lines, n)):
            return n
        prose_seen = prose_seen or _is_prose(words)
    return len(lines)


def _is_signature(words: str, author: str) -> bool:
    """The author's name alone, or in a byline: behind a reference list, the author's box."""
    meta = read_meta(words)
    return words == author or (meta is not None and meta.author.startswith(author))


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


def _up_to_last_entry(kept: Sequence[str]) -> list[str]:
    """Without the short lines behind the reference list: topics, counts, the author's line."""
    words = [clean_line(line) for line in kept]
    start = next(
        (n for n in range(len(words) - 1, -1, -1) if is_reference_heading(words[n].lstrip("# "))),
        None,
    )
    if start is None:
        return list(kept)
    end = len(words)
    while end > start + 1 and not _could_be_entry(words[end - 1]):
        end -= 1
    return list(kept[:end] if end > start + 1 else kept)


def _could_be_entry(words: str) -> bool:
    return len(words) > 80 or (
        len(words) > 25
        and re.search(r"\b(?:1[89]|20)\d{2}|doi|https?://|n\.d\.|in press", words, re.IGNORECASE)
        is not None
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
            entries = rest[n + 1 : _end_of_article(rest, n + 1)]
            is_list = any(_could_be_entry(clean_line(entry)) for entry in entries)
            return ["", line, *entries] if is_list else []
    return []


# -- lines to Markdown -------------------------------------------------------------------------


def _as_markdown(lines: Sequence[str]) -> str:
    """Paragraphs, headings and lists; text that is Markdown already stays as it is."""
    lines = _dedented(lines)
    if any(re.match(r"#{1,6}\s+\S", line) for line in lines):
        return "\n".join(lines)
    lines = _unwrapped(_items_marked(lines))
    out: list[str] = []
    for n, line in enumerate(lines):
        words = line.strip()
        bullet = _BULLET.match(words)
        if not words:
            out.append("")
        elif bullet:
            mark = bullet.group().strip()
            out.append(f"{mark if mark[0].isdigit() else '-'} {escape(words[bullet.end() :])}")
        elif _is_row(line):
            out += _table_row(lines, n)
        elif _is_heading(lines, n):
            out += ["", f"## {escape(words)}", ""]
        else:
            out += ["", escape_start(escape(words)), ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out))


_BULLET = re.compile(r"(?:[-*•·▪‣–◦○]|\d{1,2}[.)])\s+")


def _is_row(line: str) -> bool:
    return "\t" in line.strip()


def _table_row(lines: Sequence[str], n: int) -> list[str]:
    """A row of cells that a tab parts, as browsers copy tables; the first row is the header."""

    def is_row(k: int) -> bool:
        same = lines[n].count("\t")
        return 0 <= k < len(lines) and _is_row(lines[k]) and lines[k].count("\t") == same

    cells = [escape(cell.strip()).replace("|", "\\|") for cell in lines[n].split("\t")]
    if not (is_row(n - 1) or is_row(n + 1)):
        return ["", escape_start(" ".join(cells)), ""]
    row = "| " + " | ".join(cells) + " |"
    return [row] if is_row(n - 1) else ["", row, "|" + " --- |" * len(cells)]


def _items_marked(lines: Sequence[str]) -> list[str]:
    """Bullets for the unmarked short lines below "…:", which are a list in the browser."""
    out = list(lines)
    for n, line in enumerate(lines):
        if not line.rstrip().endswith(":") or _BULLET.match(line.strip()):
            continue
        start = next(
            (k for k in range(n + 1, min(n + 3, len(lines))) if lines[k].strip()), len(lines)
        )
        end = start
        while end < len(lines) and _could_be_item(lines[end]):
            end += 1
        if end - start >= 2 and (end == len(lines) or not lines[end].strip()):
            out[start:end] = [f"- {item.strip()}" for item in lines[start:end]]
    return out


def _could_be_item(line: str) -> bool:
    words = line.strip()
    return (
        bool(words)
        and len(words) <= 120
        and "\t" not in line
        and not _BULLET.match(words)
        and not words.endswith(":")
    )


def _is_heading(lines: Sequence[str], n: int) -> bool:
    """A short line without a sentence's end that text follows; never one of several short lines."""
    words = lines[n].strip()
    if is_reference_heading(words):
        return True
    following = next((w.strip() for w in lines[n + 1 : n + 8] if w.strip()), "")
    before = lines[n - 1].strip() if n else ""
    text_follows = (
        len(following) > 60
        or _BULLET.match(following) is not None
        or "\t" in following
        or (len(following.split()) >= 4 and following.endswith((".", "!", "?", ":")))
    )
    return (
        len(words) <= 80
        and not re.search(r"[.,;:!…\"”)]$", words)
        and words[:1].isupper()
        and len(words.split()) <= 12
        and text_follows
        and (
            not before
            or len(before) > 60
            or before.endswith((".", "!", "?", ":"))
            or _BULLET.match(before) is not None
        )
        and not re.match(r"[A-Z][\w'’-]+,\s+[A-Z]\.", words)
    )


def _dedented(lines: Sequence[str]) -> list[str]:
    """Four blanks in front would make code of a paragraph."""
    return [
        re.sub(r"^[ \t\u00a0]+", "", line) if not re.match(r"\s+[-*\d]", line) else line
        for line in lines
    ]


def _numbers_joined(lines: Sequence[str]) -> list[str]:
    """A note's number that stands on a line of its own joined to the entry below it."""
    out = list(lines)
    for n in range(len(lines) - 1):
        if re.fullmatch(r"\s*\d{1,3}\.?\s*", lines[n]):
            entry = next(
                (k for k in range(n + 1, min(n + 3, len(lines))) if lines[k].strip()), None
            )
            if (
                entry is not None
                and len(lines[entry]) > 40
                and re.search(r"\b(?:19|20)\d{2}\b", lines[entry])
            ):
                out[entry] = f"{lines[n].strip().rstrip('.')}. {lines[entry].strip()}"
                out[n] = ""
    return out


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
