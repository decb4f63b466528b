"""Plans: the statements that give a relation its new content.

A plan is run inside one transaction, so readers see the old relation or the new one.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from flowforge_domain.ddl import Target, find_target, is_blank, one_statement, require_reading
from flowforge_domain.dialect import Dialect, RelationKind, quote_name, quote_parts, quote_relation, relation_key
from flowforge_domain.errors import TemplateError
from flowforge_domain.model import Node
from flowforge_domain.relation import relation_parts
from flowforge_domain.text import Location


def create_statement(node: Node, sql: str, dialect: Dialect) -> str:
    """Return the statement that builds `node` from its rendered SQL, with the lines of the SQL left as they are.

    Raises `TemplateError` when the rendered SQL is empty, is more than one statement, or creates something else than
    the template said.
    """
    sql = one_statement(sql, node.file, dialect)
    require_reading(sql, node.file, dialect)
    target = find_target(sql, node.file, dialect)
    if target is None:
        return f"{query_head(node, dialect)}{_not_blank(node, sql)}"
    _require_promised(node, target)
    return f"{sql[: target.start]}{create_head(target.kind, target.relation, dialect)}{sql[target.end :]}"


def plain_query(node: Node, sql: str, dialect: Dialect) -> str:
    """Return the rendered SQL of a model that creates nothing, as one query; raise `TemplateError` when it is none."""
    require_reading(sql, node.file, dialect)
    return _not_blank(node, one_statement(sql, node.file, dialect))


def staging_head(relation: str, dialect: Dialect) -> str:
    """Return what stands before a query whose rows are staged."""
    return f"{dialect.create_temporary} {quote_relation(relation, dialect)} as "


def query_head(node: Node, dialect: Dialect) -> str:
    """Return what stands before the SQL of a model that is a plain query."""
    return f"{node_head(node, node.relation, dialect)} as "


def node_head(node: Node, relation: str, dialect: Dialect) -> str:
    """Return `create …` for what a node's query becomes, laid out by its partitions and clusters where these exist."""
    kind, config = node.config.stands_as, node.config
    parts = ((dialect.partitions, config.partition_by), (dialect.clusters, config.cluster_by))
    said = (form.format(", ".join(quote_name(n, dialect) for n in names)) for form, names in parts if form and names)
    return create_head(kind, relation, dialect, "".join(said) if kind == "table" else "")


def built_as(statement: str, into: str, dialect: Dialect) -> str:
    """Return a statement of `create_statement` that makes the relation `into` instead, its lines left as they are."""
    target = find_target(statement, dialect=dialect)
    if target is None:
        return statement
    # What stands behind the name stays.
    head = create_head(target.kind, into, dialect).removesuffix(dialect.after_name)
    if statement.startswith(head, target.start):
        return statement
    return f"{statement[: target.start]}{head}{statement[target.end :]}"


def create_head(kind: RelationKind, relation: str, dialect: Dialect, layout: str = "") -> str:
    """Return `create [or replace] table|view X`, as the dialect has it; ` as …` or a list of columns goes behind it."""
    name = quote_relation(relation, dialect)
    if kind not in dialect.replaces:
        return f"create {kind} {name}{layout}"
    return f"create or replace {kind} {name}{layout}{dialect.after_name}"


def schema_statements(relations: Iterable[str], existing: Container[str], dialect: Dialect) -> tuple[str, ...]:
    """Return what makes the schemas that `relations` need, of those that do not stand yet (`relation_key`).

    Nothing for a dialect that swaps: there the `Replacer` does so.
    """
    if dialect.swaps or not dialect.schemas:
        return ()
    new = (relation_parts(name)[:-1] for name in relations if relation_key(name, dialect) not in existing)
    schemas = dict.fromkeys(schema for schema in new if schema)
    return tuple(f"create schema if not exists {quote_parts(schema, dialect)}" for schema in schemas)


def prepare_statements(
    relation: str, kind: RelationKind, existing: RelationKind | None, dialect: Dialect
) -> tuple[str, ...]:
    """Return what must run before `relation` is created as `kind`: the drop of what is in the way.

    Nothing for a dialect that swaps: there the old relation goes when the new one is whole.
    """
    if dialect.swaps or existing is None or (existing == kind and kind in dialect.replaces):
        return ()
    return (drop_statement(relation, existing, dialect),)


def drop_statement(relation: str, kind: RelationKind, dialect: Dialect) -> str:
    """Return what drops a relation that is there."""
    return f"drop {kind} {quote_relation(relation, dialect)}"


def rename_statement(old: str, new: str, kind: RelationKind, dialect: Dialect) -> str:
    """Return what gives a relation that is there another name."""
    return f"alter {kind} {quote_relation(old, dialect)} rename to {quote_relation(new, dialect)}"


def _not_blank(node: Node, sql: str) -> str:
    if is_blank(sql):
        raise TemplateError("The model renders to no SQL.", where=Location(node.file, 1), hint="Write a select.")
    return sql


def _require_promised(node: Node, target: Target) -> None:
    if target.relation != node.relation or target.kind != node.config.stands_as:
        raise TemplateError(
            f"The model renders to `create {target.kind} {target.relation}`, but its file promises "
            f"{node.config.stands_as} {node.relation}.",
            where=Location(node.file, 1),
            hint="Write the `create … as` literally at the top of the file.",
        )
