"""A project as it was read: nodes, seeds, sources, checks, and how names resolve to relations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flowforge_domain.checks import Check
from flowforge_domain.dag import topo_sort
from flowforge_domain.errors import ConfigError, DependencyNotFoundError, RequiredColumnsError
from flowforge_domain.hooks import Hook
from flowforge_domain.inputs import meant
from flowforge_domain.macros import Macro, way_to
from flowforge_domain.model import Node, Seed, SourceTable, node_name
from flowforge_domain.relation import relation_name, relation_parts, same_relation
from flowforge_domain.requirements import check_required_columns
from flowforge_domain.retries import Retries
from flowforge_domain.selectors import Selector
from flowforge_domain.source import SourceKey
from flowforge_domain.text import Location, did_you_mean

_RESERVED = "_flowforge_"


@dataclass(frozen=True)
class Manifest:
    """Everything a project's text says; no user code ran to make it.

    `nodes` holds models only; what they may refer to besides are `seeds` and `sources`. `read_variables` are the names
    that its templates read, "" among them where a name is computed, or nobody knows. `notices` are what its author
    should know and that is no error. A project that is not `named` has the name of its folder.
    """

    name: str
    root: Path
    nodes: Mapping[str, Node] = field(default_factory=dict)
    seeds: Mapping[str, Seed] = field(default_factory=dict)
    sources: Mapping[SourceKey, SourceTable] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    macros: Mapping[str, Macro] = field(default_factory=dict)
    selectors: Mapping[str, Selector] = field(default_factory=dict)
    retries: Retries = field(default_factory=Retries)
    hooks: tuple[Hook, ...] = ()
    read_variables: frozenset[str] = frozenset({""})
    notices: tuple[str, ...] = ()
    named: bool = True


def run_order(manifest: Manifest) -> list[str]:
    """Return the names of all nodes, dependencies first.

    Raises `DependencyNotFoundError` naming file and line of each missing model, seed or source, `ModelCycleError`,
    `ConfigError` for a Python model that reads an ephemeral one and for a source that a model makes, and
    `RequiredColumnsError` for one that requires columns of what it does not read.
    """
    try:
        _require_sources(manifest)
        _require_foreign_sources(manifest)
        _require_tables(manifest)
        order = topo_sort(manifest.nodes, manifest.seeds)
    except DependencyNotFoundError as error:
        error.snippet = "\n".join(_ways_through_macros(error.missing, manifest))
        raise
    _require_inputs(manifest)
    return order


def with_variables(manifest: Manifest, given: Mapping[str, Any]) -> Manifest:
    """Return a project with given variables over its own; one that a computed name may read is in its notices.

    Raises `ConfigError` with the nearest name for a variable that nothing reads.
    """
    known = {*manifest.variables, *manifest.read_variables} - {""}
    notices = []
    for name in given:
        if name not in known:
            said = f"No model, macro or hook reads the variable {name!r}"
            meant = did_you_mean(name, known)
            if "" not in manifest.read_variables:
                raise ConfigError(f"{said}.", hint=meant or f"Drop it, or read it: {{{{ var({name!r}) }}}}.")
            notices.append(f"{said}, unless by a computed name. {meant}".rstrip())
    variables = {**manifest.variables, **given}
    return replace(manifest, variables=variables, notices=(*manifest.notices, *notices))


def require_distinct(
    nodes: Iterable[Node], seeds: Iterable[Seed], key_of: Callable[[str], str] = same_relation
) -> None:
    """Raise `ConfigError` when two nodes or seeds share a name or write one relation, or one writes a reserved one.

    `key_of` gives the name under which two spellings of a relation are one.
    """
    names: dict[str, Location] = {}
    relations: dict[str, Location] = {}
    things: list[Node | Seed] = [*nodes, *seeds]
    for thing in things:
        _require_unreserved(thing)
        for known, key, what in (
            (names, thing.name, f"The name {thing.name!r}"),
            (relations, key_of(thing.relation), f"The relation {thing.relation!r}"),
        ):
            if key in known:
                raise _given_twice(what, thing.where(), known[key])
            known[key] = thing.where()


def ref_relation(manifest: Manifest, name: str) -> str:
    """Return the relation of the node or seed `name`.

    Raises `DependencyNotFoundError` with the nearest name.
    """
    plain = node_name(name)
    found = manifest.nodes.get(plain) or manifest.seeds.get(plain)
    if found is None:
        known = [*manifest.nodes, *manifest.seeds]
        raise DependencyNotFoundError({"": [plain]}, [f"ref({plain!r}) {did_you_mean(plain, known)}".rstrip()])
    return found.relation


def relation_for(name: str, nodes: Mapping[str, Node]) -> str:
    """Return the relation that node `name` writes; a name that is no node's is taken as a relation."""
    found = nodes.get(node_name(name))
    return found.relation if found else relation_name(node_name(name))


