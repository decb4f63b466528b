"""Places in a user's files, carets under them, and suggestions for misspelt names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_LONGEST_LINE = 160
_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a user's file; `line` and `column` count from 1, 0 means unknown."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


def caret(text: str, line: int, column: int = 0) -> str:
    """Return line `line` of `text` with its number and, where `column` is known, a caret below it."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not 1 <= line <= len(lines):
        return ""
    shown, column = _window(lines[line - 1], column)
    shown = "".join(c if c.isprintable() else " " for c in shown)
    gutter = f"{line:>5} | "
    if column < 1:
        return gutter + shown
    return f"{gutter}{shown}\n{' ' * (len(gutter) + column - 1)}^"


def caret_below(text: str, line: int, *names: str) -> str:
    """Return line `line` of `text` with a caret below the first of `names` that it holds, else its first tag."""
    lines = text.split("\n")
    shown = lines[line - 1] if 0 < line <= len(lines) else ""
    found = [re.search(rf"(?<!\w){re.escape(name)}(?!\w)", shown) for name in names if name]
    first = next(filter(None, found), None) or re.search(r"\{[{%]", shown) or re.search(r"\S", shown)
    return caret(text, line, first.start() + 1 if first else 0)


def line_of(text: str, offset: int) -> int:
    """Return the 1-based line on which character `offset` of `text` stands."""
    return text.count("\n", 0, offset) + 1


def place_of(text: str, offset: int) -> tuple[int, int]:
    """Return the 1-based line and column of character `offset` of `text`."""
    return line_of(text, offset), offset - text.rfind("\n", 0, offset)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` most likely meant, or None."""
    import difflib

    by_folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def misspelt(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` is nearly written as, or None; for names that say too much to be guessed at."""
    import difflib

    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.85)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return one sentence that leads from `name` to a known name: the nearest one, else a short list."""
    known = sorted(set(known))
    found = nearest(name, known)
    if found is not None:
        return f"Did you mean {found!r}?"
    if not known:
        return ""
    listed = ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
    return f"Known: {listed}."


def shortened(value: str) -> str:
    """Return a value as a message shows it: as much of a long one as tells which it is."""
    return value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}…"


def printable(text: str) -> str:
    """Return `text` with control and direction-changing characters escaped, safe to show in a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def words_of(error: BaseException) -> str:
    """Return what an exception of somebody else's code says; its `__str__` may fail in its turn."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - anything, from a class that we know nothing of
        return ""


def _window(line: str, column: int) -> tuple[str, int]:
    """Cut a very long line around its column, so that a message stays readable."""
    if len(line) <= _LONGEST_LINE:
        return line, column
    start = max(0, column - _LONGEST_LINE // 2)
    return line[start : start + _LONGEST_LINE], column - start
