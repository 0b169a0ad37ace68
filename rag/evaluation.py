"""Scores: question files through the whole spine, BEIR folders through its retriever.

A question's line says what a right answer looks like (see tests/questions/README.md); the score
says how often each promise was kept, with a Wilson interval, per type and per topic. IR metrics
come from ir-measures (https://ir-measur.es).
"""

from __future__ import annotations

import gzip
import json
import math
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from rag.answering import Coach, find
from rag.errors import QuestionError
from rag.question import parse_question
from rag.rendering import answer_json
from rag.settings import Settings

CHECKS = ("status", "reference", "must", "must_not", "safety")
BEIR_DEPTH = 100


def evaluate_questions(path: Path, coach: Coach) -> dict[str, Any]:
    """Scores every question of a .jsonl file, or of all such files in a folder."""
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    rows = [row for file in files for row in _lines(file)]
    rows = [r for r in rows if "question" in r]
    if not rows:
        raise QuestionError(f"{str(path)!r} holds no questions")
    scored = [_scored(row, coach) for row in rows]
    return {
        "n": len(scored),
        "scores": _rates(scored),
        "by_type": _grouped(scored, "type"),
        "by_topic": _grouped(scored, "topic"),
        "paraphrases": _agreement(scored),
        "failures": [s for s in scored if s["failed"]],
    }


def evaluate_beir(folder: Path, split: str, settings: Settings) -> dict[str, Any]:
    """nDCG@10, recall@10, recall@100 and MRR@10 over a BEIR folder, one passage a document."""
    import ir_measures
    from ir_measures import RR, R, nDCG

    corpus = {r["_id"]: r for r in _lines(_either(folder, "corpus.jsonl"))}
    queries = {r["_id"]: r["text"] for r in _lines(_either(folder, "queries.jsonl"))}
    qrels = _qrels(_either(folder / "qrels", f"{split}.tsv"))
    retriever = _beir_retriever(list(corpus.values()), settings)
    run: dict[str, dict[str, float]] = {}
    for query_id in qrels:
        if query_id not in queries:
            raise QuestionError(f"the qrels name query {query_id!r}, which queries.jsonl lacks")
        hits = retriever.retrieve(queries[query_id], k=BEIR_DEPTH)
        run[query_id] = {h.passage.source_id: h.score for h in hits}
    names = {"ndcg@10": nDCG @ 10, "recall@10": R @ 10, "recall@100": R @ 100, "mrr@10": RR @ 10}
    found = ir_measures.calc_aggregate(list(names.values()), qrels, run)
    return {"n": len(qrels), **{k: round(float(found[m]), 4) for k, m in names.items()}}


def compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What changed between two results: rates side by side, questions mended and broken."""
    if "scores" not in before or "scores" not in after:
        shared = [k for k in after if isinstance(after[k], float) and k in before]
        return {k: [before[k], after[k]] for k in shared}
    failed_before = {f["id"] for f in before.get("failures", ())}
    failed_after = {f["id"] for f in after["failures"]}
    return {
        "rates": {
            c: [before["scores"][c]["rate"], after["scores"][c]["rate"]]
            for c in CHECKS
            if c in before["scores"] and c in after["scores"]
        },
        "mended": sorted(failed_before - failed_after),
        "broken": sorted(failed_after - failed_before),
    }


def readable(result: Mapping[str, Any], failures: int) -> str:
    """A result as text for people."""
    if "scores" not in result:
        return "\n".join(f"{k:>12}  {v}" for k, v in result.items())
    lines = [f"{result['n']} questions"]
    for name, rate in result["scores"].items():
        low, high = rate["interval"]
        lines.append(f"  {name:<10} {rate['rate']:6.1%}  ({rate['passed']}/{rate['n']}, 95% {low:.1%} to {high:.1%})")
    if result["paraphrases"]["n"]:
        lines.append(f"  paraphrases that share a reference: {result['paraphrases']['rate']:.1%}")
    lines.append("by type: " + ", ".join(f"{k} {v['passed']}/{v['n']}" for k, v in result["by_type"].items()))
    for failure in result["failures"][:failures]:
        lines.append(f"\n✗ {failure['id']} [{', '.join(failure['failed'])}] {failure['question']}")
        lines.append(f"   {failure['status']} (p={failure['probability']}); cited: {', '.join(failure['cited'][:6])}")
        lines += [f"   · {why}" for why in failure["why"]]
    if len(result["failures"]) > failures:
        lines.append(f"\n(+{len(result['failures']) - failures} more failed)")
    if "compared" in result:
        lines.append(f"\ncompared: {json.dumps(result['compared'])}")
    return "\n".join(lines)


def _scored(row: Mapping[str, Any], coach: Coach) -> dict[str, Any]:
    from rag.scope import probability

    question = parse_question(row["question"], row.get("history"), row.get("audience"))
    answer = coach.answer(question)
    given = answer_json(answer)
    kept, why = _promises(row, given)
    result = {
        "id": row.get("id"),
        "question": row["question"],
        "type": row.get("type", ""),
        "topic": row.get("topic", ""),
        "group": row.get("group", ""),
        "kept": kept,
        "failed": [name for name, ok in kept.items() if not ok],
        "status": given["status"],
        "cited": _cited(given),
        "answerable": row.get("status") == ["answered"] or bool(row.get("references")),
    }
    if result["failed"]:
        findings = find(coach.retriever(), question)
        result["probability"] = round(probability(findings.signals), 2)
        result["why"] = why
        result["standalone"] = findings.standalone
        result["retrieved"] = [
            {"passage": h.passage.id, "score": round(h.score, 2), "dense": round(h.dense, 2)}
            for h in findings.evidence[:5]
        ]
        result["chosen"] = [
            {"worth": round(c.worth, 2), "text": c.text, "passage": c.hit.passage.id}
            for c in findings.chosen
        ]
        result["text"] = given["text"]
    return result


def _promises(
    row: Mapping[str, Any], given: Mapping[str, Any]
) -> tuple[dict[str, bool], list[str]]:
    """Which of the line's promises the answer kept; only those that the line makes."""
    kept: dict[str, bool] = {}
    why: list[str] = []
    text = " ".join(s["text"] for s in given["sentences"])
    if row.get("status"):
        kept["status"] = given["status"] in row["status"]
    if row.get("references") and "answered" in row.get("status", ["answered"]):
        kept["reference"] = bool(set(_cited(given)) & set(row["references"]))
        if not kept["reference"]:
            why.append(f"expected one of {', '.join(row['references'][:5])}")
    for name, expected in (("must", True), ("must_not", False)):
        patterns = row.get(name) or []
        if patterns and (expected is False or given["status"] == "answered"):
            wrong = [p for p in patterns if bool(re.search(p, text, re.IGNORECASE)) != expected]
            kept[name] = not wrong
            why += [f"{name}: {p}" for p in wrong]
    if "safety" in row and row["safety"] != "any":
        level = given["safety"]["level"] if given["safety"] else None
        wanted = row["safety"]
        if wanted == "not_clinician":
            kept["safety"] = level != "see_a_clinician"
        else:
            kept["safety"] = level == wanted
        if not kept["safety"]:
            why.append(f"safety is {level}, not {wanted}")
    return kept, why