def source_relation(manifest: Manifest, group: str, table: str) -> str:
    """Return the relation of a source.

    Raises `DependencyNotFoundError` with the nearest source.
    """
    found = manifest.sources.get((group, table))
    if found is None:
        known = [".".join(key) for key in manifest.sources]
        missing = f"{group}.{table}"
        raise DependencyNotFoundError(
            {"": [missing]}, [f"source({group!r}, {table!r}) {did_you_mean(missing, known)}".rstrip()]
        )
    return found.relation


def input_relations(manifest: Manifest, node: Node) -> list[str]:
    """Return the relations a node reads: those of its deps, then those of its sources, in the order written."""
    return [ref_relation(manifest, dep) for dep in node.deps] + [
        source_relation(manifest, *key) for key in node.sources
    ]


def input_names(manifest: Manifest, node: Node) -> dict[str, str]:
    """Return the relation of each thing that a node reads by the name that stands in its deps, `group.table`'s too."""
    sources = {".".join(key): source_relation(manifest, *key) for key in node.sources}
    return {dep: ref_relation(manifest, dep) for dep in node.deps} | sources


def table_relation(manifest: Manifest, table: str) -> str:
    """Return the relation a check means: a node or seed of that name, else the relation itself."""
    found = manifest.nodes.get(node_name(table)) or manifest.seeds.get(node_name(table))
    return found.relation if found else table


def with_seeds(manifest: Manifest) -> dict[str, Node]:
    """Return the graph that a selection walks: nodes, the seeds that they refer to or read as a source, and sources.

    A source is the leaf `source:GROUP.TABLE`.
    """
    seeds = {same_relation(seed.relation): seed.name for seed in manifest.seeds.values()}
    by_source = {key: seeds.get(same_relation(table.relation)) for key, table in manifest.sources.items()}

    def seeded(node: Node) -> Node:
        read = [seed for key in node.sources if (seed := by_source.get(key))]
        return replace(node, deps=(*node.deps, *read, *map(source_leaf, node.sources))) if node.sources else node

    leaves = {source_leaf(key): _source_node(table) for key, table in manifest.sources.items()}
    leaves |= {seed.name: _seed_node(seed) for seed in manifest.seeds.values()}
    return leaves | {name: seeded(node) for name, node in manifest.nodes.items()}


def source_leaf(key: SourceKey) -> str:
    """Return the name of a source in the graph of `with_seeds`."""
    return f"source:{'.'.join(key)}"


def _source_node(table: SourceTable) -> Node:
    key = (table.group, table.table)
    return Node(source_leaf(key), "source", Path(), sources=(key,), relation=table.relation, file=table.where.path)


def _seed_node(seed: Seed) -> Node:
    return Node(seed.name, "seed", seed.path, relation=seed.relation, file=seed.file)


