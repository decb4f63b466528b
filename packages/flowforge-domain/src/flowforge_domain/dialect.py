"""What the core must know of an engine's SQL, as data; and the one way to quote for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from unicodedata import category

from flowforge_domain.errors import ConfigError
from flowforge_domain.relation import relation_name, relation_parts, same_relation

RelationKind = Literal["table", "view"]
NeutralType = Literal[
    "text", "bigint", "double", "boolean", "timestamp",
    "date", "timestamptz", "decimal", "binary", "json", "list", "struct",
]  # fmt: skip
# BigQuery takes neither a doubled quote nor a line break inside a text.
_ESCAPES = str.maketrans({"\\": r"\\", "'": r"\'", "\n": r"\n", "\r": r"\r"})
_LOWER = re.compile(r"[a-z_][a-z0-9_$]*")
_UPPER = re.compile(r"[A-Z_][A-Z0-9_$]*")

VOLATILE = frozenset({
    "now", "today", "yesterday", "tomorrow", "sysdate", "getdate()", "current_date", "current_time",
    "current_timestamp", "current_datetime", "localtime", "localtimestamp", "transaction_timestamp()",
    "statement_timestamp()", "clock_timestamp()", "timeofday()", "get_current_timestamp()", "random()", "rand()",
    "uuid()", "gen_random_uuid()", "generate_uuid()", "uuid_generate_v4()", "uuidv4()", "uuidv7()", "setseed()",
    "tablesample", "sample", "nextval()", ".nextval", "currval()", ".currval", "lastval()", "current_user",
    "session_user", "current_role", "current_setting()", "getenv()", "getvariable()", "txid_current()",
})  # fmt: skip
"""Words of SQL whose presence may mean that the same statement gives another result at another time.

`name()` counts where it is called, `.name` behind a point, and a plain `name` wherever it stands unquoted; a `*` stands
for any letters.
"""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The SQL of one engine.

    `replaces` are the kinds for which it knows `create or replace`, `renames` those to which `alter … rename to` gives
    another name; `types` gives its name for the first five neutral types, and for those of the others that it has:
    decimal(38, 9), a list of bigint, a struct of bigint a and text b; `age_minutes` is an expression over `{column}`
    for the minutes since a timestamp, by the engine's clock; a timestamp without zone is UTC; `longest_name` is in
    characters, or in bytes of UTF-8 where `names_in_bytes`; `schemas` is whether tables live in schemas that can be
    created, `default_schema` is the one that an unqualified name means, and `taken_schemas` are those, in lower case,
    that no model may write to; `qualifies` is whether such a name is written with that schema, for a view knows nothing
    of the session's; `swaps` is whether a relation is built beside the one it replaces and then takes its place
    (`swap.py`), since nothing replaces it where it stands; `quote` stands around names, and where it is a backtick, `"`
    stands around texts; `backslash_escapes` is whether a backslash in a text escapes what follows it, and
    `line_comments` are the signs that begin a comment up to the line's end; `folds_up` is whether an unquoted name
    means its upper case (then a plain word in lower case is written in upper case, and one in upper case comes back in
    lower case); `after_name` stands behind the name in `create or replace`; `name_categories` are the Unicode
    categories, or their first letters, of which the characters of a name must be, any where there are none;
    `table_names` is a pattern of the names that tables and schemas may have, where not every name will do; `deletes` is
    whether rows of a table can be deleted, and `deletes_by_merge` whether `merge into` does so, since `delete` knows no
    subquery; `gathers_state` is whether a run writes its state rows together at its end, since each statement that
    writes is costly; `shares_transactions` is whether light models are built several in one transaction, since
    beginning and ending one costs about what such a model costs, and nobody waits for what a transaction has
    replaced; `merges` is whether it knows `merge into`; `create_temporary` begins the statement that makes a table
    of the session only, which has no schema, or a plain one where there are no such; `adds` gives a table a column
    that is NULL in the rows that stand, and is empty where none can be added; `drops` takes a column from a table,
    and is empty where none can be taken; `retype` gives a column a wider type, and is empty where none can be
    given; `overwrites` begins a statement that replaces the `{partitions}` of a `{table}` which its rows have,
    where deleting is not the way; `moment` makes a point of time of a text; `partitions` and `clusters` lay out a
    table that is created by columns, `{}`, where the engine knows such a thing; `script` makes of statements, `{}`,
    one that does all of them or none, where no transaction can be left open; `streams_windows` is whether a window
    over rows in no order costs no more than to look at each row once; `volatile` are the words that make a result
    depend on when or by whom it is asked for, written as `VOLATILE` is; `grammar` is what the SQL analysis calls
    this SQL, where that is not `name`; `version` is a query for the server's version, in one text, and empty where
    none is told.
    """

    name: str
    types: Mapping[NeutralType, str]
    age_minutes: str
    quote: str = '"'
    replaces: frozenset[RelationKind] = frozenset({"table", "view"})
    renames: frozenset[RelationKind] = frozenset({"table", "view"})
    longest_name: int = 255
    schemas: bool = False
    default_schema: str = ""
    taken_schemas: frozenset[str] = frozenset()
    qualifies: bool = False
    names_in_bytes: bool = False
    swaps: bool = False
    folds_up: bool = False
    after_name: str = ""
    backslash_escapes: bool = False
    line_comments: tuple[str, ...] = ("--",)
    name_categories: frozenset[str] = frozenset()
    table_names: str = ""
    deletes: bool = True
    deletes_by_merge: bool = False
    gathers_state: bool = False
    shares_transactions: bool = False
    merges: bool = True
    create_temporary: str = "create temporary table"
    adds: str = "alter table {table} add column {column} {type}"
    drops: str = "alter table {table} drop column {column}"
    retype: str = "alter table {table} alter column {column} type {type}"
    overwrites: str = ""
    volatile: frozenset[str] = VOLATILE
    grammar: str = ""
    moment: str = "cast({text} as {type})"
    partitions: str = ""
    clusters: str = ""
    script: str = ""
    streams_windows: bool = False
    version: str = ""


