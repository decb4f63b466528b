"""What a table of a statement is called, and which only stand for rows that a function makes."""

from __future__ import annotations

from sqlglot import exp

from flowforge_domain.relation import relation_name
from flowforge_domain.sql_scan import ROW_MAKERS


def table_name(table: exp.Table) -> str:
    """Return a relation; a function that gives rows is `name()`, which is no relation's name.

    Raises `ValueError` for a name of no characters, and for a schema.
    """
    match table.this:
        case None:
            raise ValueError("it names a schema")
        case exp.Anonymous():
            return f"{table.this.name.lower()}()"
        case exp.Func():
            return f"{table.this.sql_name().lower()}()"
        case what if not isinstance(what, exp.Identifier):
            return f"{what.sql()}()"
    parts = [part.name for part in table.parts]
    if not all(parts):
        raise ValueError('`""` is the name of nothing')
    return relation_name(*parts)


def makes_rows(table: exp.Table) -> bool:
    """Tell whether it stands for the rows that a function makes of its arguments."""
    return isinstance(table.this, exp.Func) and not ROW_MAKERS.isdisjoint(_words(table.this))


def _words(function: exp.Func) -> set[str]:
    return {name.lower() for name in (*function.sql_names(), function.key, function.name)}
