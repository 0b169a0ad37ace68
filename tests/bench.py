"""Measures speed, side by side in one run: `make bench` (or `python -m tests.bench`).

Prints the time to open the index, answers a second and their median and 95th percentile over the
questions of tests/questions/dev.jsonl, and embedding speed for short and long texts.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

from rag.answering import Coach
from rag.question import parse_question
from rag.settings import load_settings

QUESTIONS = Path(__file__).parent / "questions" / "dev.jsonl"


def main() -> None:
    started = time.perf_counter()
    coach = Coach(load_settings())
    library = coach.retriever().library
    print(f"open the index      {time.perf_counter() - started:6.2f} s")
    started = time.perf_counter()
    coach.warm()
    print(f"first answer        {time.perf_counter() - started:6.2f} s")
    times = []
    for line in QUESTIONS.read_text("utf-8").splitlines():
        row = json.loads(line)
        question = parse_question(row["question"], row.get("history"), row.get("audience"))
        started = time.perf_counter()
        coach.answer(question)
        times.append(1000 * (time.perf_counter() - started))
    times.sort()
    print(f"answers             {1000 / statistics.mean(times):6.1f} a second")
    print(f"median, p95         {statistics.median(times):6.1f} ms, {times[int(0.95 * len(times))]:.1f} ms")
    passages = [p.text for p in library.passages[:100]]
    sentences = [p.sentence(0) for p in library.passages[:300]]
    for name, texts in (("passages", passages), ("sentences", sentences)):
        started = time.perf_counter()
        library.embedder.embed(texts)
        print(f"embed {name:<10}    {len(texts) / (time.perf_counter() - started):6.1f} a second")


if __name__ == "__main__":
    main()
