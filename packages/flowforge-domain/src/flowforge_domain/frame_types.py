"""The types of a Python model's new rows, where its table has others: a frame tells only what it found.

A column without any value has no type of its own, whatever the frame library calls it, and takes that of the same
column in the table, or there of the new rows. Integers with a hole are floats to pandas: those that are whole fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flowforge_domain.dialect import quote_name
from flowforge_domain.plan import Columns, Situation
from flowforge_domain.schema_change import NO_TYPE, holds, type_name

# Up to which each holds every integer.
_INTEGERS = {"tinyint": 2**7 - 1, "smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
_FLOATS = {"real": 2**24, "double": 2**53}
_ASKED = 3


def unlike(situation: Situation) -> Columns:
    """Return the new rows' columns of another type than the table's, with the table's."""
    stands = {name.casefold(): kind for name, kind in situation.standing or ()}
    columns = ((name, stands.get(name.casefold(), kind), kind) for name, kind in situation.columns)
    return tuple((name, old) for name, old, new in columns if not (holds(old, new) and holds(new, old)))


def values_query(situation: Situation, columns: Columns) -> str:
    """Return the query for one row: of each column how many values are new, how many fit, and if the table has any."""
    new = dict(situation.columns)
    asked = (part for name, old in columns for part in _asked(situation, name, old, new[name]))
    return f"select {', '.join(asked)} from {situation.source} as source"


def typed_by_values(situation: Situation, columns: Columns, found: Sequence[int]) -> Situation:
    """Return the situation with the types that its values allow; `found` is the row that `values_query` gives."""
    fits, untyped = {}, set()
    for at, (name, old) in enumerate(columns):
        values, fitting, stands = found[at * _ASKED : (at + 1) * _ASKED]
        if not values:
            fits[name] = (old, "null")
        elif not stands:
            untyped.add(name.casefold())
        elif values == fitting:
            fits[name] = (old, quote_name(name, situation.dialect))
    return replace(
        situation,
        columns=tuple((name, fits[name][0] if name in fits else kind) for name, kind in situation.columns),
        standing=tuple((n, NO_TYPE if n.casefold() in untyped else kind) for n, kind in situation.standing or ()),
        casts={name: f"cast({value} as {old})" for name, (old, value) in fits.items()},
    )


def _asked(situation: Situation, name: str, old: str, new: str) -> tuple[str, str, str]:
    column, exact = quote_name(name, situation.dialect), _exact(type_name(old), type_name(new))
    fitting = f"count(case when {column} between -{exact} and {exact} and round({column}) = {column} then 1 end)"
    found = f"(select 1 as one from {situation.target} where {column} is not null limit 1) as found"
    stands = f"(select count(*) from {found})" if situation.dialect.retype_empty else "1"
    return f"count({column})", fitting if exact else "0", stands


def _exact(old: str, new: str) -> int:
    """Return up to which number two types hold the same integers, 0 unless one is of integers and one of floats."""
    for whole, other in ((old, new), (new, old)):
        if whole in _INTEGERS and other in _FLOATS:
            return min(_INTEGERS[whole], _FLOATS[other])
    return 0
