"""Accuracy and false accepts of the checker: `python -m tests.measure_checking FILE…`.

Files: JSONL of premise, hypothesis, expected; WiCE (`.jsonl` with claim, evidence, label); BEGIN
(`.tsv`). A false accept is a pair judged supported that is not; a false reject the reverse.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from collections import Counter
from pathlib import Path

from rag.checking import check

Pair = tuple[str, str, str, str]


def pairs(path: Path) -> list[Pair]:
    """(premise, hypothesis, expected verdict, category) of each line."""
    text = path.read_text("utf-8")
    if path.suffix == ".tsv":
        rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
        named = {"Fully attributable": "supported"}
        return [
            (r["knowledge"], r["response"], named.get(r["begin_label"], "unsupported"), "begin")
            for r in rows
        ]
    items = [json.loads(line) for line in text.splitlines() if line.strip()]
    if items and "claim" in items[0]:
        names = {"supported": "supported", "partially_supported": "partly"}
        return [
            ("\n".join(i["evidence"]), i["claim"], names.get(i["label"], "unsupported"), i["label"])
            for i in items
        ]
    return [(i["premise"], i["hypothesis"], i["expected"], i.get("category", "")) for i in items]


def main(names: list[str]) -> None:
    for name in names:
        rows = pairs(Path(name))
        started = time.perf_counter()
        done = [(check(p, h), expected, category, h) for p, h, expected, category in rows]
        spent = (time.perf_counter() - started) / max(1, len(rows))
        good = [c for c, e, _, _ in done if e == "supported"]
        bad = [c for c, e, _, _ in done if e != "supported"]
        kept = sum(c.verdict == "supported" for c in good)
        wrong = sum(c.verdict == "supported" for c in bad)
        print(f"{name}: n={len(rows)} supported kept {kept}/{len(good)}, "
              f"false accepts {wrong}/{len(bad)}, exact "
              f"{sum(c.verdict == e for c, e, _, _ in done)}/{len(rows)}, {1000 * spent:.1f} ms")
        misses = Counter(g for c, e, g, _ in done if (c.verdict == "supported") != (e == "supported"))
        print("  misses by category:", dict(misses))
        for c, e, g, h in done if "-v" in sys.argv else []:
            if (c.verdict == "supported") != (e == "supported"):
                print(f"  [{g}] {e} -> {c.verdict} {c.score} {c.reasons}: {h[:110]}")


if __name__ == "__main__":
    main([a for a in sys.argv[1:] if a != "-v"])
