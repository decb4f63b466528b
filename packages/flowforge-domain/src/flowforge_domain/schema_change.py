"""How a table that stands follows a query whose columns have changed (`on_schema_change`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote

from flowforge_domain.config import OnSchemaChange
from flowforge_domain.dialect import Dialect, quote_name
from flowforge_domain.errors import ConfigError
from flowforge_domain.plan import Columns, Refusal

NO_TYPE = "null"
"""The type of a column without any value, which every type holds; an engine may have one of that name."""

_SAME = {
    "int": "integer", "int4": "integer", "int32": "integer", "int2": "smallint", "int16": "smallint",
    "int8": "bigint", "int64": "bigint", "long": "bigint", "float8": "double", "float64": "double",
    "double precision": "double", "float4": "real", "float": "real",
    "string": "text", "varchar": "text", "character varying": "text",
    "numeric": "decimal", "number": "decimal", "datetime": "timestamp", "timestamp without time zone": "timestamp",
}  # fmt: skip
_INTEGERS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19, "hugeint": 39}
_EXACT_IN = {"real": 7, "double": 15}
NO_TIMES = frozenset({*_INTEGERS, *_EXACT_IN, "decimal", "boolean", "bool", "bignumeric", "ubigint", "uinteger"})
# Of a fixed length, to which values are filled up.
_BITS = "bit"
_TYPE = re.compile(r"\s*([^(]+?)\s*(?:\((\d+)\s*(?:,\s*(\d+)\s*)?\))?\s*\Z")
_HINT = "Set `on_schema_change` to {}, or build it from scratch: flowforge run --full-refresh --select {}"


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """What is done to the table before rows are written: columns to add, to drop, and to give a wider type.

    `typed` are columns without any value that are given one, and `narrowed` those whose values need not all fit their
    new type: `losses` asks whether they do.
    """

    added: Columns = ()
    dropped: tuple[str, ...] = ()
    widened: Columns = ()
    typed: Columns = ()
    narrowed: Columns = ()

    @property
    def reshaped(self) -> tuple[str, ...]:
        """The columns that are no more afterwards, or no more what they were."""
        return (*self.dropped, *(column for column, _ in (*self.widened, *self.typed, *self.narrowed)))


def schema_change(name: str, rule: OnSchemaChange, standing: Columns, given: Columns) -> SchemaChange:
    """Return what makes the table of model `name` fit to take the columns that its query gives.

    A type that only grows is followed under every rule but `fail`. Raises `ConfigError` naming the columns.
    """
    old = {column.casefold(): kind for column, kind in standing}
    new = {column.casefold() for column, _ in given}
    added = tuple((column, kind) for column, kind in given if column.casefold() not in old)
    gone = tuple(column for column, _ in standing if column.casefold() not in new)
    other = tuple((c, k) for c, k in given if c.casefold() in old and not holds(old[c.casefold()], k))
    typed = tuple((c, k) for c, k in other if _is_none(old[c.casefold()]))
    wider = tuple((c, k) for c, k in other if holds(k, old[c.casefold()]) and (c, k) not in typed)
    strange = tuple(pair for pair in other if pair not in (*wider, *typed))
    if rule == "fail" and (added or gone or other):
        raise _refused(name, added, gone, other, only_sync=bool(strange))
    if strange and rule != "sync_all_columns":
        raise _refused(name, (), (), strange, only_sync=True)
    if rule == "ignore" and gone:
        raise _refused(name, (), gone, ())
    if rule == "ignore":
        return SchemaChange(widened=wider, typed=typed)
    return SchemaChange(added, gone if rule == "sync_all_columns" else (), wider, typed, strange)


def alterations(table: str, change: SchemaChange, dialect: Dialect) -> Iterator[str]:
    """Yield the statements that change a (quoted) table so; raise `ConfigError` for what the engine cannot do."""
    if change.added and not dialect.adds:
        message = f"{dialect.name} adds no columns, and the query gives {', '.join(c for c, _ in change.added)} too."
        raise ConfigError(message, hint="Use ignore, or build the table from scratch: --full-refresh.")
    if change.dropped and not dialect.drops:
        message = f"{dialect.name} drops no columns, and the query gives no {', '.join(change.dropped)} any more."
        raise ConfigError(message, hint="Use append_new_columns, or build the table from scratch: --full-refresh.")
    retyped = (((*change.widened, *change.narrowed), dialect.retype), (change.typed, dialect.retype_empty))
    if other := [pair for columns, form in retyped if not form for pair in columns]:
        named = ", ".join(f"{column} is now {kind}" for column, kind in other)
        message = f"{dialect.name} gives no column another type, and in the query {named}."
        raise ConfigError(message, hint="Cast it to the type it had, or build the table from scratch: --full-refresh.")
    for column, kind in change.added:
        yield dialect.adds.format(table=table, column=quote_name(column, dialect), type=kind)
    for column in change.dropped:
        yield dialect.drops.format(table=table, column=quote_name(column, dialect))
    for columns, form in retyped:
        for column, kind in columns:
            yield form.format(table=table, column=quote_name(column, dialect), type=kind)


def losses(table: str, change: SchemaChange, standing: Columns, dialect: Dialect) -> Iterator[Refusal]:
    """Yield what refuses a new type of a (quoted) table's column by which a value that stands would become another."""
    old = {column.casefold(): kind for column, kind in standing}
    for column, kind in change.narrowed:
        had, name = old[column.casefold()], quote_name(column, dialect)
        again, kept = f"cast(cast({name} as {kind}) as {had})", comparable(name, had, dialect)
        lost = f"{comparable(again, had, dialect)} <> {kept} or {again} is null"
        # Bits come back from a longer type as they were, and are others there.
        lost = "1 = 1" if _BITS in (type_name(had), type_name(kind)) else lost
        yield Refusal(
            f"select {name} from {table} where {name} is not null and ({lost}) limit 3",
            f"{column} is now {kind}, and values that stand, which are {had}, would change by it; nothing was written.",
            f"Cast it in the model to {had}, or build it from scratch: --full-refresh.",
            setting="on_schema_change",
        )


