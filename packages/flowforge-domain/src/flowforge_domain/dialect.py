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
    """The SQL of one engine; below each field stands what it says, where `{…}` is what FlowForge puts there, quoted.

    The page of an engine's words, docs/reference/plugins.md, has the same texts, and beside each the cases of the kit
    that show whether it is true.
    """

    name: str
    """The dialect's name, one plain word; several engines may share one."""
    types: Mapping[NeutralType, str]
    """Your name for each neutral type: `text`, `bigint`, `double`, `boolean`, `timestamp` are needed, the others where
    you have them: decimal(38, 9), a list of bigint, a struct of bigint `a` and text `b`. A column of each must be able
    to hold NULL.
    """
    age_minutes: str
    """An expression over `{column}`: the minutes since a timestamp, by the database's clock; one without zone is UTC.
    """
    quote: str = '"'
    """The sign around names; inside of one it is doubled. Where it is a backtick, `"` stands around texts."""
    replaces: frozenset[RelationKind] = frozenset({"table", "view"})
    """The kinds for which there is `create or replace`. It says nothing of a view in a table's place or the other way
    round: that, and each kind that is not named, is dropped before the new one is created, which is safe inside a
    transaction only. A database without transactions, or one that should not show the gap, sets `swaps`.
    """
    renames: frozenset[RelationKind] = frozenset({"table", "view"})
    """The kinds to which `alter … rename to` gives another name."""
    longest_name: int = 255
    """The longest name, in characters."""
    schemas: bool = False
    """Whether tables lie in schemas that `create schema if not exists` makes; a database that has others is without
    them here. Where there are none, a model or seed in one is refused before anything is built.
    """
    default_schema: str = ""
    """The schema that a name without one means: `main.users` and `users` are one relation then."""
    taken_schemas: frozenset[str] = frozenset()
    """Schemas, in lower case, that no model may write to."""
    qualifies: bool = False
    """Whether a name without a schema is written with `default_schema`, because a view knows nothing of the session's.
    """
    names_in_bytes: bool = False
    """Whether `longest_name` is in bytes of UTF-8."""
    swaps: bool = False
    """Whether a relation is built under another name and then takes the place of the old one, by your
    `Engine.replacer`, which makes the relation's schema too: FlowForge drops nothing before.
    """
    folds_up: bool = False
    """Whether an unquoted name means its upper case: `users` is written `"USERS"` then, and `USERS` comes back as
    `users`.
    """
    after_name: str = ""
    """Words behind the name in `create or replace`, of tables and views."""
    backslash_escapes: bool = False
    """Whether a backslash in a text escapes what follows. Names are quoted as ever: where it escapes in them too, leave
    it out of them by `name_categories`, which lets no category with it through, or `table_names`.
    """
    line_comments: tuple[str, ...] = ("--",)
    """What begins a comment up to the end of the line."""
    name_categories: frozenset[str] = frozenset()
    r"""The Unicode categories (`Lu`), or their first letters (`L`), that each character of a name must have; none lets
    every one through. `/` and `\` are of one, `Po`, and go together, with `.`, `,` and `%`.
    """
    table_names: str = ""
    """A regular expression that the name of a table or schema must match as a whole, where not every name will do."""
    deletes: bool = True
    """Whether rows can be deleted; where not, the state table is written anew."""
    deletes_by_merge: bool = False
    """Whether `merge into` deletes, because `delete` knows no subquery."""
    gathers_state: bool = False
    """Whether a run writes its state rows at its end, all at once, because each statement that writes is costly."""
    shares_transactions: bool = False
    """Whether light models are built several in one transaction, because opening one costs as much as such a model, and
    no reader waits for what it replaces.
    """
    merges: bool = True
    """Whether there is `merge into`; where not, `update … from` and `insert … where not exists` are run."""
    create_temporary: str = "create temporary table"
    """The beginning of the statement for a table of this session, which has no schema; of a plain table where there are
    none.
    """
    adds: str = "alter table {table} add column {column} {type}"
    """What gives a table a column, NULL in the rows that stand; empty where nothing does."""
    drops: str = "alter table {table} drop column {column}"
    """What takes a column away; empty where nothing does."""
    retype: str = "alter table {table} alter column {column} type {type}"
    """What gives a column a wider type; empty where nothing does, and `select 1` where a column takes every value as it
    is.
    """
    retype_empty: str = ""
    """What gives a column that holds no value whatever type; empty where nothing does."""
    compared_as_text: frozenset[str] = frozenset()
    """Types whose values a snapshot compares as text, and lists of them: they have no equality, or another one."""
    overwrites: str = ""
    """The beginning of a statement that replaces the `{partitions}` of a `{table}` that its rows, of these `{columns}`,
    have; where there is none, `delete … where exists` and an insert are run.
    """
    volatile: frozenset[str] = VOLATILE
    """Words whose presence may make the same statement give another result later or to somebody else: `now()` where it
    is called, `.nextval` behind a point, `user` wherever it stands, `pg_*()` with any letters. A model that holds one
    is built in every run.
    """
    grammar: str = ""
    """The grammar of sqlglot that this SQL is nearest to, where that is not `name`."""
    moment: str = "cast({text} as {type})"
    """What makes a point of time of an ISO 8601 text, of a type; `{text}` alone where times are kept as texts."""
    partitions: str = ""
    """The clause, with the columns at `{}`, that lays out a new table in partitions."""
    clusters: str = ""
    """The same for clusters."""
    script: str = ""
    """What makes of several statements, at `{}`, one that does all of them or none, where no transaction can be left
    open.
    """
    streams_windows: bool = False
    """Whether a window over rows in no order costs as little as reading them once."""
    version: str = ""
    """A query for the server's version, in one text; `flowforge debug` tells it."""
    identity: str = ""
    """An expression for the identity, as the catalog tells it, of the relation that a text `{relation}` names. With it
    a model's state row tells that in the transaction of the data; without it, a run tells it of all when it ends.
    """


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


def any_row(relation: str, dialect: Dialect) -> str:
    """Return the query that gives a row where a relation has one."""
    return f"select 1 from {quote_relation(relation, dialect)} limit 1"


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
