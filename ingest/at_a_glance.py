"""An exercise's typed fields as running text, so that a table of them can cite it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.markdown import Paragraph, Section

HEADING = "At a glance"

# Field and its name for a reader, in the order of reading.
_NAMES = {
    "equipment": "Equipment",
    "primary_muscles": "Main muscles",
    "secondary_muscles": "Also works",
    "movement": "Movement",
    "sides": "Legs at a time",
    "knee": "Knees",
    "load": "Load",
    "peak_tension_at": "Hardest where the muscle is",
    "level": "Level",
    "growth_evidence": "Growth trial in this collection",
}
_VALUES = {
    ("growth_evidence", "trial"): "yes",
    ("growth_evidence", "none"): "no",
    ("equipment", "none"): "no equipment",
}


def at_a_glance(title: str, meta: Mapping[str, Any]) -> Section | None:
    """A line a field, "Equipment: barbell, bench."; None where fewer than two fields are filled."""
    lines = [
        f"{name}: {value}."
        for field, name in _NAMES.items()
        if (value := _value(field, meta))
    ]
    if len(lines) < 2:
        return None
    told = [f"Exercise: {_one_line(title)}.", *lines]
    return Section(HEADING, 2, 0, tuple(Paragraph(line, ()) for line in told))


def _value(field: str, meta: Mapping[str, Any]) -> str:
    raw = meta.get(field)
    items = raw if isinstance(raw, list | tuple) else [raw]
    words = [_VALUES.get((field, str(i)), _one_line(i)) for i in items if i not in (None, "")]
    if field == "peak_tension_at" and words:
        words[-1] += _basis(_one_line(meta.get("peak_tension_basis")))
    return ", ".join(words)


def _basis(basis: str) -> str:
    """How it is known where an exercise is hardest: most of these are reasoned, and say so."""
    if not basis:
        return ""
    return " (reasoned, not measured)" if basis == "reasoned" else f" ({basis})"


def _one_line(value: object) -> str:
    return " ".join(str(value or "").split()).rstrip(".")
