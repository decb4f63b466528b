"""Views that are bound when they are read: which of them a change of a relation may break, and what comes of that."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flowforge_domain.dialect import Dialect
from flowforge_domain.errors import EngineError, ErrorKind, FlowForgeError
from flowforge_domain.materialize import drop_statement
from flowforge_domain.relation import relation_parts


@dataclass(frozen=True, slots=True)
class Renewals:
    """What becomes of views that cannot be read any more, each named by its relation.

    `text` gives the statement that makes one anew, "" where there is none, and raises `FlowForgeError` with a hint of
    its own. `later` tells of those that are made anew in time, of what is not there yet.
    """

    text: Callable[[str], str] = lambda _: ""
    later: Callable[[str], bool] = lambda _: False


def possible_readers(relation: str, definitions: Mapping[str, str]) -> list[str]:
    """Return which definitions may read a relation, also through others: all that hold its name, or that of one found.

    Each stands after one that it may read.
    """
    found: dict[str, None] = {}
    names = [relation]
    while names:
        holds = _named(relation_parts(names.pop(0))[-1]).search
        readers = [name for name, text in definitions.items() if name not in found and holds(text)]
        found |= dict.fromkeys(readers)
        names += readers
    return [*found]


def follow(
    relation: str,
    broken: Callable[[], Mapping[str, str]],
    make: Callable[[str, str], str],
    renewals: Renewals,
    dialect: Dialect,
) -> None:
    """Make views anew that a change of `relation` broke, where one may need another first.

    `broken` tells which they are, and why; `make` runs the statement that makes a view, or tells why it does not fit.
    Raises `EngineError` of kind DEPENDENTS for those that neither fit nor are made later.
    """
    while found := broken():
        left = {view: error for view, why in found.items() if (error := _unmade(view, why, make, renewals))}
        if len(left) == len(found):
            lost = {view: error for view, error in left.items() if not renewals.later(view)}
            if lost:
                raise _refusal(relation, lost, dialect)
            return


def _named(name: str) -> re.Pattern[str]:
    # Inside quotes of SQL that stands in a text, and of names.
    written = {re.escape(name), re.escape(name.replace('"', '""')), re.escape(name.replace("'", "''"))}
    return re.compile(rf"(?<!\w)(?:{'|'.join(sorted(written))})(?!\w)", re.IGNORECASE)


def _unmade(view: str, why: str, make: Callable[[str, str], str], renewals: Renewals) -> EngineError | None:
    """Make a view anew, or return why it cannot be."""
    lost = "could not be read any more"
    try:
        statement = renewals.text(view)
    except FlowForgeError as reason:
        message = f"view {view} {lost}: {why}\n{reason.message}"
        return EngineError(message, kind=ErrorKind.DEPENDENTS, hint=reason.hint)
    if not statement:
        return EngineError(f"view {view} {lost}: {why}", kind=ErrorKind.DEPENDENTS)
    if still := make(view, statement):
        message = f"view {view}, as its model is now, {lost}: {still}"
        return EngineError(message, kind=ErrorKind.DEPENDENTS)
    return None


def _refusal(relation: str, lost: Mapping[str, EngineError], dialect: Dialect) -> EngineError:
    first, *others = lost.values()
    message = f"{relation} cannot be changed so: {first.message}"
    if others:
        message += f"\nNor could {', '.join(f'view {view}' for view in [*lost][1:])}."
    drops = "; ".join(drop_statement(view, "view", dialect) for view in reversed([*lost]))
    own = next((error.hint for error in lost.values() if error.hint), "")
    hint = own or f"Keep what it needs, or drop it: {drops}"
    return EngineError(message, kind=ErrorKind.DEPENDENTS, hint=hint)
