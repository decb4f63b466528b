"""What sqlglot says of one statement."""

from __future__ import annotations

import logging

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from flowforge_domain.dialect import VOLATILE
from flowforge_domain.relation import relation_name
from flowforge_domain.sql_scan import ROW_MAKERS
from flowforge_ports.sql import SqlFacts

_GRAMMARS = {"databricks_spark": "spark", "snowflake_snowpark": "snowflake", "bigquery+bigframes": "bigquery"}
_MOMENTS = {"now", "today", "yesterday", "tomorrow"}


def parsed(sql: str, grammar: str) -> SqlFacts | None:
    """Return the facts of a statement, None where sqlglot does not understand it."""
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    dialect = _GRAMMARS.get(grammar, grammar)
    try:
        found = sqlglot.parse(sql, dialect=dialect)
        tree = found[0]
        if len(found) != 1 or tree is None or isinstance(tree, exp.Command):
            return None
        normalized = tree.sql(dialect=dialect, comments=False)
    except (SqlglotError, ValueError, RecursionError):
        return None
    target = _target(tree)
    return SqlFacts(normalized, _volatile(tree), _reads(tree, target), _name(target) if target else "", _columns(tree))


def _target(tree: exp.Expr) -> exp.Table | None:
    if not isinstance(tree, exp.Create | exp.Insert | exp.Merge):
        return None
    made = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    return made if isinstance(made, exp.Table) else None


def _reads(tree: exp.Expr, target: exp.Table | None) -> tuple[str, ...]:
    """Return the tables that are read; the names of `with` queries are none where they stand alone."""
    inner = {query.alias_or_name.casefold() for query in tree.find_all(exp.CTE)}
    tables = [table for table in tree.find_all(exp.Table) if table is not target and not _makes_rows(table)]
    outer = [table for table in tables if table.db or table.name.casefold() not in inner]
    return tuple(dict.fromkeys(_name(table) for table in outer))


def _makes_rows(table: exp.Table) -> bool:
    """Tell whether it stands for the rows that a function makes of its arguments."""
    return isinstance(table.this, exp.Func) and not ROW_MAKERS.isdisjoint(_words(table.this))


def _name(table: exp.Table) -> str:
    """Return a relation; a function that gives rows is `name()`, which is no relation's name."""
    match table.this:
        case exp.Anonymous():
            return f"{table.this.name.lower()}()"
        case exp.Func():
            return f"{table.this.sql_name().lower()}()"
        case what if not isinstance(what, exp.Identifier):
            return f"{what.sql()}()"
    return relation_name(*(part.name for part in table.parts))


def _volatile(tree: exp.Expr) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for node in tree.walk():
        found.update(dict.fromkeys(word for word in _words(node) if word in VOLATILE))
    return tuple(found)


def _words(node: exp.Expr) -> set[str]:
    """Return the words by which a part of a statement may be volatile."""
    match node:
        case exp.Anonymous():
            return {str(node.this).lower()}
        case exp.Func():
            return {name.lower() for name in node.sql_names()} | {node.key.lower(), node.name.lower()}
        case exp.TableSample():
            return {"sample"}
        case exp.Literal() if node.is_string and node.name.lower().strip() in _MOMENTS:
            return {node.name.lower().strip()}
        case exp.Column() if not node.table and not node.this.args.get("quoted"):
            return {node.name.lower()} - {"now", "random", "rand", "uuid", "sample", "today", "yesterday", "tomorrow"}
    return set()


def _columns(tree: exp.Expr) -> tuple[str, ...]:
    relations = {table.alias_or_name: _name(table) for table in tree.find_all(exp.Table)}
    named = ((relations.get(column.table, column.table), column.name) for column in tree.find_all(exp.Column))
    return tuple(dict.fromkeys(f"{table}.{name}" if table else name for table, name in named))