def _cited(given: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(r["id"] for c in given["citations"] for r in c["references"]))


def _rates(scored: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    rates: dict[str, Any] = {}
    for check in CHECKS:
        kept = [s["kept"][check] for s in scored if check in s["kept"]]
        if kept:
            rates[check] = _rate(sum(kept), len(kept))
    return rates


def _grouped(scored: Sequence[Mapping[str, Any]], key: str) -> dict[str, Any]:
    groups: dict[str, list[bool]] = defaultdict(list)
    for s in scored:
        groups[str(s[key]) or "-"].append(not s["failed"])
    return {name: _rate(sum(kept), len(kept)) for name, kept in sorted(groups.items())}


def _rate(passed: int, n: int) -> dict[str, Any]:
    return {"passed": passed, "n": n, "rate": round(passed / n, 4), "interval": wilson(passed, n)}


def wilson(passed: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % score interval of a proportion (Wilson 1927, JASA 22:209-212)."""
    p = passed / n
    centre = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return round(max(0.0, (centre - half) / scale), 4), round(min(1.0, (centre + half) / scale), 4)


def _agreement(scored: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Pairs of phrasings of one question that cite a common reference."""
    groups: dict[str, list[set[str]]] = defaultdict(list)
    for s in scored:
        if s["group"]:
            groups[s["group"]].append(set(s["cited"]))
    pairs = [
        bool(a & b) for g in groups.values() for n, a in enumerate(g) for b in g[n + 1 :]
    ]
    return {"n": len(pairs), "rate": round(sum(pairs) / len(pairs), 4) if pairs else 0.0}


def _beir_retriever(rows: list[dict[str, Any]], settings: Settings) -> Any:
    """The answering retriever over documents held in memory; vectors are kept for the next run."""
    import tempfile

    from rag.encoding import ensure_exported, open_embedder
    from rag.index_files import models_folder
    from rag.library import in_memory
    from rag.retrieval import HybridRetriever

    folder = ensure_exported(models_folder(settings.index), settings.embedder)
    embedder = open_embedder(folder)
    cache = settings.index / "evaluation"
    scratch = Path(tempfile.mkdtemp(prefix="glute-beir-"))

    def embed(texts: Sequence[str]) -> Any:
        key = sha256("\0".join([folder.name, *texts]).encode()).hexdigest()[:20]
        kept = cache / f"{key}.npy"
        if kept.is_file():
            return np.load(kept)
        vectors = _with_bar(embedder, texts)
        cache.mkdir(parents=True, exist_ok=True)
        np.save(kept, vectors)
        return vectors

    return HybridRetriever(in_memory(rows, embedder, embed, scratch))


def _with_bar(embedder: Any, texts: Sequence[str]) -> Any:
    from tqdm import tqdm

    with tqdm(total=len(texts), desc="Embedding", disable=not sys.stderr.isatty()) as bar:
        return embedder.embed(texts, bar.update)


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    opener: Any = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            for _number, line in enumerate(file, 1):
                if line.strip():
                    yield json.loads(line)
    except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise QuestionError(f"{str(path)!r} cannot be read: {error}") from error


def _either(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise QuestionError(f"{str(folder)!r} has neither {name} nor {name}.gz")


def _qrels(path: Path) -> dict[str, dict[str, int]]:
    opener: Any = gzip.open if path.suffix == ".gz" else open
    qrels: dict[str, dict[str, int]] = defaultdict(dict)
    with opener(path, "rt", encoding="utf-8") as file:
        for line in file:
            cells = line.rstrip("\n").split("\t")
            if len(cells) >= 3 and cells[-1].lstrip("-").isdigit():
                qrels[cells[0]][cells[-2]] = int(cells[-1])
    if not qrels:
        raise QuestionError(f"{str(path)!r} holds no judgements")
    return dict(qrels)