def quote_name(name: str, dialect: Dialect) -> str:
    """Return one identifier, quoted.

    Raises `ConfigError` for a name that the engine cannot hold: empty, too long, or with a character it does not take.
    """
    if not name or "\0" in name:
        raise ConfigError(f"{name!r} cannot be an identifier.", hint="Use a name without NUL characters.")
    unit, length = _length(name, dialect)
    if length > dialect.longest_name:
        raise ConfigError(
            f"The name {name[:40]!r}… has {length} {unit}; {dialect.name} allows {dialect.longest_name}.",
            hint="Use a shorter name.",
        )
    if dialect.name_categories and (foreign := next((c for c in name if not _allowed(c, dialect)), "")):
        message = f"The name {name!r} holds {foreign!r}, which no name may hold in {dialect.name}."
        raise ConfigError(message, hint="Use letters, digits and underscores.")
    stored = stored_name(name, dialect)
    return f"{dialect.quote}{stored.replace(dialect.quote, dialect.quote * 2)}{dialect.quote}"


def stored_name(name: str, dialect: Dialect) -> str:
    """Return the name as the engine keeps it: `users` is `USERS` where unquoted names fold up."""
    return name.upper() if dialect.folds_up and _LOWER.fullmatch(name) else name


def known_name(stored: str, dialect: Dialect) -> str:
    """Return the engine's name as the core knows it: what `stored_name` made of it, turned back."""
    return stored.lower() if dialect.folds_up and _UPPER.fullmatch(stored) else stored


def quote_relation(relation: str, dialect: Dialect) -> str:
    """Return a relation with every part quoted, and its schema where the engine's SQL must name that.

    Raises `ConfigError` for a name that no table of the engine may have.
    """
    parts = relation_parts(relation)
    if dialect.qualifies and dialect.default_schema and len(parts) == 1:
        parts = (dialect.default_schema, *parts)
    return quote_parts(parts, dialect)


def quote_parts(parts: Sequence[str], dialect: Dialect) -> str:
    """Return the name of a relation or schema with every part quoted; raise `ConfigError` as `quote_relation` does."""
    for part in parts:
        if dialect.table_names and not re.fullmatch(dialect.table_names, part):
            raise ConfigError(
                f"{part[:40]!r} cannot name a table or schema in {dialect.name}.",
                hint=f"Choose a name that matches {dialect.table_names}",
            )
    return ".".join(quote_name(part, dialect) for part in parts)


def relation_key(relation: str, dialect: Dialect) -> str:
    """Return the name under which an engine's catalog lists a relation: `MAIN.users` is `users` on DuckDB."""
    parts = relation_parts(relation)
    if len(parts) == 2 and same_relation(parts[0]) == same_relation(dialect.default_schema):
        return same_relation(relation_name(parts[1]))
    return same_relation(relation)


def quote_text(value: str, dialect: Dialect) -> str:
    """Return a text literal.

    Raises `ConfigError` for text with a NUL character, which ends a statement in some engines.
    """
    if "\0" in value:
        raise ConfigError("A text value holds a NUL character.", hint="Remove it.")
    return "'" + (value.translate(_ESCAPES) if dialect.backslash_escapes else value.replace("'", "''")) + "'"


def moment(text: str, kind: str, dialect: Dialect) -> str:
    """Return a point of time, ISO 8601, as a value of an engine type."""
    return dialect.moment.format(text=quote_text(text, dialect), type=kind)


def count_rows(relation: str, dialect: Dialect) -> str:
    """Return the query of how many rows a relation has."""
    return f"select count(*) from {quote_relation(relation, dialect)}"


def first_rows(relation: str, limit: int, dialect: Dialect) -> str:
    """Return the query of a relation's first `limit` rows."""
    return f"select * from {quote_relation(relation, dialect)} limit {int(limit)}"


def _allowed(character: str, dialect: Dialect) -> bool:
    kind = category(character)
    return not dialect.name_categories.isdisjoint({kind, kind[0]})


def _length(name: str, dialect: Dialect) -> tuple[str, int]:
    if dialect.names_in_bytes:
        return "bytes", len(name.encode("utf-8", "surrogatepass"))
    return "characters", len(name)
