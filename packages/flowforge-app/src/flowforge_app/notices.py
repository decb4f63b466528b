"""What a command says of its own accord, before it builds and after: what it replaces, cannot know, finds amiss.

Each notice is a line; none stops a command.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain

from flowforge_app.clean_target import left_behind
from flowforge_app.data_versions import data_version
from flowforge_app.definitions import foreign_reads
from flowforge_app.descriptions import misdescriptions
from flowforge_app.due_models import grows
from flowforge_app.evidence import Evidence
from flowforge_app.kept_rows import refused
from flowforge_app.target_state import TargetState
from flowforge_domain.catalog import CatalogEntry
from flowforge_domain.dialect import Dialect, relation_key
from flowforge_domain.errors import SeedError
from flowforge_domain.fingerprint import inputs_from
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node, Seed
from flowforge_domain.state import DOUBTED, StateRow
from flowforge_ports.engine import Engine
from flowforge_ports.progress import Loss, Notice


def before_building(
    due: Mapping[str, Node], anew: Mapping[str, str], evidence: Evidence, engine: Engine
) -> Iterator[Notice]:
    """Yield what there is to say of models that are about to be built, and of those built from scratch, by why."""
    target = evidence.versions.target
    yield from map(Notice, _miscounted(due.values(), evidence.manifest, target, engine.dialect))
    yield from map(Notice, _unnamed_reads(due.values(), evidence, engine.dialect))
    yield from map(Notice, _written_by_others(due.values(), evidence, engine.target))
    yield from map(Loss, _replaced_rows(due, anew, evidence, target.entries, engine.dialect))


def after_building(
    nodes: Iterable[Node], built: Iterable[Node], manifest: Manifest, state: TargetState, engine: Engine
) -> Iterator[Notice]:
    """Yield what there is to say when models were built; `nodes` are all that were looked at."""
    said = chain(
        _not_counted(nodes, state, engine.dialect),
        _not_loaded(manifest, nodes, state, engine.dialect),
        misdescriptions(engine, built),
        left_behind(manifest, state, engine.dialect),
    )
    return map(Notice, said)


def before_loading(seeds: Iterable[Seed], manifest: Manifest, state: TargetState, dialect: Dialect) -> Iterator[Notice]:
    """Yield a notice for each seed whose table replaces rows that a model kept, or what this project did not make."""
    for seed in seeds:
        key = relation_key(seed.relation, dialect)
        entry, row = state.entries.get(key), state.rows.get(key)
        if entry is not None and (said := _replaced_by(seed, entry, row, manifest)):
            yield Loss(f"{seed.name} {said}")


def guarded(nodes: Iterable[Node], state: TargetState, dialect: Dialect) -> Iterator[Notice]:
    """Yield a notice for each model that keeps its rows though a full refresh was asked for."""
    for node in nodes:
        reason = "full_refresh is false" if grows(node) and node.config.full_refresh is False else ""
        if node.config.materialized == "snapshot":
            reason = "a snapshot keeps its history"
        if reason and relation_key(node.relation, dialect) in state.entries:
            yield Notice(f"{node.name} is not built from scratch: {reason}")


def _miscounted(due: Iterable[Node], manifest: Manifest, state: TargetState, dialect: Dialect) -> Iterator[str]:
    """Yield what counting rows has found of what is about to be built, and of the seeds that it reads."""
    if not state.miscounts:
        return
    relations = (relation for node in due for relation in (node.relation, *_tables_read(manifest, [node])))
    found = (state.miscounts.get(relation_key(relation, dialect)) for relation in relations)
    yield from dict.fromkeys(filter(None, found))


def _not_counted(nodes: Iterable[Node], state: TargetState, dialect: Dialect) -> Iterator[str]:
    """Yield a notice for each model whose rows were to be counted, and are known to no build."""
    for node in nodes:
        if state.uncounted and relation_key(node.relation, dialect) in state.uncounted:
            yield f"{node.name} keeps its rows from build to build: --verify does not count them"


def _unnamed_reads(due: Iterable[Node], evidence: Evidence, dialect: Dialect) -> Iterator[str]:
    """Yield a notice for each model that was built before and reads another one's table without naming it."""
    for node in due:
        if node.kind == "sql" and evidence.versions.row(node) and (name := _unnamed(node, evidence, dialect)):
            said = f"{node.name} reads the table of {name}, which may be built after it"
            yield f"{said}: write ref({name!r}) in {node.file}"