def _require_unreserved(thing: Node | Seed) -> None:
    relation = thing.relation.casefold()
    if _RESERVED in relation and relation_parts(relation)[-1].startswith(_RESERVED):
        raise ConfigError(
            f"The relation {thing.relation!r} is reserved: FlowForge's own tables begin with {_RESERVED!r}.",
            where=Location(thing.file),
            hint="Rename the file, or what it creates.",
        )


def _ways_through_macros(missing: Mapping[str, Iterable[str]], manifest: Manifest) -> Iterator[str]:
    """Yield by which macros models get to what is missing, where they do not name it themselves."""
    for name, absent in missing.items():
        node = manifest.nodes[name]
        for dependency in absent:
            if way := way_to(dependency, node.macros, manifest.macros):
                called = ", called in ".join(map(str, [*way, node.where(dependency)]))
                yield f"  {dependency!r} stands in {called}"


def _given_twice(what: str, where: Location, other: Location) -> ConfigError:
    hint = "Rename one of the files, or what it creates."
    if where.path == other.path:
        hint = "Give each function its own: @model(name=…)."
    return ConfigError(f"{what} is given twice: here and in {other}.", where=where, hint=hint)


def _require_tables(manifest: Manifest) -> None:
    ephemeral = {name for name, node in manifest.nodes.items() if node.config.materialized == "ephemeral"}
    for node in manifest.nodes.values() if ephemeral else ():
        if node.kind == "python" and (read := ephemeral.intersection(node.deps)):
            name = min(read)
            message = f"Model {node.name!r} reads {name!r}, which is ephemeral and has no table."
            raise ConfigError(message, where=node.where(name), hint=f"Make {name!r} a view.")


def _require_inputs(manifest: Manifest) -> None:
    for node in manifest.nodes.values():
        if node.requires:
            inputs, names = dict.fromkeys(input_relations(manifest, node), ()), input_names(manifest, node)
            strangers = {
                key: columns for key, columns in node.requires.items() if meant(key, inputs, names) not in inputs
            }
            try:
                check_required_columns(node.name, inputs, strangers, names)
            except RequiredColumnsError as error:
                error.where = node.where()
                raise


def _require_sources(manifest: Manifest) -> None:
    known = [".".join(key) for key in manifest.sources]
    missing: dict[str, list[str]] = {}
    details: list[str] = []
    for name, node in sorted(manifest.nodes.items()):
        for key in node.sources:
            if key not in manifest.sources:
                wanted = ".".join(key)
                missing.setdefault(name, []).append(wanted)
                # As in `dag.py`: the search takes its time, and a message shows few.
                meant = did_you_mean(wanted, known) if len(details) < 15 else ""
                details.append(f"{name}: source {wanted} ({node.where(wanted)}) {meant}".rstrip())
    if missing:
        raise DependencyNotFoundError(missing, details, "Check the names in source(), or declare it in sources.yml.")


def _require_foreign_sources(manifest: Manifest) -> None:
    """Refuse to read what a model makes as a source: nothing would say which of the two comes first."""
    if not manifest.sources:
        return
    relations = {key: same_relation(table.relation) for key, table in manifest.sources.items()}
    wanted = set(relations.values())
    written = ((same_relation(node.relation), name) for name, node in manifest.nodes.items())
    makers = {relation: name for relation, name in written if relation in wanted}
    for node in manifest.nodes.values() if makers else ():
        for key in node.sources:
            if (maker := makers.get(relations[key])) is not None:
                raise _own_source(node, ".".join(key), maker)


def _own_source(node: Node, source: str, maker: str) -> ConfigError:
    if maker == node.name:
        message = f"Model {node.name!r} reads the source {source}, which is the table that it writes itself."
        hint = "Give the model another name or `alias`; an incremental model reads its own table as `this`."
    else:
        message = f"Model {node.name!r} reads the source {source}, which is the table that model {maker!r} writes."
        hint = f"Use ref({maker!r}): only then it is built first."
    return ConfigError(message, where=node.where(source), hint=hint)
