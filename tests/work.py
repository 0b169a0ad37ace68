"""How much work a call does, counted and not timed: the same on every machine, however busy."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

_METHODS = ("search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer")


class Work:
    """Function calls, and characters handed to regular expressions, while `measured` runs."""

    def __init__(self, patch: pytest.MonkeyPatch, package: str) -> None:
        self.calls = 0
        self.characters = 0
        for name in _METHODS:
            patch.setattr(re, name, self._counted(getattr(re, name)))
        for module in [m for n, m in sys.modules.items() if n.split(".")[0] == package]:
            for name, value in list(vars(module).items()):
                if isinstance(value, re.Pattern):
                    patch.setattr(module, name, _Pattern(value, self))

    def measured(self, do: Callable[[], object]) -> tuple[int, int]:
        """(calls, characters) of one run."""
        self.calls = self.characters = 0

        def count(frame: object, event: str, argument: object) -> None:
            self.calls += event in ("call", "c_call")

        sys.setprofile(count)
        try:
            do()
        finally:
            sys.setprofile(None)
        return self.calls, self.characters

    def read(self, arguments: tuple[Any, ...]) -> None:
        self.characters += max((len(a) for a in arguments if isinstance(a, str)), default=0)

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(pattern: Any, *arguments: Any, **named: Any) -> Any:
            self.read(arguments)
            return function(getattr(pattern, "real", pattern), *arguments, **named)

        return counted


class _Pattern:
    """A compiled pattern that says how much it is given to read."""

    def __init__(self, real: re.Pattern[str], work: Work) -> None:
        self.real = real
        self._work = work

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.real, name)
        if name not in _METHODS:
            return value

        def counted(*arguments: Any, **named: Any) -> Any:
            self._work.read(arguments)
            return value(*arguments, **named)

        return counted
