"""What a source yields, one at a time, so that one bad item never stops the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CslItem = Mapping[str, Any]
"""A CSL-JSON item: type, title, author, issued, container-title, DOI, …"""


@dataclass(frozen=True, slots=True)
class Article:
    """One article, cleaned, its reference list still at its end."""

    key: str
    """Identity over runs: a post of a site, a URL, a file."""
    source: str
    """What the report calls it: a URL or a file."""
    title: str
    body: str
    """Markdown; superscript numbers as `^3^`."""
    author: str = ""
    date: str = ""
    """ISO day of publication, "" where unknown; so is `updated`."""
    updated: str = ""
    url: str = ""
    tags: tuple[str, ...] = ()
    summary: str = ""
    slug: str = ""
    """The source's own slug, where it has one."""
    post_id: str = ""
    modified: str = ""
    fingerprint: str = ""
    """What the source's listing said of it; the same again means: no need to fetch."""
    cites: bool = False
    """Whether `[@key]` in its text is a citation: so in Markdown files, never in a stranger's page."""
    scope: str = ""
    """The sitemap that named it, so that what leaves the sitemap can leave the corpus."""


@dataclass(frozen=True, slots=True)
class Bibliography:
    """Entries of a reference library; `skipped` holds why others could not be read."""

    source: str
    items: tuple[CslItem, ...]
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """An item that is not for the corpus, or could not be read, and why, in one line."""

    source: str
    reason: str
    key: str = ""
    """Set where the item is known not to be public: a copy imported before is then removed."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The listing says the item is as it was."""

    key: str
    source: str


@dataclass(frozen=True, slots=True)
class Gone:
    """An item imported before that its source no longer has or no longer publishes."""

    key: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A source that could not be read (to its end); what was imported before stays."""

    source: str
    reason: str
    environment: bool = False
    """The network or the server failed, not the input."""


Found = Article | Bibliography | Skipped | Unchanged | Gone | Failed


@dataclass(frozen=True, slots=True)
class Known:
    """What earlier runs imported, by key."""

    fingerprints: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    scopes: Mapping[str, str] = field(default_factory=dict)
