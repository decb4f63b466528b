"""Which relations a statement may change, where that can be told from its text."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from flowforge_domain.sql_scan import ROW_MAKERS
from flowforge_sql.tables import table_name

# What sqlglot does not know, and writes to no relation; sequences are none.
_HARMLESS = ROW_MAKERS | {
    "now", "today", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timeofday", "localtimestamp",
    "get_current_timestamp", "get_current_time", "current_database", "current_schema", "current_setting", "version",
    "gen_random_uuid", "uuid", "random", "txid_current", "pg_current_xact_id", "pg_backend_pid", "inet_client_addr",
    "nextval", "currval", "hash", "md5", "to_char", "to_timestamp", "to_json", "row_to_json", "json_object",
    "json_build_object", "jsonb_build_object", "pg_typeof", "typeof", "format", "strftime", "epoch_ms",
}  # fmt: skip
_CHANGES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Into)
# What stands beside tables and views, and holds none of them.
_NO_RELATIONS = {"INDEX", "SEQUENCE"}
_OF_OTHERS = (exp.PartitionedOfProperty, exp.InheritsProperty)


def writes(tree: exp.Expr) -> tuple[str, ...] | None:
    """Return the relations that a statement may change, None for any: it may do what its text does not say."""
    if any(map(_is_unknown, tree.find_all(exp.Func))) or any(part.args.get("cascade") for part in tree.walk()):
        return None
    try:
        return tuple(dict.fromkeys(map(_written, _targets(tree))))
    except ValueError:
        return None


def _is_unknown(function: exp.Func) -> bool:
    """Tell whether a function may be anybody's, which may do anything."""
    # What writes a line into a table of its own is often called `log`.
    if isinstance(function, exp.Log) or isinstance(function.parent, exp.Dot):
        return True
    return isinstance(function, exp.Anonymous | exp.AnonymousAggFunc) and function.name.lower() not in _HARMLESS


def _targets(tree: exp.Expr) -> Iterator[exp.Expr | None]:
    """Yield what a statement changes; raise `ValueError` for one that may change more."""
    match tree:
        case exp.Query() | exp.Values() | exp.Insert() | exp.Update() | exp.Delete() | exp.Merge():
            pass
        case exp.Create(kind="TABLE" | "VIEW") if not tree.find(*_OF_OTHERS):
            yield tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        case exp.Drop(kind="TABLE" | "VIEW") | exp.Alter(kind="TABLE" | "VIEW"):
            yield from tree.find_all(exp.Table)
        case exp.TruncateTable() if not tree.args.get("option"):
            yield from tree.expressions
        case exp.Create(kind=kind) | exp.Drop(kind=kind) if kind in _NO_RELATIONS:
            pass
        case exp.Copy() if _copies_out(tree):
            pass
        case _:
            raise ValueError("it may change anything")
    for change in tree.find_all(*_CHANGES):
        # What a merge does to each row has no table of its own.
        if not isinstance(change.parent, exp.When):
            yield change.this.this if isinstance(change.this, exp.Schema) else change.this


def _copies_out(copy: exp.Copy) -> bool:
    """Tell of rows that go into files, which no relation is made of, and not to a program."""
    files = copy.args.get("files") or []
    return copy.args.get("kind") is False and bool(files) and all(isinstance(file, exp.Literal) for file in files)


def _written(target: exp.Expr | None) -> str:
    if not isinstance(target, exp.Table) or not isinstance(target.this, exp.Identifier) or target.args.get("joins"):
        raise ValueError("it is no table")
    return table_name(target)
