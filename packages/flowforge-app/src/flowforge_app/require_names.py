"""Refuse names that the engine cannot hold, while all that is known of it is its dialect and nothing was opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from flowforge_app.compile_models import CompileModels, query_name
from flowforge_app.definitions import inlined
from flowforge_domain.checks import Check
from flowforge_domain.config import ModelConfig
from flowforge_domain.dialect import Dialect, quote_name, quote_relation
from flowforge_domain.errors import ConfigError, FlowForgeError
from flowforge_domain.manifest import Manifest, ref_relation, source_relation, table_relation
from flowforge_domain.model import Node, Seed
from flowforge_domain.text import Location

_Rule: TypeAlias = Callable[[str, Dialect], str]
_Named: TypeAlias = tuple[_Rule, str, Location]


def require_names(compiler: CompileModels, things: Iterable[Node | Seed | Check]) -> None:
    """Raise `ConfigError` with its place for the first name of these that the engine cannot hold.

    Looked at are the names of what they write and read, and of columns that their settings name.
    """
    known: set[tuple[_Rule, str]] = set()
    for thing in things:
        for rule, name, where in _names(thing, compiler.manifest):
            if (rule, name) in known:
                continue
            try:
                rule(name, compiler.dialect)
            except ConfigError as error:
                if isinstance(thing, Node) and _is_left_unsaid(thing, where, compiler):
                    continue
                error.where = error.where or where
                raise
            known.add((rule, name))


def _is_left_unsaid(node: Node, where: Location, compiler: CompileModels) -> bool:
    """Whether the template names what it reads for other engines only: then it can be rendered."""
    if node.kind != "sql" or where == node.where():
        return False
    try:
        compiler.statement(node)
    except FlowForgeError:
        return False
    return True


def _names(thing: Node | Seed | Check, manifest: Manifest) -> Iterator[_Named]:
    if isinstance(thing, Node):
        yield from _of_model(thing, manifest)
    elif isinstance(thing, Seed):
        yield quote_relation, thing.relation, thing.where()
    else:
        yield quote_relation, table_relation(manifest, thing.table), thing.where
        if thing.column:
            yield quote_name, thing.column, thing.where


def _of_model(node: Node, manifest: Manifest) -> Iterator[_Named]:
    if node.config.materialized != "ephemeral":
        yield quote_relation, node.relation, node.where()
        for column in _columns(node.config):
            yield quote_name, column, node.where()
    above = inlined(node, manifest)
    for read in above:
        yield quote_name, query_name(read), read.where()
    for reader in (node, *above):
        for dep in reader.deps:
            if dep not in manifest.nodes or manifest.nodes[dep].config.materialized != "ephemeral":
                yield quote_relation, ref_relation(manifest, dep), reader.where(dep)
        for key in reader.sources:
            yield quote_relation, source_relation(manifest, *key), reader.where(".".join(key))


def _columns(config: ModelConfig) -> Iterator[str]:
    yield from config.unique_key
    yield from (config.updated_at,) if config.updated_at else ()
    yield from config.check_cols
    yield from config.snapshot_meta_column_names.values()
