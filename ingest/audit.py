"""`python -m ingest check`: everything in a corpus that a reader should not meet.

`audit(folder)` returns findings and never raises for a bad file: a file that cannot be read is a
finding too. Rules are functions of the whole corpus here, and of single sentences in
`ingest.audit_statements`.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml

from ingest.audit_asked import asked_findings
from ingest.audit_statements import (
    READING_GRADE,
    figure_problems,
    measurement_problems,
    near_duplicates,
    reading_grade,
    statement_findings,
    transcription_problems,
)
from ingest.corpus_files import FOLDERS, Corpus, Document, read_corpus, read_document
from ingest.findings import (
    Finding,
    Shelf,
    Statement,
    field_line,
    relative,
    repeated_fields,
    shelf_of,
    statements_of,
)
from ingest.front_matter import doi_problem, problems_of
from ingest.markdown import links_of, sections_of
from rag.errors import CorpusError
from rag.settings import load_settings

SYLLABUS = "syllabus.yaml"
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


def audit(folder: Path) -> list[Finding]:
    """All findings of the corpus below `folder`, by file and line; `CorpusError` for no corpus."""
    return audit_corpus(read_corpus(folder))


def audit_corpus(corpus: Corpus) -> list[Finding]:
    shelf = shelf_of(corpus)
    said = {document.path: statements_of(document) for document in corpus.documents}
    findings = [*unreadable(corpus), *unread(corpus)]
    for document in corpus.documents:
        findings += audit_document(document, corpus.folder, shelf, said[document.path])
    named = [(relative(d, corpus.folder), s) for d in corpus.documents for s in said[d.path]]
    findings += near_duplicates(named)
    rules = (
        duplicates, alias_clashes, exercise_links, disagreements, missing_topics, asked_findings,
    )  # fmt: skip
    for rule in rules:
        findings += rule(corpus)
    if all(p.path.parent.name == FOLDERS["reference"] or p.path.suffix != ".md" for p in corpus.problems):
        findings += orphans(corpus, {key for _, s in named for key in s.keys})
    return sorted(set(findings))


def unreadable(corpus: Corpus) -> Iterator[Finding]:
    """Files that could not be read, at the line that YAML names where it names one."""
    for problem in corpus.problems:
        named = re.search(r"line (\d+), column", problem.reason)
        # YAML counts from below the fence, where there is one.
        line = int(named.group(1)) + (problem.path.suffix == ".md") if named else 1
        path = problem.path.relative_to(corpus.folder).as_posix()
        yield Finding(path, line, "unreadable", problem.reason)


def unread(corpus: Corpus) -> Iterator[Finding]:
    """Documents in folders within folders, which nothing reads."""
    for name in FOLDERS.values():
        for path in sorted((corpus.folder / name).glob("*/**/*.md")):
            where = path.relative_to(corpus.folder).as_posix()
            yield Finding(where, 1, "unread", f"is not read: move it to {name}/ itself")


def audit_document(
    document: Document,
    folder: Path,
    shelf: Shelf,
    statements: Sequence[Statement] | None = None,
) -> list[Finding]:
    """What is wrong with one document, given what the rest of its corpus offers."""
    path = relative(document, folder)
    if not document.meta and not document.body.strip():
        return [Finding(path, 1, "empty", "is an empty file")]
    statements = statements_of(document) if statements is None else statements
    findings = [
        Finding(path, field_line(document, name), "front-matter", message)
        for name, message in problems_of(document)
    ]
    findings += [
        Finding(path, line, "front-matter", f"field '{name}' stands there twice")
        for name, line in repeated_fields(document)
    ]
    if problem := doi_problem(document):
        findings.append(Finding(path, field_line(document, "DOI"), "doi", problem))
    if document.kind == "reference":
        line = field_line(document, "measurements")
        problems = measurement_problems(document)
        findings += [Finding(path, line, "measurement", message) for message in problems]
        findings += [
            Finding(path, field_line(document, field), "transcription", message)
            for field, message in transcription_problems(document)
        ]
    if not document.body.strip() and document.kind != "reference":
        findings.append(Finding(path, document.body_line, "empty", "has no text"))
    findings += statement_findings(path, document, statements, shelf)
    findings += dead_links(path, document, folder)
    findings += summary_findings(path, document, statements, shelf)
    if document.kind == "article" and "topic" in document.meta:
        grade = reading_grade(statements)
        if grade is not None and grade > READING_GRADE:
            message = f"plain sections read at grade {grade:.1f}, above {READING_GRADE}"
            findings.append(Finding(path, document.body_line, "reading-grade", message))
    return findings


def summary_findings(
    path: str, document: Document, statements: Sequence[Statement], shelf: Shelf
) -> Iterator[Finding]:
    """A summary cites nothing: its figures must be those of what the article cites."""
    summary = document.meta.get("summary")
    keys = tuple(dict.fromkeys(key for s in statements for key in s.keys))
    if isinstance(summary, str) and keys:
        line = field_line(document, "summary")
        for rule, message in figure_problems(Statement(summary, keys, "", line), shelf):
            yield Finding(path, line, rule, message)


def dead_links(path: str, document: Document, folder: Path) -> Iterator[Finding]:
    """Relative links and pictures whose file is not there, and fragments without a heading."""
    for number, address in links_of(document.body):
        target, _, fragment = unquote(address).partition("#")
        if _ELSEWHERE.match(target) or (target.startswith("/") and not target.endswith(".md")):
            continue
        line = document.body_line + number
        base = folder if target.startswith("/") else document.path.parent
        found = _existing(base / target.lstrip("/"), folder) if target else document.path
        if found is None:
            yield Finding(path, line, "link", f"'{target}' leads to no file of the corpus")
        elif fragment and found.suffix == ".md" and not _has_heading(found, document, fragment):
            yield Finding(path, line, "link", f"no heading answers to '#{fragment}'")


def _existing(path: Path, folder: Path) -> Path | None:
    for candidate in (path, path.with_name(f"{path.name}.md")):
        resolved = candidate.resolve()
        if resolved.is_file() and resolved.is_relative_to(folder.resolve()):
            return candidate
    return None


def _has_heading(found: Path, document: Document, fragment: str) -> bool:
    def anchor(text: str) -> str:
        return re.sub(r"[^\w]+", "-", text.lower()).strip("-")

    body = document.body
    if found != document.path:
        try:
            body = read_document(found, document.kind).body
        except CorpusError:  # a finding of its own
            return True
    return any(anchor(s.heading) == anchor(fragment) for s in sections_of(body))


def duplicates(corpus: Corpus) -> Iterator[Finding]:
    """References, articles or exercises that are in the corpus twice."""
    rules = (
        ("duplicate-id", "id", ("reference",)),
        ("duplicate-doi", "DOI", ("reference",)),
        ("duplicate-title", "title", ("article", "reference", "exercise")),
    )
    for rule, name, kinds in rules:
        first: dict[tuple[str, str], Document] = {}
        for document in corpus.documents:
            value = document.title if name == "title" else document.meta.get(name)
            key = re.sub(r"[^\w/.()]+", " ", str(value or "").casefold()).strip(" .")
            if not key or document.kind not in kinds:
                continue
            other = first.setdefault((document.kind, key), document)
            if other is not document:
                where = relative(other, corpus.folder)
                yield _at(corpus, document, name, rule, f"'{value}' is that of {where} too")


def alias_clashes(corpus: Corpus) -> Iterator[Finding]:
    """Names by which two exercises are called."""
    owner: dict[str, Document] = {}
    for document in corpus.of_kind("exercise"):
        for name in _names(document):
            other = owner.setdefault(name, document)
            if other is not document:
                message = f"'{name}' is a name of {relative(other, corpus.folder)} too"
                yield _at(corpus, document, "aliases", "alias", message)
    for document in corpus.of_kind("exercise"):
        for name, times in Counter(_names(document)).items():
            if times > 1:
                yield _at(corpus, document, "aliases", "alias", f"'{name}' stands there twice")


def exercise_links(corpus: Corpus) -> Iterator[Finding]:
    """Regressions and progressions that name no exercise of the corpus, or the exercise itself."""
    exercises = corpus.of_kind("exercise")
    known = {d.id: d.id for d in exercises}
    known |= {name: d.id for d in exercises for name in _names(d)}
    for document in exercises:
        for field in ("regressions", "progressions"):
            for name in _listed(document.meta.get(field)):
                found = known.get(str(name)) or known.get(str(name).casefold())
                if found is None:
                    message = f"{field}: '{name}' is no exercise of the corpus"
                elif found == document.id:
                    message = f"{field}: '{name}' is the exercise itself"
                else:
                    continue
                yield _at(corpus, document, field, "link", message)


def disagreements(corpus: Corpus) -> Iterator[Finding]:
    """`disagrees_with` entries without a counterpart: a disagreement has two sides."""
    sides: defaultdict[str, set[str]] = defaultdict(set)
    references = corpus.of_kind("reference")
    for document in references:
        sides[document.id] |= set(_opponents(document))
    for document in references:
        for other in _opponents(document):
            if other not in sides or other == document.id:
                message = f"disagrees_with: '{other}' is no other reference of the corpus"
            elif document.id not in sides[other]:
                message = f"disagrees_with: '{other}' does not name this reference in return"
            else:
                continue
            yield _at(corpus, document, "disagrees_with", "disagreement", message)


def missing_topics(corpus: Corpus) -> Iterator[Finding]:
    """Topics of the syllabus without an article or exercise, where the folder has a syllabus."""
    path = corpus.folder / SYLLABUS
    if not path.is_file():
        return
    try:
        text = path.read_text("utf-8-sig")
        topics = _topics(yaml.safe_load(text))
    except (yaml.YAMLError, AttributeError, TypeError, UnicodeDecodeError):
        yield Finding(SYLLABUS, 1, "unreadable", "is not 'articles' by group and 'exercises'")
        return
    for kind, slugs in topics.items():
        there = {d.id for d in corpus.documents if d.kind == kind}
        for slug in slugs:
            if slug not in there:
                line = 1 + text[: max(text.find(slug), 0)].count("\n")
                yield Finding(SYLLABUS, line, "syllabus", f"no {kind} '{slug}' in the corpus")
    for document in corpus.of_kind("article"):
        topic = document.meta.get("topic")
        complete = "summary" in document.meta
        if topic is None and complete and document.id in topics["article"]:
            yield _at(corpus, document, "topic", "front-matter", "field 'topic': is missing")
        elif topic is not None and topic not in topics["article"]:
            yield _at(corpus, document, "topic", "syllabus", f"'{topic}' is no syllabus topic")


def _topics(syllabus: Mapping[str, Any]) -> dict[str, list[str]]:
    groups: Mapping[str, Mapping[str, str]] = syllabus.get("articles") or {}
    articles = [str(slug) for group in groups.values() for slug in group]
    return {"article": articles, "exercise": [str(s) for s in syllabus.get("exercises") or ()]}


def orphans(corpus: Corpus, cited: set[str]) -> Iterator[Finding]:
    """References that nothing cites and that are not marked `background: true`.

    An imported reference that nobody has digested yet waits in the list of its article.
    """
    for document in corpus.of_kind("reference"):
        waiting = document.meta.get("background") is True or document.meta.get("undigested") is True
        if document.id not in cited and not waiting:
            message = "is cited by nothing: cite it, or mark it 'background: true'"
            yield Finding(relative(document, corpus.folder), 1, "orphan-reference", message)


def _at(corpus: Corpus, document: Document, field: str, rule: str, message: str) -> Finding:
    line = field_line(document, field)
    return Finding(relative(document, corpus.folder), line, rule, message)


def _names(document: Document) -> list[str]:
    """What an exercise is called, lower-case; an alias that repeats the name counts twice."""
    return [
        n.casefold() for n in (document.title, *map(str, _listed(document.meta.get("aliases"))))
    ]


def _opponents(document: Document) -> list[str]:
    entries = _listed(document.meta.get("disagrees_with"))
    return [str(e.get("id")) for e in entries if isinstance(e, Mapping)]


def _listed(value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


# -- the command --------------------------------------------------------------------------------


def add_check_parser(subparsers: Any) -> None:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "check",
        help="audit the corpus: citations, figures, fields, links; exit 2 where something is wrong",
        description="Audit the corpus. One line a finding: path:line: rule: message.",
    )
    parser.add_argument("--corpus", type=Path, metavar="DIR", help="the corpus folder")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run_check)


def run_check(args: argparse.Namespace) -> int:
    """Prints the findings; 0 where there are none, else 2."""
    corpus = read_corpus(load_settings(corpus=args.corpus).corpus)
    findings = audit_corpus(corpus)
    counts = {
        "articles": len(corpus.of_kind("article")),
        "references": len(corpus.of_kind("reference")),
        "exercises": len(corpus.of_kind("exercise")),
        "findings": len(findings),
    }
    if args.json:
        found = [asdict(finding) for finding in findings]
        print(json.dumps({"findings": found, "counts": counts}, ensure_ascii=False, indent=1))
    else:
        for finding in findings:
            print(finding)
        if not findings:
            print(
                ", ".join(f"{n} {kind}" for kind, n in counts.items() if kind != "findings")
                + ": nothing wrong"
            )
    return 2 if findings else 0
