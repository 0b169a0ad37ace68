"""Imports the pages of a main-text benchmark and prints token F1 beside trafilatura's default.

    python tests/measure_extraction.py FOLDER [--worst N]

FOLDER holds `ground-truth.json` (page → {"articleBody"}) and `html/<page>.html.gz`, as in
scrapinghub/article-extraction-benchmark. Both are scored in the same run: tokens are \\w+ in lower
case, F1 is of the bags of tokens, averaged over pages. Ours is the body as the importer cleans it,
Markdown marks and all.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def token_f1(said: str, gold: str) -> float:
    """F1 of two bags of words, 0 to 1."""
    a, b = (Counter(re.findall(r"\w+", text.lower())) for text in (said, gold))
    if not a and not b:
        return 1.0
    return 2 * (a & b).total() / (a.total() + b.total())


def ours(markup: str, url: str) -> str:
    from ingest.sources.found import Article
    from ingest.sources.page import read_page

    found = read_page(markup, url=url, source=url)
    return found.body if isinstance(found, Article) else ""


def main() -> int:
    import trafilatura

    from ingest.sources.page import decoded

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="name the N worst pages")
    args = parser.parse_args()
    truth = json.loads((args.folder / "ground-truth.json").read_text("utf-8"))
    rows: list[tuple[float, float, str]] = []
    for page, gold in truth.items():
        markup = decoded(gzip.decompress((args.folder / "html" / f"{page}.html.gz").read_bytes()))
        mine = token_f1(ours(markup, gold.get("url", "")), gold["articleBody"])
        default = token_f1(trafilatura.extract(markup) or "", gold["articleBody"])
        rows.append((mine, default, page))
    for mine, default, page in sorted(rows)[: args.worst]:
        print(f"{mine:.3f} (trafilatura {default:.3f}) {page}")
    mean = [sum(r[0] for r in rows) / len(rows), sum(r[1] for r in rows) / len(rows)]
    print(f"{len(rows)} pages: token F1 {mean[0]:.4f}, trafilatura's default {mean[1]:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
