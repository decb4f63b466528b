"""What a model or seed needs of an engine, asked before anything is touched."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from flowforge_domain.capability import Capability, needed_abilities
from flowforge_domain.dialect import relation_key
from flowforge_domain.errors import ConfigError, UnsupportedByEngineError
from flowforge_domain.manifest import Manifest, require_distinct
from flowforge_domain.model import Node, Seed
from flowforge_domain.relation import relation_parts, same_relation
from flowforge_ports.engine import Engine


def able(nodes: Iterable[Node], manifest: Manifest, engine: Engine) -> list[Node]:
    """Return those of the nodes that are built at all.

    Raises `UnsupportedByEngineError` with the model's place when the engine cannot build one of them, and `ConfigError`
    where two nodes of the project write one relation, or one writes to a schema that is not free or cannot be.
    """
    nodes = [node for node in nodes if node.config.materialized != "ephemeral"]
    one_name = partial(relation_key, dialect=engine.dialect)
    require_distinct(manifest.nodes.values(), manifest.seeds.values(), one_name)
    for node in nodes:
        _require_ability(node, engine)
        require_free_schema(node, engine)
    return nodes


def require_free_schema(thing: Node | Seed, engine: Engine) -> None:
    """Raise `ConfigError` where a model or seed would stand in a schema that is not free, or that cannot be."""
    *schema, _ = relation_parts(thing.relation)
    if not schema:
        return
    what = "Model" if isinstance(thing, Node) else "Seed"
    said = f"{what} {thing.name!r} cannot be in the schema {schema[-1]!r}:"
    foreign = same_relation(schema[-1]) != same_relation(engine.dialect.default_schema)
    if foreign and not engine.dialect.schemas:
        message, hint = f"{said} {engine.name} has no schemas.", "Leave the schema out."
        raise ConfigError(message, where=thing.where(), hint=hint)
    if schema[-1].casefold() in engine.dialect.taken_schemas:
        message = f"{said} the database or the engine has that name."
        raise ConfigError(message, where=thing.where(), hint="Choose another schema.")


def _require_ability(node: Node, engine: Engine) -> None:
    needed = needed_abilities(node, engine.dialect)
    if engine.frames is None and Capability.PYTHON_MODELS in needed:
        missing = [Capability.PYTHON_MODELS]
    else:
        missing = [ability for ability in needed if ability not in engine.capabilities]
    if missing:
        error = UnsupportedByEngineError(engine.name, missing[0].value)
        error.where = node.where()
        raise error
