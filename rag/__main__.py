"""`python -m rag`: ask, search, evaluate, verify, export."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from rag.commands import lines_of, print_json, read_text, run
from rag.errors import QuestionError
from rag.settings import Settings, load_settings


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="rag", description="Ask the corpus, search it, score it.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    ask = commands.add_parser("ask", help="answer one question, or a file of them")
    ask.add_argument("question", nargs="?", help="the question, in quotes")
    ask.add_argument("--jsonl", metavar="FILE", help='lines {"id", "question", "history"?, "audience"?}; - for stdin')
    ask.add_argument("--history", metavar="FILE", help='JSON list of {"role", "content"} before it')
    ask.add_argument("--audience", choices=["client", "trainer"])
    _index_option(ask)
    ask.add_argument("--json", action="store_true", help="the whole answer as JSON")
    ask.set_defaults(run=run_ask)

    search = commands.add_parser("search", help="ranked passages for some words")
    search.add_argument("words")
    search.add_argument("--k", type=_positive, default=10, help="how many (default 10)")
    search.add_argument("--kind", choices=["article", "reference", "exercise"])
    _index_option(search)
    search.add_argument("--json", action="store_true")
    search.set_defaults(run=run_search)

    evaluate = commands.add_parser("evaluate", help="score question files or a BEIR folder")
    evaluate.add_argument("path", metavar="FILE_OR_FOLDER")
    evaluate.add_argument("--split", default="test", help="qrels of a BEIR folder (default test)")
    evaluate.add_argument("--failures", type=int, default=20, help="failed questions to print (default 20)")
    evaluate.add_argument("--compare", metavar="FILE", help="an earlier --json output to compare with")
    _index_option(evaluate)
    evaluate.add_argument("--json", action="store_true")
    evaluate.set_defaults(run=run_evaluate)

    verify = commands.add_parser("verify", help="check statements against passages")
    verify.add_argument("--jsonl", metavar="FILE", required=True, help='lines {"id", "premise", "hypothesis"}; - for stdin')
    verify.set_defaults(run=run_verify)

    export = commands.add_parser("export", help="references as citations")
    export.add_argument("ids", nargs="+", metavar="REFERENCE_ID")
    export.add_argument("--format", choices=["apa", "bibtex", "ris", "csl-json"], default="apa")
    _index_option(export)
    export.set_defaults(run=run_export)
    return top


def run_ask(args: argparse.Namespace) -> int:
    from rag.question import parse_question
    from rag.rendering import answer_json

    if bool(args.question) == bool(args.jsonl):
        raise QuestionError('give either a "QUESTION" or --jsonl FILE')
    if args.jsonl:
        if args.history:
            raise QuestionError('--history goes with one question; a line of --jsonl has its own "history"')
        for line in answers(read_text(args.jsonl), args.audience, lambda: _coach(args)):
            print_json(line)
            sys.stdout.flush()
        return 0
    history = _json(read_text(args.history), args.history) if args.history else None
    question = parse_question(args.question, history, args.audience)
    coach = _coach(args)
    answer = coach.answer(question)
    if args.json:
        print_json(answer_json(answer))
    else:
        print(readable_answer(answer))
    return 0


def answers(text: str, audience: str | None, open_coach: Any) -> Iterator[dict[str, Any]]:
    """One answer a line, in order; a question that cannot be taken gives its error in its place.

    When all are done, `QuestionError` names the lines that are no JSON objects.
    """
    from rag.question import parse_question
    from rag.rendering import answer_json

    coach = open_coach()
    bad: list[str] = []
    for n, line in enumerate(lines_of(text), 1):
        if not line.strip():
            continue
        try:
            row = _row(line, n)
        except QuestionError as error:
            bad.append(str(error))
            yield {"id": None, "error": {"code": "bad_line", "message": str(error)}}
            continue
        try:
            question = parse_question(
                row.get("question"), row.get("history"), row.get("audience") or audience
            )
        except QuestionError as error:
            yield {"id": row.get("id"), "error": {"code": "bad_question", "message": str(error)}}
            continue
        yield {"id": row.get("id"), **answer_json(coach.answer(question))}
    if bad:
        more = f" (and {len(bad) - 1} more lines)" if len(bad) > 1 else ""
        raise QuestionError(bad[0] + more)


def run_search(args: argparse.Namespace) -> int:
    from rag.rendering import hit_json

    if not any(c.isalnum() for c in args.words):
        raise QuestionError("there is nothing to search for; give some words, in quotes")
    coach = _coach(args)
    hits = coach.search(args.words, k=args.k, kind=args.kind)
    rows = [
        hit_json(h, coach.references_of(h.passage, -1, len(h.passage.text))) for h in hits
    ]
    if args.json:
        print_json({"query": args.words, "count": len(rows), "hits": rows})
        return 0
    for row in rows:
        print(f"{row['rank']:>2}. [{row['source_kind']}] {' — '.join(filter(None, (row['title'], row['section'])))}  ({row['score']})")
        print(f"    {row['text'][:200]}{'…' if len(row['text']) > 200 else ''}\n    {row['passage_id']}")
    return 0


def run_evaluate(args: argparse.Namespace) -> int:
    from rag.evaluation import compared, evaluate_beir, evaluate_questions, readable

    settings = load_settings(index=args.index)
    path = Path(args.path)
    if not path.exists():
        raise QuestionError(f"there is no {args.path!r}; name a .jsonl file, a folder of them, or a BEIR folder")
    if path.is_dir() and (list(path.glob("corpus.jsonl*")) or list(path.glob("queries.jsonl*"))):
        result = evaluate_beir(path, args.split, settings)
    else:
        result = evaluate_questions(path, _coach(args))
    if args.compare:
        result["compared"] = compared(_json(read_text(args.compare), args.compare), result)
    if args.json:
        print_json(result)
    else:
        print(readable(result, args.failures))
    return 0


def run_verify(args: argparse.Namespace) -> int:
    from rag.checking import check, verify_lines
    from rag.entailment import open_entailment

    settings = load_settings()
    judge = partial(check, embedder=_embedder(settings), entailment=open_entailment(settings))
    for line in verify_lines(lines_of(read_text(args.jsonl)), judge):
        print_json(line)
    return 0


def run_export(args: argparse.Namespace) -> int:
    from rag.citing import format_reference
    from rag.index_files import current_version, read_documents

    settings = load_settings(index=args.index)
    references, _ = read_documents(current_version(settings.index))
    unknown = [i for i in args.ids if i not in references]
    if unknown:
        raise QuestionError(f"no reference {', '.join(map(repr, unknown))} in the index")
    found = [references[i] for i in args.ids]
    if args.format == "csl-json":
        print(json.dumps([dict(r.csl) for r in found], ensure_ascii=False, indent=1))
        return 0
    between = "\n" if args.format == "apa" else "\n\n"
    print(between.join(format_reference(r, args.format) for r in found))
    return 0


def _coach(args: argparse.Namespace) -> Any:
    from rag.opening import open_coach

    return open_coach(load_settings(index=args.index))


def _embedder(settings: Settings) -> Any:
    """The index's embedder where there is one: the checker does without otherwise."""
    from rag.encoding import model_folder, open_embedder
    from rag.index_files import models_folder

    folder = model_folder(models_folder(settings.index), settings.embedder)
    return open_embedder(folder) if (folder / "embedder.json").is_file() else None