def holds(wide: str, narrow: str) -> bool:
    """Tell whether a column of engine type `wide` takes every value of type `narrow` as it is."""
    # Where an engine lets a column have no type, it takes all.
    if not wide or _is_none(narrow):
        return True
    (one, size, scale), (other, least, places) = _parsed(wide), _parsed(narrow)
    if one == other == _BITS:
        return size == least
    if one == other:
        return _enough(size, least) and (one != "decimal" or _decimal_holds(size, scale, least, places))
    digits = _INTEGERS.get(other)
    if digits is not None:
        known = {**_INTEGERS, **_EXACT_IN}.get(one)
        return (known is not None and known >= digits) or (one == "decimal" and (size or 38) - (scale or 0) >= digits)
    return (other, one) in {("real", "double"), ("date", "timestamp")}


def comparable(value: str, kind: str, dialect: Dialect) -> str:
    """Return an expression of an engine type as one that has an equality."""
    as_text = type_name(kind.removesuffix("[]")) in dialect.compared_as_text
    return f"cast({value} as {dialect.types['text']})" if as_text else value


def type_name(kind: str) -> str:
    """Return an engine's type without its size, one name for what engines call differently."""
    return _parsed(kind)[0]


def _is_none(kind: str) -> bool:
    return kind.strip('"').casefold() == NO_TYPE


def _parsed(kind: str) -> tuple[str, int | None, int | None]:
    found = _TYPE.match(kind.casefold())
    if found is None:
        return kind.casefold(), None, None
    name, size, scale = found.groups()
    return _SAME.get(name, name), int(size) if size else None, int(scale) if scale else None


def _enough(size: int | None, least: int | None) -> bool:
    return size is None or (least is not None and size >= least)


def _decimal_holds(size: int | None, scale: int | None, least: int | None, places: int | None) -> bool:
    whole, needed = (size or 38) - (scale or 0), (least or 38) - (places or 0)
    return whole >= needed and (scale or 0) >= (places or 0)


def _refused(name: str, added: Columns, gone: tuple[str, ...], other: Columns, only_sync: bool = False) -> ConfigError:
    parts = [
        *(f"{column} is new" for column, _ in added),
        *(f"{column} is gone" for column in gone),
        *(f"{column} is now {kind}" for column, kind in other),
    ]
    rules = "sync_all_columns" if only_sync else "append_new_columns or sync_all_columns"
    message = f"The query gives other columns than the table has: {', '.join(parts)}."
    return ConfigError(message, hint=_HINT.format(rules, quote(name)))
