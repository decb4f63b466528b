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
from flowforge_domain.text import nearest, place_of

# The first row counts whose class and pattern, searched in DuckDB's words, fit.
_MEANINGS: tuple[tuple[type[Exception], str, ErrorKind], ...] = (
    (duckdb.InterruptException, "", ErrorKind.CANCELLED),
    (duckdb.CatalogException, r"(Table|View|Schema) with name .* does not exist", ErrorKind.MISSING_RELATION),
    (duckdb.CatalogException, r"main key table|depends? on (it|a column)", ErrorKind.DEPENDENTS),
    (duckdb.DependencyException, "", ErrorKind.DEPENDENTS),
    (duckdb.BinderException, r"Referenced table .* not found", ErrorKind.MISSING_RELATION),
    (duckdb.BinderException, r"[Cc]olumn .* not found|not have a column", ErrorKind.MISSING_COLUMN),
    (duckdb.ParserException, "", ErrorKind.SYNTAX),
    (duckdb.SyntaxException, "", ErrorKind.SYNTAX),
    (duckdb.DataError, "", ErrorKind.DATA),
    (duckdb.IntegrityError, "", ErrorKind.DATA),
    (duckdb.InvalidInputException, "read-only mode", ErrorKind.PERMISSION),
    (duckdb.InvalidInputException, "", ErrorKind.DATA),
    (duckdb.NotImplementedException, "Arrow", ErrorKind.DATA),
    (duckdb.TransactionException, "[Cc]onflict", ErrorKind.TRANSIENT),
    (duckdb.TransactionException, "constraint", ErrorKind.DATA),
    (duckdb.ConnectionException, "", ErrorKind.UNREACHABLE),
)
_HINTS = re.compile(r"\s*(Did you mean|Candidate|Either |Please try|Possible )")
_CLASS = re.compile(r"^[\w /]+ Error: ")
_MOST_HINTS = 6
_QUALIFIED = r'(?:"[^"]+"\.|\w+\.)*"?'


@contextmanager
def translated(sql: str = "") -> Iterator[None]:
    """Raise what DuckDB raises as `EngineError`, Ctrl-C as what it is.

    `sql` is the statement that line and column point into.
    """
    try:
        yield
    except (duckdb.Error, RuntimeError, UnicodeError) as error:
        # DuckDB's client takes Ctrl-C for itself and says so in a RuntimeError of these words.
        if type(error) is RuntimeError and str(error) == "Query interrupted":
            raise KeyboardInterrupt from error
        raise _engine_error(error, sql) from error


def _engine_error(error: Exception, sql: str) -> EngineError:
    facts = _facts(error)
    message, hint = _split(facts["exception_message"])
    if message.startswith("Ambiguous reference to catalog or schema"):
        hint = "A database has this name too, as a file has that of its stem: choose another schema, or another file."
    if facts.get("type") == "Table" and not _is_alike(facts):
        hint = ""
    line, column = _place(sql, facts)
    return EngineError(message, kind=_kind(error, message), line=line, column=column, hint=hint)


def _facts(error: Exception) -> dict[str, Any]:
    """Return what DuckDB says, as a mapping; errors from before a session was set up are plain text."""
    text = str(error)
    plain = {"exception_message": _CLASS.sub("", text.partition("\n\nLINE ")[0])}
    try:
        said = json.loads(text[text.index("{") :])
    except ValueError:
        return plain
    return said if "exception_message" in said else plain


def _kind(error: Exception, said: str) -> ErrorKind:
    fitting = (kind for meant, words, kind in _MEANINGS if isinstance(error, meant) and re.search(words, said))
    return next(fitting, ErrorKind.UNKNOWN)


def _split(text: str) -> tuple[str, str]:
    """Part what is wrong from what DuckDB proposes."""
    lines = [line.rstrip().expandtabs(2) for line in text.splitlines() if line.strip()]
    at = next((i for i, line in enumerate(lines) if i and _HINTS.match(line)), len(lines))
    hints = lines[at:]
    if len(hints) > _MOST_HINTS:
        hints = [*hints[: _MOST_HINTS - 1], f"… {len(hints) - _MOST_HINTS + 1} more"]
    return "\n".join(lines[:at]), "\n".join(hints)


def _is_alike(facts: Mapping[str, str]) -> bool:
    """Tell whether a table that DuckDB proposes is named like the missing one: it always has one to propose."""
    proposed = facts.get("candidates", "").split(", ")
    return nearest(facts.get("name", ""), [name.rpartition(".")[2] for name in proposed]) is not None


def _place(sql: str, facts: Mapping[str, str]) -> tuple[int, int]:
    """Return line and column of the byte that DuckDB names, (0, 0) where it names none."""
    written = sql.encode("utf-8", "replace")
    at = int(facts.get("position", len(written) + 1))
    # Inside a view, the position counts in the view's own text: what is missing does not stand there in ours.
    blamed = re.compile(_QUALIFIED + re.escape(facts.get("name", "")), re.IGNORECASE)
    if not sql or at > len(written) or not blamed.match(written[at:].decode("utf-8", "ignore")):
        return 0, 0
    before = written[:at].decode("utf-8", "ignore")
    return place_of(before, len(before))