def _index_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--index", type=Path, metavar="DIR", help="index folder (default: GLUTE_INDEX or .index)")


def _row(line: str, number: int) -> dict[str, Any]:
    row = _json(line, f"line {number}")
    if not isinstance(row, dict):
        raise QuestionError(f"line {number} is not a JSON object")
    return row


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise QuestionError(f"{where} is not valid JSON: {error}") from error


def _positive(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError("must be between 1 and 1000")
    return value


def readable_answer(answer: Any) -> str:
    from rag.rendering import text_beside_follow_ups

    lines = []
    if answer.safety:
        lines.append(f"! {answer.safety.message}\n")
    lines.append(text_beside_follow_ups(answer))
    if answer.notice:
        lines.append(f"\nNote: {answer.notice}")
    for citation in answer.citations:
        # A reference that nobody has digested yet has no kind; text before a heading, no section.
        studies = "; ".join(f"{r.label} ({r.kind})" if r.kind else r.label for r in citation.references)
        where = " — ".join(filter(None, (citation.passage.title, citation.passage.section)))
        lines.append(f"\n[{citation.marker}] {where}" + (f"\n    {studies}" if studies else ""))
    if answer.follow_ups:
        lines.append("\nYou could also ask: " + " · ".join(answer.follow_ups))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(run(parser()))
