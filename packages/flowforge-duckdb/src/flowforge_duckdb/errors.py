"""DuckDB's errors in FlowForge's words: one table says what each means, one context manager translates.

Sessions run with `errors_as_json`, so that DuckDB gives the exact byte of the statement that it complains about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import duckdb

from flowforge_domain.errors import EngineError, ErrorKind

# The first row whose class and pattern (searched in DuckDB's words, its subtype and type first) fit counts.
_MEANINGS: tuple[tuple[type[Exception], str, ErrorKind], ...] = (
    (duckdb.InterruptException, "", ErrorKind.CANCELLED),
    (duckdb.CatalogException, "^MISSING_ENTRY (Table|View|Schema)|because schema", ErrorKind.MISSING_RELATION),
    (duckdb.BinderException, "^COLUMN_NOT_FOUND|column named|column .*not found", ErrorKind.MISSING_COLUMN),
    (duckdb.BinderException, "does not have a column", ErrorKind.MISSING_COLUMN),
    (duckdb.BinderException, "Referenced table .* not found", ErrorKind.MISSING_RELATION),
    (duckdb.ParserException, "", ErrorKind.SYNTAX),
    (duckdb.SyntaxException, "", ErrorKind.SYNTAX),
    (duckdb.DataError, "", ErrorKind.DATA),
    (duckdb.ConstraintException, "", ErrorKind.DATA),
    (duckdb.InvalidInputException, "", ErrorKind.DATA),
    (duckdb.TransactionException, "[Cc]onflict", ErrorKind.CONFLICT),
    (duckdb.TransactionException, "constraint", ErrorKind.DATA),
    (duckdb.ConnectionException, "", ErrorKind.UNREACHABLE),
    (duckdb.IOException, "Could not set lock|already open", ErrorKind.UNREACHABLE),
)
_HINTS = re.compile(r"\s*(Did you mean|Candidate|Either |Possible solutions|\* )")
_CLASS = re.compile(r"^[\w /]+ Error: ")
_HOLDER = re.compile(r"(?:held in|open in)\s+(.+?) \(PID (\d+)\)", re.DOTALL)
_MOST_HINTS = 6


@contextmanager
def translated(sql: str = "") -> Iterator[None]:
    """Raise what DuckDB raises as `EngineError`; `sql` is the statement that line and column point into."""
    try:
        yield
    except duckdb.Error as error:
        raise _engine_error(error, sql) from error


def refusal(error: Exception, target: str) -> EngineError:
    """Return why the file `target` cannot be opened."""
    text = str(_facts(error)["exception_message"])
    if "Could not set lock" in text or "already open" in text:
        message, hint = _in_use(text, target)
    elif "not a valid DuckDB database" in text:
        message, hint = f"{target} is not a DuckDB database.", "Choose another `path`, or move this file away."
    else:
        message, hint = f"{target} cannot be opened: {text}", "Check the `path` and who may write there."
    return EngineError(message, kind=ErrorKind.UNREACHABLE, hint=hint)


def _in_use(text: str, target: str) -> tuple[str, str]:
    held = _HOLDER.search(text)
    if held is None:
        return f"{target} is in use by another process.", "Close it there: DuckDB lets one process write to a file."
    program, pid = held.groups()
    return f"{target} is in use by process {pid} ({program}).", f"Wait for process {pid}, or close the file there."


def _engine_error(error: Exception, sql: str) -> EngineError:
    facts = _facts(error)
    message, hint = _split(facts["exception_message"])
    line, column = _place(sql, facts.get("position"))
    return EngineError(message, kind=_kind(error, facts), line=line, column=column, hint=hint)


def _facts(error: Exception) -> dict[str, Any]:
    """Return what DuckDB says, as a mapping; errors from before a session was set up are plain text."""
    text = str(error)
    try:
        return dict(json.loads(text[text.index("{") :]))
    except ValueError:
        return {"exception_message": _CLASS.sub("", text.partition("\n\nLINE ")[0])}


def _kind(error: Exception, facts: Mapping[str, Any]) -> ErrorKind:
    said = f"{facts.get('error_subtype', '')} {facts.get('type', '')} {facts['exception_message']}"
    for meant, pattern, kind in _MEANINGS:
        if isinstance(error, meant) and re.search(pattern, said):
            return kind
    return ErrorKind.UNKNOWN


def _split(text: str) -> tuple[str, str]:
    """Part what is wrong from what DuckDB proposes."""
    lines = [line.rstrip().expandtabs(2) for line in text.splitlines() if line.strip()]
    at = next((i for i, line in enumerate(lines) if i and _HINTS.match(line)), len(lines))
    hints = lines[at:]
    if len(hints) > _MOST_HINTS:
        hints = [*hints[: _MOST_HINTS - 1], f"… {len(hints) - _MOST_HINTS + 1} more"]
    return "\n".join(lines[:at]), "\n".join(hints)


def _place(sql: str, position: str | None) -> tuple[int, int]:
    """Return line and column of a byte of the statement, (0, 0) where it is unknown or lies elsewhere."""
    written = sql.encode("utf-8", "replace")
    if not sql or position is None or int(position) > len(written):
        return 0, 0
    before = written[: int(position)].decode("utf-8", "ignore")
    return before.count("\n") + 1, len(before) - before.rfind("\n")
