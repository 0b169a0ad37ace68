"""What makes a web page or a post an article: the rules that decide what is furniture.

Two entrances: `content_markdown` for HTML that is an article's content (a post's body from
WordPress or a feed), `page_article` for a whole page with its navigation, comments and adverts.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from ingest.html_markdown import Node, tag_of, to_markdown

CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]|[\u200b\u2060\ufeff\u00ad\u202a-\u202e\u2066-\u2069]"
)
_DROPPED = (
    "script", "style", "noscript", "template", "iframe", "object", "embed", "form", "input",
    "button", "select", "textarea", "svg", "canvas", "video", "audio", "dialog", "head", "link",
    "meta", "map", "source", "track", "ins",
)  # fmt: skip
_FURNITURE = re.compile(
    r"""^(?:
      sharedaddy|share(?:-?(?:buttons?|bar|links?|this|icons?|tools?))?|sd-(?:sharing|block).*
     |social(?:-?(?:share|sharing|links?|icons?|media|bar))?|addtoany.*|a2a_.*|heateor.*|addthis.*
     |jp-relatedposts|related-?(?:posts?|articles?|stories|content|links?)|yarpp.*|crp_related
     |wp-block-(?:latest-posts|latest-comments|rss|search|archives|categories|calendar|tag-cloud
       |query|query-pagination|navigation|page-list|social-links?|post-navigation-link|comments
       |loginout|buttons?|post-comments.*|jetpack-(?:subscriptions|related-posts|contact-form).*)
       (?:__.*)?
     |(?:ez-|lwptoc|rank-math-|aioseo-)?toc(?:-?(?:container|wrapper|box|block))?|lwptoc.*
     |wp-block-(?:rank-math-toc-block|yoast-seo-table-of-contents)
     |newsletter(?:-?(?:signup|form|box|widget|subscribe))?|mc4wp.*|mailchimp.*|mc_embed.*
     |subscri(?:be|ption)(?:-?(?:form|box|widget))?|optin.*|sign-?up(?:-?(?:form|box))?|wpforms.*
     |wpcf7.*|gform.*|ml-form.*|kit-form.*|convertkit.*|formkit.*
     |adsbygoogle|ad|ads|advert(?:isement|s)?|ad-(?:container|slot|unit|wrapper|banner)|google-ad.*
     |sponsor(?:ed)?(?:-.*)?|promo(?:-box)?|banner-ad|dfp.*
     |comments?(?:-?(?:list|area|section|form|respond|wrapper|title|count|link))?|comments-link
     |respond|commentlist|disqus.*|fb-comments|reply
     |author-?(?:box|bio|info|card)|about-?(?:the-)?author|saboxplugin.*|abh_.*
     |breadcrumbs?.*|post-?nav(?:igation)?|nav-links|navigation|pagination|page-links|menu
     |screen-reader-text|sr-only|visually-hidden|skip-link|edit-link|post-edit-link
     |cookie(?:-?(?:notice|banner|consent))?|popup|modal|wp-block-post-author.*
     |footnote-?backlink|footnotes?_?backlink.*|post-password-form|print-?(?:link|button)|sidebar
     |widget(?:-area)?|widgettitle
    )$""",
    re.VERBOSE | re.IGNORECASE,
)
_KNOWN_SHORTCODES = [
    "gallery",
    "caption",
    "embed",
    "audio",
    "video",
    "playlist",
    "contact-form",
    "contact-form-7",
    "wpforms",
    "toc",
    "ez-toc",
    "mc4wp_form",
    "gravityform",
    "ninja_form",
    "newsletter_form",
    "jetpack_subscription_form",
    "recent_posts",
    "latest_posts",
    "related_posts",
    "youtube",
    "vimeo",
    "tweet",
    "instagram",
    "adsense",
    "ad",
    "social_share",
    "sharethis",
    "addtoany",
    "more",
    "nextpage",
    "button",
    "column",
    "row",
    "one_half",
    "one_third",
    "footag",
    "glute_coach",
    "accordion",
    "tab",
    "tabs",
    "toggle",
    "spoiler",
    "quote",
    "highlight",
    "dropcap",
    "clear",
    "divider",
    "spacer",
]
_ATTRIBUTE = (
    r"""\s[\w-]+\s*=\s*(?:"[^"\n]*"|'[^'\n]*'|[“”″„][^“”″\n]*[“”″]|[‘’′][^‘’′\n]*[‘’′]|[^\s\]]+)"""
)
_SHORTCODE = re.compile(
    rf"\\?\[\\?(/?)([A-Za-z][A-Za-z0-9]*(?:\\?[_-][A-Za-z0-9]+)*)((?:{_ATTRIBUTE}|\s[^\[\]\n]*)*)\s*/?\\?\](?!\()"
)
_NEVER_SHORTCODES = frozenset(
    {"sic", "see", "emphasis", "citation", "ref", "note", "edit", "update", "and", "the", "link"}
)


