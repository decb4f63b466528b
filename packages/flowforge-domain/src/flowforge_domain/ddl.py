"""What a SQL model writes, read from its text: `create [or replace] table|view X as …`, or a plain `select`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast

from flowforge_domain.dialect import RelationKind
from flowforge_domain.errors import TemplateError
from flowforge_domain.relation import relation_name, scan_relation
from flowforge_domain.text import Location, caret, line_of

# Comments of SQL and Jinja, Jinja statements, and config(): what may stand before the first token.
_LEADING = re.compile(
    r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/|\{#.*?#\}|\{%.*?%\}|\{\{-?\s*config\(.*?\)\s*-?\}\})*", re.DOTALL
)
_CREATE = re.compile(r"create\b", re.IGNORECASE)
_HEADER = re.compile(r"create\s+(?:or\s+replace\s+)?(table|view)\s+(?:if\s+not\s+exists\s+)?", re.IGNORECASE)
# The word `as` outside of texts and comments, and what must be skipped to find it there.
_AS = re.compile(
    r"'[^']*'|\"[^\"]*\"|--[^\n]*|/\*.*?(?:\*/|\Z)|\{#.*?(?:#\}|\Z)|\b(?P<as>as)\b", re.IGNORECASE | re.DOTALL
)
# A literal (with backslashes after `e`), an identifier, a comment or a dollar-quoted text: semicolons inside them end
# no statement.
_ATOM = re.compile(
    r"\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|(\$\w*\$).*?\1"
    r"|(?P<end>;)|(?P<open>/\*|'|\")",
    re.DOTALL,
)
_FOREIGN = re.compile(
    r"(insert|update|delete|merge|drop|alter|truncate|copy|grant|revoke|attach|set|begin|commit)\b", re.IGNORECASE
)
_FORM = "Write `create or replace table NAME as select …` or a plain `select …`."
# Asked for its end only: with an anchor behind the repetition, every way to split a run of blanks would be tried.
_BLANK = re.compile(r"(?:\s+|;|--[^\n]*|/\*.*?\*/)*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Target:
    """The head of a `create` statement: what it makes, and where in the text its head begins and ends."""

    kind: RelationKind
    relation: str
    start: int
    end: int


def find_target(sql: str, file: str = "") -> Target | None:
    """Return what the model's text creates, or None for a plain query.

    Works on the template and on the SQL it renders to. Raises `TemplateError` when the text creates something else
    than a table or view, or one whose name is not literal.
    """
    start = cast("re.Match[str]", _LEADING.match(sql)).end()
    if not _CREATE.match(sql, start):
        if foreign := _FOREIGN.match(sql, start):
            raise _error(sql, start, file, f"A SQL model is a query, not `{foreign.group().lower()}`.")
        return None
    head = _HEADER.match(sql, start)
    if head is None:
        raise _error(sql, start, file, "A SQL model creates a table or a view.")
    parts, end = scan_relation(sql, head.end())
    if not parts:
        raise _error(sql, head.end(), file, "The name after `create table` must be literal.")
    if not any(found["as"] for found in _AS.finditer(sql, end)):
        raise _error(sql, end, file, "A SQL model says `as` and a query after the name.")
    kind = cast("RelationKind", head.group(1).lower())
    return Target(kind, relation_name(*parts), start, end)


def one_statement(sql: str, file: str = "") -> str:
    """Return `sql` without the semicolon that ends it.

    Raises `TemplateError` when another statement follows, and for a comment or text that is never closed.
    """
    for atom in _ATOM.finditer(sql):
        # A backslash may have closed a text otherwise than we think: in some dialects it escapes the quote.
        if atom["open"] and (atom["open"] == "/*" or "\\" not in sql):
            raise _error(sql, atom.start(), file, f"What {atom['open']} opens here is never closed.", "Close it.")
        if atom["end"]:
            if not is_blank(sql, atom.start()):
                message = "A SQL model is one statement; another follows this semicolon."
                raise _error(sql, atom.start(), file, message, "Give it a file of its own, or remove it.")
            return sql[: atom.start()]
    return sql


def is_blank(sql: str, start: int = 0) -> bool:
    """Tell whether `sql` holds nothing but space, comments and semicolons from `start` on."""
    return cast("re.Match[str]", _BLANK.match(sql, start)).end() == len(sql)


def _error(sql: str, offset: int, file: str, message: str, hint: str = _FORM) -> TemplateError:
    line = line_of(sql, offset)
    column = offset - (sql.rfind("\n", 0, offset) + 1) + 1
    return TemplateError(
        message,
        where=Location(file, line) if file else None,
        snippet=caret(sql, line, column),
        hint=hint,
    )