def _unnamed(node: Node, evidence: Evidence, dialect: Dialect) -> str:
    definitions, manifest = evidence.definitions, evidence.manifest
    facts = filter(None, map(definitions.facts, definitions.statements(node)))
    foreign = (name for sql in facts for name in foreign_reads(sql, node, manifest, dialect))
    # A function that gives rows is no table, and has no name of one.
    read = {relation_key(name, dialect) for name in foreign if not name.endswith("()")}
    nodes = manifest.nodes.values() if read else ()
    return next((one.name for one in nodes if relation_key(one.relation, dialect) in read), "")


def _written_by_others(due: Iterable[Node], evidence: Evidence, target: str) -> Iterator[str]:
    """Yield the notice that tables of models may have been changed by others, where some of those are due."""
    rows = filter(None, map(evidence.versions.row, due))
    doubted = sum(row.identity == DOUBTED for row in rows)
    if doubted:
        models, are = ("1 model", "is") if doubted == 1 else (f"{doubted} models", "are")
        yield f"others have written to {target}: {models} that they may have changed {are} built anew"


def _replaced_rows(
    due: Mapping[str, Node],
    anew: Mapping[str, str],
    evidence: Evidence,
    entries: Mapping[str, CatalogEntry],
    dialect: Dialect,
) -> Iterator[str]:
    """Yield a notice for each model that is about to replace kept rows, or what others made, unasked."""
    for name, node in due.items():
        entry = entries.get(relation_key(node.relation, dialect))
        if entry is None:
            continue
        if refused(node, evidence, anew):
            continue
        if evidence.versions.standing(node) is None:
            goes_on = entry.kind == "table" and not node.config.is_replaced and name not in anew
            does = "goes on with" if goes_on else "replaces"
            yield f"{name} {does} the {entry.kind} {node.relation}, which FlowForge did not make"
        if entry.kind == "table" and (reason := anew.get(name)):
            yield f"{name} is built from scratch: {reason}; to keep its rows, set full_refresh: false"
        elif (row := evidence.stranger(node)) and (node.config.is_replaced or name in anew):
            yield f"{name} replaces the {entry.kind} {node.relation}, which {row.model} of project {row.project} made"
        elif kind := evidence.lost_kind(node):
            row = evidence.versions.standing(node)
            whose = row.model if row and row.model != name else "it"
            yield f"{name} becomes a {node.config.materialized}: the rows that {whose} kept as {kind} are replaced"


def _replaced_by(seed: Seed, entry: CatalogEntry, row: StateRow | None, manifest: Manifest) -> str:
    what = f"replaces the {entry.kind} {seed.relation}, which"
    if row is None:
        return f"{what} FlowForge did not make"
    # A project that nobody gave a name is called like its folder, which may have been called otherwise.
    ours, before = row.project == manifest.name or not manifest.named, inputs_from(row.inputs)
    maker = row.model if ours else f"{row.model} of project {row.project}"
    if before and before.definition:
        return f"becomes a seed: the rows that {maker} kept as {before.settings['materialized']} are replaced"
    return "" if ours else f"{what} {maker} made"


def _not_loaded(manifest: Manifest, nodes: Iterable[Node], state: TargetState, dialect: Dialect) -> Iterator[str]:
    """Yield a notice for each seed that `nodes` read, and whose file is not what was loaded last."""
    read = {relation_key(name, dialect) for name in _tables_read(manifest, nodes)}
    for seed in manifest.seeds.values():
        key = relation_key(seed.relation, dialect)
        row = state.rows.get(key)
        if key in read and row and row.model == seed.name and _is_edited(seed, row, dialect):
            yield f"{seed.file} was changed after it was loaded, and its table was not: flowforge seed"


def _tables_read(manifest: Manifest, nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        yield from (manifest.seeds[name].relation for name in node.deps if name in manifest.seeds)
        yield from (manifest.sources[key].relation for key in node.sources)


def _is_edited(seed: Seed, row: StateRow, dialect: Dialect) -> bool:
    """Compare contents only of a file that was written to since: large ones are not read for each run."""
    try:
        loaded = datetime.fromisoformat(row.finished_at).timestamp()
        return seed.path.stat().st_mtime > loaded and data_version(seed, dialect) != row.fingerprint
    except (OSError, SeedError):
        # Whoever loads it is told.
        return False