_LIGATURES = {
    0xFB00: "ff",
    0xFB01: "fi",
    0xFB02: "fl",
    0xFB03: "ffi",
    0xFB04: "ffl",
    0xFB05: "st",
    0xFB06: "st",
}
_LIGATURE = re.compile("[\ufb00-\ufb06]")
"""One character for two letters, as PDF files have them: no search finds "fibre" in it."""


# -- text --------------------------------------------------------------------------------------


def clean_text(text: str) -> str:
    """Without control and invisible characters, newlines as `\\n`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0b", " ")
    text = CONTROL.sub("", text)
    return text.translate(_LIGATURES) if _LIGATURE.search(text) else text


def clean_line(text: str) -> str:
    """One line of plain text from text that is no HTML."""
    return " ".join(clean_text(text).split())


def rendered_line(markup: str) -> str:
    """One line of plain text from HTML such as `title.rendered`: unescaped once, tags gone.

    A `<` that opens no tag (`3 < 5`) is a character.
    """
    text = re.sub(r"</?[A-Za-z][^<>]*>", "", clean_text(markup))
    return " ".join(html.unescape(text).split())


def raw_line(text: str) -> str:
    """One line from an export, where text is escaped or not, depending on who wrote it."""
    return rendered_line(text)


def iso_day(value: Any) -> str:
    """ "2024-03-05" from the usual ways of writing a date; "" where there is none."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    text = clean_line(str(value or ""))
    match = re.match(r"(\d{4})-(\d{2})-(\d{2})(?:\D|$)", text)
    if match:
        return _day(int(match[1]), int(match[2]), int(match[3]))
    match = re.match(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?:\D|$)", text)
    if match:
        return _day(int(match[1]), int(match[2]), int(match[3]))
    return written_day(text)


