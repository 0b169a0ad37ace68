"""XML from strangers: no entities, no outside files, bounded, control characters gone."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import IO, Any

from rag.errors import CorpusError

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
MAX_DEPTH = 200


class CleanedBytes(io.RawIOBase):
    """A binary stream without the control characters XML forbids.

    WordPress exports write them raw (pasted text holds U+000B); every strict parser then refuses
    the file, and a recovering one loses the text before them.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while True:
            chunk = self._stream.read(size)
            cleaned = _CONTROL.sub(b" ", chunk)
            if cleaned or not chunk:
                return cleaned


def parse_xml(source: bytes | Path, what: str) -> Any:
    """The root element; raises `CorpusError` where this is no XML that may be read."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, XMLParser, parse

    stream = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    with stream:
        try:
            parser = XMLParser(forbid_dtd=False, forbid_entities=True, forbid_external=True)
            root = parse(CleanedBytes(stream), parser=parser).getroot()
        except DefusedXmlException as error:
            raise CorpusError(f"{what} defines XML entities or outside parts: refused") from error
        except (ParseError, ValueError, LookupError, OSError) as error:
            reason = " ".join(str(error).split())
            raise CorpusError(f"{what} is not well-formed XML ({reason})") from error
    return root


def local(tag: Any) -> str:
    """An element's name without its namespace."""
    return str(tag).rpartition("}")[2].lower()


def children(node: Any, name: str) -> list[Any]:
    """The children of that local name."""
    return [child for child in node if local(child.tag) == name]


def text_at(node: Any, *names: str) -> str:
    """The text of the first child of one of the local names; "" where there is none."""
    for name in names:
        for child in children(node, name):
            return "".join(child.itertext()).strip()
    return ""
