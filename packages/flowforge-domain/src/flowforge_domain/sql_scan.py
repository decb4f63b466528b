"""A cheap look at SQL that finds all that could make a statement's result depend on more than its declared inputs.

It may be wrong in one direction only: what it finds may be harmless, so that a closer look is needed; where it finds
nothing, there is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from flowforge_domain.dialect import Dialect

_NAME = r'(?:"(?:[^"]|"")*"|`[^`]*`|[^\W\d][\w$]*)'
_TOKEN = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|/\*.*?\*/|\bdistinct\s+from\b
    |(?P<call>\b(?:extract|substring|trim|overlay)\s*\([^()'"]*?\bfrom\b)
    |(?P<reads>\b(?:from|join)\b)
    |\b(?P<queries>with)\b(?P<recursive>\s+recursive\b)?
    |(?P<ends>\b(?:where|group|having|order|limit|union|intersect|except|window|qualify|select|offset|fetch)\b)
    |(?P<other>\b(?:table|pivot|unpivot|summarize|describe|show|call)\b)
    |(?P<sign>[(),])""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_TARGET = re.compile(
    rf"\s*(?:lateral\b\s*)?(?:(?P<inner>\((?:\s*\()*\s*(?:select|with|values|from)\b)"
    rf"|(?P<name>{_NAME}(?:\.{_NAME})*)(?P<call>\s*\()?)",
    re.IGNORECASE,
)
_QUERY_NAMES = re.compile(rf"({_NAME})\s*(?:\([^()]*\)\s*)?as\s+(?:(?:not\s+)?materialized\s+)?\(", re.IGNORECASE)
_WORD = re.compile(r"[\w$]+")
_WORDS = re.compile(
    r"""(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`)|(?P<gap>(?:\s|--[^\n]*|/\*.*?\*/)+)""", re.DOTALL
)
_VALUES = re.compile(
    r"""(?P<text>(?<![\w$])'(?:[^']|'')*')|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|/\*.*?\*/
    |(?P<number>(?<![\w.$])\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.$]))""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
# What may stand between a function's name and its arguments.
_CALLED = r"""[\]"`]?(?:\s|(?:--|//|\#)[^\n]*|/\*.*?\*/)*\("""
ROW_MAKERS = frozenset({"unnest", "generate_series", "range", "flatten", "json_each", "generate_array"})
"""Functions that give rows of their arguments alone."""


def squeezed(sql: str, dialect: Dialect) -> str:
    """Return a text that is the same for SQL that differs in layout, comments or the case of words outside quotes.

    Unlike what a parser makes of it, it does not change with the parser's version.
    """
    if _is_hard(sql, dialect):
        return sql.strip()
    parts, end = [], 0
    for word in _WORDS.finditer(sql):
        parts += [sql[end : word.start()].casefold(), word[0] if word["quoted"] else " "]
        end = word.end()
    return "".join([*parts, sql[end:].casefold()]).strip()


def without_values(sql: str, dialect: Dialect) -> str:
    """Return SQL with its texts and numbers made alike: what a run writes into a log is another one each time."""
    if _is_hard(sql, dialect):
        return sql
    return _VALUES.sub(lambda found: "''" if found["text"] else "0" if found["number"] else found[0], sql)


def volatile_word(sql: str, dialect: Dialect) -> tuple[str, int] | None:
    """Return the first word that may be volatile, and its line; also one that stands in a text or comment."""
    fixed, patterns = _stems(dialect.volatile)
    words = set(_WORD.findall(sql.lower()))
    # Nearly all SQL is done with here, at a tenth of what it costs to search for so many words.
    if fixed.isdisjoint(words) and not any(map(patterns.fullmatch, words)):
        return None
    found = _words(dialect.volatile).search(sql)
    if found is None:
        return None
    name = re.match(r"[\w$]*", found.group())
    return name[0].lower() if name else "", sql.count("\n", 0, found.start()) + 1


def volatile_forms(volatile: Collection[str]) -> re.Pattern[str]:
    """Return what matches the words of a dialect, written as `name`, `.name` or `name()`."""
    plain = (_letters(word) + ("" if word.endswith("()") else r"(?:\(\))?") for word in sorted(volatile))
    return re.compile("|".join(plain), re.IGNORECASE)


def undeclared(sql: str, known: Collection[str], dialect: Dialect) -> str:
    """Return what a query may read besides the relations `known`, given as they are written; "" if nothing."""
    if _is_hard(sql, dialect):
        return "something"
    bodies = {found.end() - 1: _plain(found[1]) for found in _QUERY_NAMES.finditer(sql)}
    levels = [_Level()]
    for token in _TOKEN.finditer(sql):
        sign, level = token["sign"], levels[-1]
        if sign == "(" or token["call"]:
            levels.append(level.opened(bodies.get(token.start(), "")))
        elif sign == ")":
            levels = levels[:-1] or [_Level()]
            levels[-1].names.add(level.body)
        elif sign == "," and level.lists_tables:
            return "a list of tables"
        elif token["other"]:
            return token["other"].lower()
        level.follow(token)
        if token["reads"]:
            hidden = set().union(*(one.names for one in levels))
            if stranger := _stranger(sql, token.end(), known, hidden):
                return stranger
    return ""


@dataclass(slots=True)
class _Level:
    """What is known between two parentheses: which lists go on, and the names of `with` that count from here on.

    `body` is the name whose query stands here: to that query itself the name means a table, unless it is recursive.
    """

    body: str = ""
    lists_tables: bool = False
    queries: str = ""
    names: set[str] = field(default_factory=set)

    def opened(self, name: str) -> _Level:
        body = name if self.queries else ""
        if self.queries == "recursive":
            self.names.add(body)
        return _Level(body)

    def follow(self, word: re.Match[str]) -> None:
        if word["queries"]:
            self.queries = "recursive" if word["recursive"] else "with"
        elif word["ends"] or word["reads"]:
            self.lists_tables, self.queries = bool(word["reads"]), ""


def _stranger(sql: str, start: int, known: Collection[str], hidden: Collection[str]) -> str:
    target = _TARGET.match(sql, start)
    if target is None:
        return sql[start : start + 40].split("\n", maxsplit=1)[0].strip() or "something"
    name = target["name"]
    if name is None or name in known or (_plain(name) in hidden and not target["call"]):
        return ""
    return "" if target["call"] and name.lower() in ROW_MAKERS else name


def _is_hard(sql: str, dialect: Dialect) -> bool:
    """Tell whether texts or comments in `sql` may end elsewhere than in plain SQL."""
    signs = ["\\", "$", *(sign for sign in dialect.line_comments if sign != "--"), *('"' * (dialect.quote == "`"))]
    return any(sign in sql for sign in signs)


def _plain(name: str) -> str:
    """Return what is the same for the same name: in quotes and without them, it may be another one."""
    return name if name[0] in '"`' else name.casefold()


def _stems(volatile: frozenset[str]) -> tuple[frozenset[str], re.Pattern[str]]:
    stems = {word.strip(".()").lower() for word in volatile}
    patterns = (_letters(word) for word in stems if "*" in word)
    return frozenset(stems), re.compile("|".join(patterns) or "(?!)")


def _words(volatile: frozenset[str]) -> re.Pattern[str]:
    called = "|".join(sorted(_letters(word[:-2]) for word in volatile if word.endswith("()")))
    plain = "|".join(sorted(_letters(word.removeprefix(".")) for word in volatile if not word.endswith("()")))
    return re.compile(rf"\b(?:(?:{called or '(?!)'}){_CALLED}|(?:{plain or '(?!)'})\b)", re.IGNORECASE | re.DOTALL)


def _letters(word: str) -> str:
    return re.escape(word).replace(r"\*", r"\w*")
