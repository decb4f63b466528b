"""What a model or seed needs of an engine, asked before anything is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from flowforge_domain.capability import Capability, Need, needs
from flowforge_domain.dialect import relation_key
from flowforge_domain.errors import ConfigError, UnsupportedByEngineError
from flowforge_domain.manifest import Manifest, require_distinct
from flowforge_domain.model import Node, Seed
from flowforge_domain.relation import relation_parts, same_relation
from flowforge_domain.text import Location
from flowforge_ports.engine import Engine, EngineSpec
from flowforge_ports.project import SettingPlace

Places: TypeAlias = Callable[[Node], Mapping[str, Sequence[SettingPlace]]]


def able(nodes: Iterable[Node], manifest: Manifest, engine: Engine, places: Places) -> list[Node]:
    """Return those of the nodes that are built at all.

    Raises as `require_abilities` does, and `ConfigError` where two nodes of the project write one relation, or one
    writes to a schema that is not free or cannot be.
    """
    nodes = [node for node in nodes if node.config.materialized != "ephemeral"]
    one_name = partial(relation_key, dialect=engine.dialect)
    require_distinct(manifest.nodes.values(), manifest.seeds.values(), one_name)
    require_abilities(nodes, with_ports(engine), places)
    for node in nodes:
        require_free_schema(node, engine)
    return nodes


def with_ports(engine: Engine) -> Engine:
    """Return the engine with those of its capabilities for which it has the ports."""
    absent = {Capability.PYTHON_MODELS} if engine.frames is None else set()
    absent |= {Capability.CSV_SEEDS, Capability.PARQUET_SEEDS} if engine.seeds is None else set()
    return replace(engine, capabilities=engine.capabilities - absent)


def require_abilities(
    things: Iterable[Node | Seed], engine: Engine | EngineSpec, places: Places = lambda _: {}
) -> None:
    """Raise `UnsupportedByEngineError` that names all of these which the engine cannot build, each with a way out.

    `places` tells where a model's settings stand.
    """
    lacks = [(thing, need) for thing in things if (need := _lack(thing, engine))]
    if not lacks:
        return
    lines = [(_where(thing, need, places), f"{thing.name} is {need.what}: {need.instead}") for thing, need in lacks]
    listed = [f"{where}: {said}" for where, said in lines] if len(lines) > 1 else []
    abilities = "; ".join(dict.fromkeys(need.ability.value for _, need in lacks))
    error = UnsupportedByEngineError(engine.name, abilities, listed)
    if not listed:
        [(error.where, error.hint)] = lines
    raise error


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


def _lack(thing: Node | Seed, engine: Engine | EngineSpec) -> Need | None:
    return next((need for need in needs(thing, engine.dialect) if need.ability not in engine.capabilities), None)


def _where(thing: Node | Seed, need: Need, places: Places) -> Location:
    if isinstance(thing, Seed):
        return thing.where()
    known = places(thing)
    said = next((known[name] for name in need.settings if known.get(name)), None)
    return said[-1].where if said else thing.where()
