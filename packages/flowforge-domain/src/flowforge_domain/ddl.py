"""What a SQL model writes, read from its text: `create [or replace] table|view X as …`, or a plain `select`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from flowforge_domain.dialect import Dialect, RelationKind
from flowforge_domain.errors import TemplateError
from flowforge_domain.relation import relation_name, scan_relation
from flowforge_domain.text import Location, caret, line_of, place_of

# Where a statement may begin, each of these begins a comment in some engine, and nothing else in any.
_NOTE = r"(?:--|#|//)[^\n]*"
# Comments of SQL and Jinja, Jinja statements, and config(): what may stand before the first token.
# A text in config() may itself hold a template: that of a hook.
_CONFIG = r"""\{\{-?\s*config\((?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^'"])*?\)\s*-?\}\}"""
_LEADING = re.compile(rf"(?:\s+|{_NOTE}(?:\n|\Z)|/\*.*?\*/|\{{#.*?#\}}|\{{%.*?%\}}|{_CONFIG})*", re.DOTALL)
_CREATE = re.compile(r"create\b", re.IGNORECASE)
_HEADER = re.compile(r"create\s+(?:or\s+replace\s+)?(table|view)\s+(?:if\s+not\s+exists\s+)?", re.IGNORECASE)
_MAKES = re.compile(_HEADER.pattern.replace("(table", r"(?:temp(?:orary)?\s+)?(table"), re.IGNORECASE)
_WITH = re.compile(r"with\s+(?:recursive\s+)?", re.IGNORECASE)
# Statements that give no rows in any engine: what is a query in one, as `describe` and `show` are, is for it to refuse.
_FOREIGN = re.compile(
    r"(insert|update|delete|merge|drop|alter|truncate|copy|grant|revoke|attach|detach|set|reset|begin|commit|rollback|use"
    r"|pragma|explain|call|execute|prepare|deallocate|vacuum|analyze|checkpoint|comment|install|load|export|import|refresh"
    r"|lock|do|declare|put|undrop|rename|replace|optimize)\b",
    re.IGNORECASE,
)
_FORM = "Write `create or replace table NAME as select …` or a plain `select …`."
# Between words. It gives nothing back, or every way to split a run of blanks would be tried.
_GAP = r"(?:\s|--[^\n]*|/\*.*?\*/)"
_WRITE = (
    rf"\({_GAP}*+(?P<write>(?:insert|merge){_GAP}++into|insert{_GAP}++overwrite|delete{_GAP}++from"
    r"|update\b[^();]{1,300}?\bset)\b"
)
_MAY_WRITE = re.compile(r"\b(?:insert|merge|delete|update)\b", re.IGNORECASE)
# Asked for its end only: with an anchor behind the repetition, every way to split a run of blanks would be tried.
_BLANK = re.compile(rf"(?:\s+|;|{_NOTE}|/\*.*?\*/)*", re.DOTALL)
_TAG = re.compile(r"(?=(\$\w*\$))")
_TEXT = "'(?:[^']|'')*'"
_ESCAPED_TEXT = r"'(?:[^'\\]|\\.|'')*'"
_LONG_TEXTS = r"'''(?:[^\\]|\\.)*?'''|" + r'"""(?:[^\\]|\\.)*?"""'
# The ways in which engines write SQL, the usual one first: for a text whose engine is not known.
_WAYS = (
    Dialect("standard", {}, ""),
    Dialect("backticks", {}, "", quote="`", backslash_escapes=True, line_comments=("--", "#")),
    Dialect("backslashes", {}, "", backslash_escapes=True, line_comments=("--", "//")),
)


@dataclass(frozen=True, slots=True)
class Target:
    """The head of a `create` statement: what it makes, and where in the text its head begins and ends."""

    kind: RelationKind
    relation: str
    start: int
    end: int


def find_target(sql: str, file: str = "", dialect: Dialect | None = None, thing: str = "model") -> Target | None:
    """Return what the text of a model, or of another `thing`, creates, or None for a plain query.

    Works on the template and on the SQL it renders to. Raises `TemplateError` when the text creates something else
    than a table or view, or one whose name is not literal.
    """
    start = cast("re.Match[str]", _LEADING.match(sql)).end()
    if not _CREATE.match(sql, start):
        if foreign := _FOREIGN.match(sql, start):
            raise _error(sql, start, file, f"A SQL {thing} is a query, not `{foreign.group().lower()}`.")
        return None
    head = _HEADER.match(sql, start)
    if head is None:
        raise _error(sql, start, file, f"A SQL {thing} creates a table or a view.")
    parts, end = scan_relation(sql, head.end())
    if not parts:
        raise _error(sql, head.end(), file, "The name after `create table` must be literal.")
    if not any(found["as"] for way in _ways(dialect) for found in _words(*_signs(way)).finditer(sql, end)):
        raise _error(sql, end, file, f"A SQL {thing} says `as` and a query after the name.")
    kind = cast("RelationKind", head.group(1).lower())
    return Target(kind, relation_name(*parts), start, end)


def first_line(sql: str) -> int:
    """Return the line on which the statement begins, behind the comments that stand before it."""
    return line_of(sql, cast("re.Match[str]", _LEADING.match(sql)).end())


def one_statement(sql: str, file: str = "", dialect: Dialect | None = None, thing: str = "model") -> str:
    """Return `sql`, of a model or another `thing`, without the semicolon that ends it.

    Raises `TemplateError` when another statement follows, and for a comment or text that is never closed; without a
    dialect only where that is so in every way of writing SQL.
    """
    refusals = []
    for way in _ways(dialect):
        try:
            return _one_statement(sql, file, _atoms(*_signs(way)), thing)
        except TemplateError as error:
            refusals.append(error)
    raise refusals[0]


def require_reading(sql: str, file: str = "", dialect: Dialect | None = None, thing: str = "model") -> None:
    """Raise `TemplateError` for a query that holds one which writes, as `with x as (delete from …)` does.

    What it changes would be known to nobody. Without a dialect, only where that is so in every way of writing SQL.
    """
    if not _MAY_WRITE.search(sql):
        return
    found = [
        next((atom for atom in _found(sql, _writes(*_signs(way))) if atom["write"]), None) for way in _ways(dialect)
    ]
    if all(found) and (first := found[0]):
        word = first["write"].split()[0].lower()
        message = f"A SQL {thing} is a query, and this part of it is `{word}`, which changes another table."
        raise _error(sql, first.start("write"), file, message, "Let a model write each table, or use a `post_hook`.")


def with_queries(sql: str, queries: Mapping[str, str], file: str, dialect: Dialect) -> str:
    """Return a model's SQL with named queries before its own, in this order; names are quoted already."""
    if not queries:
        return sql
    target = find_target(sql, file, dialect)
    start = _body(sql, target.end, dialect) if target else 0
    start = cast("re.Match[str]", _LEADING.match(sql, start)).end()
    own = _WITH.match(sql, start)
    named = ", ".join(f"{name} as (\n{query}\n)" for name, query in queries.items())
    if own:
        return f"{sql[: own.end()]}{named}, {sql[own.end() :]}"
    return f"{sql[:start]}with {named} {sql[start:]}"


def made_by(sql: str, dialect: Dialect) -> tuple[str, str] | None:
    """Return the relation that a `create table|view … as` makes, and its query; None for every other statement."""
    head = _MAKES.match(sql, cast("re.Match[str]", _LEADING.match(sql)).end())
    if head is None:
        return None
    parts, end = scan_relation(sql, head.end())
    query = sql[_body(sql, end, dialect) :]
    return (relation_name(*parts), query) if parts and query else None


def is_blank(sql: str, start: int = 0) -> bool:
    """Tell whether `sql` holds nothing but space, comments and semicolons from `start` on."""
    return cast("re.Match[str]", _BLANK.match(sql, start)).end() == len(sql)


def expression_fault(text: str) -> str:
    """Say why a text cannot stand as one expression within a statement of any engine, "" where nothing speaks against.

    Comments are refused too: they would hide what stands behind the expression.
    """
    for quoted in (_TEXT, _ESCAPED_TEXT):
        bare = re.sub(rf"{quoted}|{quoted.replace(chr(39), chr(34))}|`[^`]*`", "x", text)
        if not bare.strip():
            return "it is empty"
        if foreign := re.search(r"['\"`;\0]|--|/\*|\$\w*\$", bare):
            return f"it holds {foreign.group()!r} outside of a text"
        depth = 0
        for sign in re.findall("[()]", bare):
            depth += 1 if sign == "(" else -1
            if depth < 0:
                break
        if depth:
            return "its brackets do not match"
    return ""


def _one_statement(sql: str, file: str, atoms: re.Pattern[str], thing: str) -> str:
    for atom in _found(sql, atoms):
        # A backslash may have closed a text otherwise than we think: raw texts differ between engines.
        if atom["open"] and (atom["open"] == "/*" or "\\" not in sql):
            raise _error(sql, atom.start(), file, f"What {atom['open']} opens here is never closed.", "Close it.")
        if atom["end"]:
            if not is_blank(sql, atom.start()):
                message = f"A SQL {thing} is one statement; another follows this semicolon."
                own = "Make it a hook" if thing == "hook" else "Give it a file"
                raise _error(sql, atom.start(), file, message, f"{own} of its own, or remove it.")
            return sql[: atom.start()]
    return sql


def _found(sql: str, atoms: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Yield atoms; what stands between two of the same `$tag$` is passed over, and a tag that is alone is none.

    Where each tag comes last is known before, or one after the other would be looked for up to the end.
    """
    last = {tag[1]: tag.start() for tag in _TAG.finditer(sql)} if "$" in sql else {}
    place = 0
    while atom := atoms.search(sql, place):
        place = atom.end()
        if (tag := atom["tag"]) is None:
            yield atom
        elif last[tag] < place:
            place = atom.start() + 1
        else:
            place = sql.index(tag, place) + len(tag)


def _body(sql: str, start: int, dialect: Dialect) -> int:
    """Return where the query begins behind the head of a `create`, the end where it has none."""
    words = _words(*_signs(dialect)).finditer(sql, start)
    return next((found.end() for found in words if found["as"]), len(sql))


def _ways(dialect: Dialect | None) -> tuple[Dialect, ...]:
    return (dialect,) if dialect else _WAYS


def _signs(dialect: Dialect) -> tuple[bool, bool, tuple[str, ...]]:
    return dialect.quote == "`", dialect.backslash_escapes, dialect.line_comments


def _atoms(ticks: bool, escapes: bool, comments: tuple[str, ...]) -> re.Pattern[str]:
    """Return what finds semicolons, and skips the texts, names and comments in which they end no statement.

    What is never closed takes all the rest, or each quote in it would be tried as the begin of a text again.
    """
    opens = "'|\"|`" if ticks else "'|\""
    return re.compile(
        rf"{_hiding(ticks, escapes, comments)}|/\*.*?\*/|(?P<tag>\$\w*\$)|(?P<end>;)|(?P<open>/\*|{opens}).*", re.DOTALL
    )


def _writes(ticks: bool, escapes: bool, comments: tuple[str, ...]) -> re.Pattern[str]:
    """Return what finds a bracket and a statement that writes in it, and skips the texts, names and comments."""
    hiding = rf"{_hiding(ticks, escapes, comments)}|/\*.*?(?:\*/|\Z)|(?P<tag>\$\w*\$)|['\"].*"
    return re.compile(rf"(?is){hiding}|{_WRITE}")


def _words(ticks: bool, escapes: bool, comments: tuple[str, ...]) -> re.Pattern[str]:
    """Return what finds the word `as`, and skips the texts, names and comments in which it means nothing."""
    hiding = rf"{_hiding(ticks, escapes, comments)}|/\*.*?(?:\*/|\Z)|\{{#.*?(?:#\}}|\Z)|['\"].*"
    # Not by `flags`: to join two of them takes longer than to look at a model's statement with what they make.
    return re.compile(rf"(?is){hiding}|\b(?P<as>as)\b")


def _hiding(ticks: bool, escapes: bool, comments: tuple[str, ...]) -> str:
    """Return a pattern of texts, names and line comments; what stands in `"` is a name or a text with escapes."""
    text = _ESCAPED_TEXT if escapes else _TEXT
    double = (text if ticks else _TEXT).replace("'", '"')
    long = f"{_LONG_TEXTS}|" if ticks and escapes else ""
    notes = "|".join(map(re.escape, comments))
    return rf"{long}\b[eE]{_ESCAPED_TEXT}|{text}|{double}|`[^`]*`|(?:{notes})[^\n]*"


def _error(sql: str, offset: int, file: str, message: str, hint: str = _FORM) -> TemplateError:
    line, column = place_of(sql, offset)
    return TemplateError(
        message,
        where=Location(file, line) if file else None,
        snippet=caret(sql, line, column),
        hint=hint,
    )
