"""Relations: the names of tables and views, as one string that every engine can take apart.

A relation is written as its parts joined by dots; a part that is not a plain word is quoted with `"`, as in
`analytics.users` or `"my table"`. Quoting for an engine is the dialect's work (`dialect.py`).
"""

from __future__ import annotations

import re

from flowforge_domain.errors import ConfigError

_PLAIN = re.compile(r"[^\W\d]\w*\Z")
_PART = re.compile(r'"((?:[^"]|"")+)"|`((?:[^`]|``)+)`|((?:(?!--|/\*)[^\s."`;(){}\',])+)')


def relation_name(*parts: str) -> str:
    """Return the relation with these unquoted parts, e.g. `relation_name("analytics", "my table")`."""
    return ".".join(p if _PLAIN.match(p) else '"' + p.replace('"', '""') + '"' for p in parts)


def relation_parts(relation: str) -> tuple[str, ...]:
    """Return the unquoted parts of a relation.

    Raises `ConfigError` when the text is no relation.
    """
    if _PLAIN.match(relation):
        return (relation,)
    if all(map(_PLAIN.match, words := relation.split("."))):
        return tuple(words)
    parts, end = scan_relation(relation, 0)
    if not parts or end != len(relation):
        raise ConfigError(f"{relation!r} is not the name of a table.", hint='Quote special names with ".')
    return parts


def scan_relation(text: str, start: int) -> tuple[tuple[str, ...], int]:
    """Return the parts of the relation written at `start` of `text`, and where it ends; no parts if none is."""
    parts: list[str] = []
    end = start
    while found := _PART.match(text, end):
        quoted, ticked, plain = found.groups()
        parts.append(quoted.replace('""', '"') if quoted else ticked.replace("``", "`") if ticked else plain)
        end = found.end()
        if text[end : end + 1] != ".":
            return tuple(parts), end
        end += 1
    return (), start


def same_relation(relation: str) -> str:
    """Return the form in which two spellings of one relation are equal; case does not tell them apart."""
    return relation.casefold()