_MONTHS = {
    name: n
    for n, names in enumerate(
        [
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ],
        1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
WRITTEN_DATE = re.compile(
    rf"\b(?:(?P<m1>{_MONTH})\.?\s+(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y1>\d{{4}})"
    rf"|(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?(?P<m2>{_MONTH})\.?,?\s+(?P<y2>\d{{4}})"
    r"|(?P<y3>\d{4})-(?P<m3>\d{2})-(?P<d3>\d{2}))\b",
    re.IGNORECASE,
)


def written_day(text: str) -> str:
    """The first date written in words or as YYYY-MM-DD in `text`, as an ISO day."""
    match = WRITTEN_DATE.search(text)
    if not match:
        return ""
    if match["y3"]:
        return _day(int(match["y3"]), int(match["m3"]), int(match["d3"]))
    month = _MONTHS[(match["m1"] or match["m2"]).lower()]
    return _day(int(match["y1"] or match["y2"]), month, int(match["d1"] or match["d2"]))


def _day(year: int, month: int, day: int) -> str:
    try:
        found = date(year, month, day)
    except ValueError:
        return ""
    return found.isoformat() if year > 0 else ""


def without_shortcodes(text: str) -> str:
    """Text without WordPress shortcodes; `[2]`, `[8-12]`, `[sic]` and links stay."""
    closed = {m[2] for m in _SHORTCODE.finditer(text) if m[1]}

    def judge(match: re.Match[str]) -> str:
        name, rest = match[2].replace("\\", ""), match[3]
        if text[match.end() : match.end() + 1].isalnum() and not (match[1] or match[2] in closed):
            return match.group()
        if name.lower() in _NEVER_SHORTCODES and "=" not in rest:
            return match.group()
        has_attribute = re.search(_ATTRIBUTE, rest) is not None
        bare = not rest.strip()
        known = name.lower() in _KNOWN_SHORTCODES and (bare or has_attribute)
        technical = bare and "_" in name
        if match[1] or match[2] in closed or has_attribute or known or technical:
            return ""
        return match.group()

    return _SHORTCODE.sub(judge, text)


# -- HTML --------------------------------------------------------------------------------------


def parse_html(markup: str) -> Node | None:
    """The tree of a page or fragment, or None where there is nothing in it."""
    from lxml import etree
    from lxml import html as lxml_html

    text = clean_text(re.sub(r"^\s*<\?xml[^>]*\?>", "", markup))
    if not text.strip():
        return None
    parser = lxml_html.HTMLParser(remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        return lxml_html.document_fromstring(text, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def prune(root: Node) -> None:
    """Removes scripts, forms, hidden parts and everything whose class says it is furniture."""
    doomed = [n for n in root.iter() if n is not root and _is_furniture(n)]
    for node in doomed:
        drop(node)


def drop(node: Node) -> None:
    """Removes an element with everything in it; the text behind it stays."""
    parent = node.getparent()
    if parent is None:
        return
    if node.tail:
        before = node.getprevious()
        if before is None:
            parent.text = (parent.text or "") + node.tail
        else:
            before.tail = (before.tail or "") + node.tail
    parent.remove(node)


def _is_furniture(node: Node) -> bool:
    tag = tag_of(node)
    if tag in _DROPPED or not tag:
        return True
    if tag in {"html", "body", "main", "article"}:
        return False
    if node.get("hidden") is not None or re.search(
        r"display\s*:\s*none|visibility\s*:\s*hidden", node.get("style") or "", re.IGNORECASE
    ):
        return True
    if node.get("role") in {"navigation", "search", "complementary", "contentinfo", "banner"}:
        return True
    names = [*(node.get("class") or "").split(), node.get("id") or ""]
    if any(_FURNITURE.match(name) for name in names if name):
        # A theme that hangs such a class on its outermost wrapper means the whole page by it.
        return len(node.text_content()) < 0.5 * len(_body_text(node))
    return False


def _body_text(node: Node) -> str:
    tree = node.getroottree().getroot()
    return str(tree.text_content())


def content_markdown(markup: str, *, base: str = "") -> str:
    """Markdown of a post's content: everything in it is the article's, save plug-ins' furniture."""
    root = parse_html(captions_as_figures(markup))
    if root is None:
        return ""
    prune(root)
    return tidy(without_shortcodes(to_markdown(root, base=base)))


def captions_as_figures(markup: str) -> str:
    """Classic `[caption]` shortcodes as figures, so that the caption's words stay."""
    return re.sub(
        r"\[caption\b[^\]]*\](.*?)\[/caption\]", r"<figure>\1</figure>", markup, flags=re.DOTALL
    )


_BLOCK_TAG = re.compile(
    r"^\s*</?(?:div|p|ul|ol|li|h[1-6]|table|thead|tbody|tr|td|th|blockquote|pre|figure|figcaption|"
    r"section|article|aside|dl|dt|dd|hr|form|address|details|summary|iframe|script|style)\b",
    re.IGNORECASE,
)


def with_paragraphs(content: str) -> str:
    """A classic post's raw content with `<p>` and `<br>`, as WordPress adds them when it shows it.

    Block comments mean that the editor wrote its paragraphs itself.
    """
    if "<!-- wp:" in content:
        return content
    parts = re.split(r"(<(pre|script|style)\b.*?</\2>)", content, flags=re.DOTALL | re.IGNORECASE)
    out: list[str] = []
    for n, part in enumerate(parts):
        if n % 3 == 1:
            out.append(part)
        elif n % 3 == 0:
            out += [_paragraph(chunk) for chunk in re.split(r"\n[ \t]*\n+", part) if chunk.strip()]
    return "\n".join(out)


def _paragraph(chunk: str) -> str:
    if not _BLOCK_TAG.match(chunk):
        # Loose lines up to the first block form the paragraph: "Words:\n<ul>…".
        inner = re.search(r"\n\s*(?=<(?:ul|ol|table|div|h[1-6]|blockquote|p|pre|figure)\b)", chunk)
        head, tail = (chunk[: inner.start()], chunk[inner.end() :]) if inner else (chunk, "")
        return f"<p>{head.strip().replace(chr(10), '<br>' + chr(10))}</p>{tail}"
    after = re.match(r"(\s*<(h[1-6])\b.*?</\2>)\s*\n(.+)", chunk, re.DOTALL | re.IGNORECASE)
    if after and not _BLOCK_TAG.match(after[3]):
        return after[1] + _paragraph(after[3])
    return chunk


def tidy(markdown: str) -> str:
    """At most one blank line in a row, no trailing blanks, no headings without text below."""
    text = re.sub(r"[ \t]+$", "", markdown, flags=re.MULTILINE)
    text = re.sub(r"(?<!\\)\\(?=\s*(?:\n\n|\Z))", "", text)
    text = re.sub(r"\n{3,}", "\n\n", text).strip()
    return re.sub(r"(?m)^(?:https?://\S*(?:youtube|youtu\.be|vimeo|spotify)\S*)$\n*", "", text)


# -- whole pages -------------------------------------------------------------------------------

_REFERENCE_HEADING = re.compile(
    r"""^\W*(?:\d+\.?\s+)?(?:
      (?:(?:selected|key|full|article|show|further|scientific|complete|list\ of)\s+)?references?
        (?:\s+(?:list|cited)|\s+(?:and|&)\s+(?:notes|links|further\ reading|resources|sources))?
     |bibliography|works\ cited|cited\ works|literature(?:\ cited)?|(?:scientific\ )?sources(?:\ cited)?
     |citations|(?:studies|research|articles)\ cited|cited\ (?:studies|research|literature)
     |(?:notes|sources|citations)\s+(?:and|&)\s+references|footnotes|endnotes|literature\ references
    )(?:\s*\(\d+\))?\W*$""",
    re.VERBOSE | re.IGNORECASE,
)
_SCHOLARLY = re.compile(r"(?:doi\.org|ncbi\.nlm\.nih\.gov|pubmed|pmc\.)", re.IGNORECASE)


def is_reference_heading(text: str) -> bool:
    """Whether a heading opens an article's own list of references."""
    return _REFERENCE_HEADING.match(text) is not None


def page_markdown(markup: str, *, url: str = "") -> str:
    """The main text of a whole page as Markdown, its own reference list included.

    trafilatura finds which words are the article; the words' places in the page then say which
    part of the tree it is, and that part is written with its structure: captions, superscripts
    and the reference list, which trafilatura loses, included.
    """
    root = parse_html(markup)
    if root is None:
        return ""
    _drop_comment_sections(root)
    words = main_text(markup, url)
    prune(root)
    known = _Known(words)
    main = _main_node(root, known)
    if main is None:
        return tidy(without_shortcodes(words))
    belongs = _belongs(main, known)
    text = to_markdown(main, base=url, keep=lambda node: node in belongs)
    return tidy(without_shortcodes(unlinked(text)))


def main_text(markup: str, url: str = "") -> str:
    """The words of the article as trafilatura sees them, a block a line."""
    import trafilatura

    found = trafilatura.extract(
        markup, url=url or None, include_comments=False, favor_precision=True
    )
    return found or ""


def unlinked(markdown: str) -> str:
    """Without link targets, save those that lead to a study: a page's links are its site's."""
    return re.sub(
        r"\[((?:[^\[\]\\]|\\.)*)\]\((https?://[^()\s]+)\)",
        lambda m: m.group() if _SCHOLARLY.search(m[2]) else m[1],
        markdown,
    )


class _Known:
    """The words that are known to be the article's, block by block."""

    def __init__(self, text: str) -> None:
        self._all = _letters(text)
        self._blocks = {
            _letters(part) for line in text.split("\n") for part in (line, *line.split("|"))
        }
        self.size = len(self._all)

    def has(self, text: str) -> bool:
        letters = _letters(text)
        if not letters:
            return False
        return letters in self._blocks if len(letters) < 12 else letters in self._all


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


_TEXT_BLOCKS = frozenset(
    [
        "p",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "td",
        "th",
        "dd",
        "dt",
        "figcaption",
        "pre",
        "blockquote",
        "caption",
        "div",
        "section",
        "article",
        "center",
        "summary",
    ]
)


def _leaves(root: Node) -> Iterator[Node]:
    """Blocks that hold text of their own."""
    for node in root.iter():
        if tag_of(node) in _TEXT_BLOCKS and _own_text(node):
            yield node


def _own_text(node: Node) -> str:
    """The running text of a block without that of the blocks in it."""
    pieces = [node.text or ""]
    for child in node:
        if tag_of(child) not in _TEXT_BLOCKS and tag_of(child) not in {"ul", "ol", "table", "dl"}:
            pieces.append(_own_text(child))
        pieces.append(child.tail or "")
    return " ".join("".join(pieces).split())


def _main_node(root: Node, known: _Known) -> Node | None:
    """The smallest element that holds nearly all known words."""
    matched = [(n, len(t)) for n in _leaves(root) if known.has(t := _own_text(n))]
    total = sum(size for _, size in matched)
    if not total or total < 0.5 * known.size:
        return None
    weights: dict[Node, int] = {}
    for node, size in matched:
        while node is not None:
            weights[node] = weights.get(node, 0) + size
            node = node.getparent()
    node = root
    while True:
        best = max(node, key=lambda c: weights.get(c, 0), default=None)
        if best is None or weights.get(best, 0) < 0.97 * total or tag_of(best) in _TEXT_BLOCKS - {
            "div", "section", "article", "center",
        }:  # fmt: skip
            return node
        node = best


def _belongs(main: Node, known: _Known) -> set[Node]:
    """The blocks of `main` that are the article's."""
    leaves = list(_leaves(main))
    matched = [known.has(_own_text(n)) for n in leaves]
    places = [n for n, hit in enumerate(matched) if hit]
    first, last = (places[0], places[-1]) if places else (0, -1)
    belongs: set[Node] = set()
    homes = Counter(_home(leaf) for leaf, hit in zip(leaves, matched, strict=True) if hit)
    in_references = False
    for n, (leaf, hit) in enumerate(zip(leaves, matched, strict=True)):
        tag = tag_of(leaf)
        text = _own_text(leaf)
        if is_reference_heading(text) and (tag in _HEADINGS or len(leaf.text_content()) < 40):
            in_references = True
            belongs.add(leaf)
            continue
        if in_references and tag in _HEADINGS:
            in_references = False
        between = first < n < last
        is_text = between and (_is_prose(leaf, text) or _is_structure(leaf, text, homes))
        if hit or (in_references and tag not in {"div"}) or is_text:
            belongs.add(leaf)
            belongs.update(_enclosing_tables(leaf, main))
    return belongs


_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})


def _is_prose(leaf: Node, text: str) -> bool:
    """Whether a block between two of the article's reads as its text, not as a teaser or link."""
    if tag_of(leaf) == "figcaption":
        return len(text) > 3
    linked = sum(len(a.text_content()) for a in leaf.iter("a"))
    if linked > 0.4 * len(text):
        return False
    return tag_of(leaf) in {"p", "li", "blockquote"} and len(text) > 80


def _home(leaf: Node) -> Node | None:
    """The element that a block stands in; for an item or cell, the one its list or table does."""
    node = leaf
    while tag_of(node) in _INSIDE_LISTS and node.getparent() is not None:
        node = node.getparent()
        if tag_of(node) in {"ul", "ol", "table", "dl", "figure"}:
            break
    parent = node.getparent()
    return parent if parent is None or tag_of(parent) not in _INSIDE_LISTS else _home(parent)


_INSIDE_LISTS = frozenset({"li", "td", "th", "tr", "tbody", "thead", "dd", "dt", "caption"})


def _is_structure(leaf: Node, text: str, homes: Mapping[Node | None, int]) -> bool:
    """A heading, list item or cell side by side with several of the article's paragraphs."""
    if tag_of(leaf) not in _HEADINGS | _INSIDE_LISTS or homes.get(_home(leaf), 0) < 3:
        return False
    linked = sum(len(a.text_content()) for a in leaf.iter("a"))
    return linked <= 0.4 * len(text)


def _enclosing_tables(leaf: Node, main: Node) -> Iterator[Node]:
    node = leaf
    while node is not None and node is not main:
        if tag_of(node) == "table":
            yield node
        node = node.getparent()


_COMMENTS = re.compile(
    r"^(?:comments?|respond|commentlist|comments?-?(?:list|area|section|wrap(?:per)?)|disqus_thread)$",
    re.IGNORECASE,
)


def _drop_comment_sections(root: Node) -> None:
    for node in [n for n in root.iter() if tag_of(n) in {"div", "section", "ol", "ul", "aside"}]:
        names = [*(node.get("class") or "").split(), node.get("id") or ""]
        if any(_COMMENTS.match(name) for name in names) and len(node.text_content()) < 0.7 * len(
            root.text_content()
        ):
            drop(node)


def absolute(url: str, base: str) -> str:
    """`url` seen from `base`; "" where that is no http(s) address."""
    try:
        joined = urljoin(base, url.strip())
        parts = urlsplit(joined)
    except ValueError:
        return ""
    return joined if parts.scheme in {"http", "https"} and parts.netloc else ""


def first_text(values: Mapping[str, Any], *names: str) -> str:
    """The first of the named values that holds text, as one line."""
    for name in names:
        value = values.get(name)
        if isinstance(value, str) and value.strip():
            return clean_line(value)
    return ""


def summary_of(markdown: str, limit: int = 200) -> str:
    """The beginning of the first paragraph, cut between words, for articles without an excerpt."""
    from ingest.markdown import sections_of

    texts = [p.text for section in sections_of(markdown) for p in section.paragraphs if p.text]
    text = next((t for t in texts if len(t) > 40), texts[0] if texts else "")
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " …"
