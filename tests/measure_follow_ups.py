"""Content-word recall and precision of resolved follow-ups against manual rewrites (CAsT 2020).

    python -m tests.measure_follow_ups PATH
PATH is a JSON list of {"turn": [{"raw_utterance", "manual_rewritten_utterance"}…]}.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rag.conversation import standalone
from rag.lexicon import Lexicon
from rag.types import Question, Turn

_FUNCTION_WORDS = frozenset(
    ["a", "an", "the", "and", "or", "of", "in", "on", "at", "to", "for", "from", "by", "with", "is", "are", "was", "were", "be", "do", "does", "did", "can", "it", "its", "they", "them", "their", "this", "that", "these", "those", "i", "me", "my", "you", "your", "what", "which", "who", "how", "why", "when", "where"]
)


def _unhelpful(texts: Sequence[str]) -> list[tuple[float, str]]:
    """The corpus is about something else: only the wording can tell what leans."""
    return [(0.6, text) for text in texts]


def content(text: str) -> set[str]:
    """Lower-case words that carry meaning, plurals folded."""
    return {w.rstrip("s") for w in re.findall(r"\w+", text.lower()) if w not in _FUNCTION_WORDS}


def main(arguments: Sequence[str]) -> None:
    """Print recall and precision for the raw turn, raw + previous, and the resolved turn."""
    topics = json.loads(Path(arguments[0]).read_text("utf-8"))
    said = " ".join(turn["raw_utterance"] for topic in topics for turn in topic["turn"])
    lexicon = Lexicon([], Counter(re.findall(r"\w+", said.lower())))
    rows: dict[str, list[tuple[float, float]]] = {"raw": [], "raw + previous": [], "resolved": []}
    for topic in topics:
        history: tuple[Turn, ...] = ()
        for turn in topic["turn"]:
            raw, wanted = turn["raw_utterance"], content(turn["manual_rewritten_utterance"])
            if history and wanted:
                found = {
                    "raw": raw,
                    "raw + previous": f"{raw} {history[-1].content}",
                    "resolved": standalone(Question(raw, history), lexicon, _unhelpful).text,
                }
                for name, text in found.items():
                    words = content(text)
                    both = len(words & wanted)
                    rows[name].append((both / len(wanted), both / max(1, len(words))))
            history = (*history, Turn("user", raw))
    for name, scores in rows.items():
        recall, precision = (sum(part) / len(scores) for part in zip(*scores, strict=True))
        print(f"{name:15} recall {recall:.3f}  precision {precision:.3f}  n {len(scores)}")


if __name__ == "__main__":
    main(sys.argv[1:])
