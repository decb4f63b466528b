"""Clean a target: drop the relations of models and seeds that the project no longer has.

Only what a state row of this project tells of, and the catalog shows as it was built, is dropped; and nothing with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from flowforge_app.leftovers import helpers_of, left_helpers, project_helpers
from flowforge_app.target_state import TargetState, held, read_target
from flowforge_app.transaction import transaction
from flowforge_domain.catalog import kinds
from flowforge_domain.config import ModelConfig
from flowforge_domain.dialect import Dialect, RelationKind, relation_key
from flowforge_domain.errors import ConfigError, EngineError, ErrorKind
from flowforge_domain.fingerprint import inputs_from
from flowforge_domain.holder import Claim
from flowforge_domain.manifest import Manifest, run_order
from flowforge_domain.materialize import drop_statement
from flowforge_domain.state import DOUBTED, StateRow, forget_relations
from flowforge_domain.swap import is_aside
from flowforge_domain.text import did_you_mean
from flowforge_ports.engine import Engine


@dataclass(frozen=True, slots=True)
class Orphan:
    """A relation that a model or seed of this project made, and that nothing of the project writes any more.

    Or a helper of one, which a run left that was killed: it was never `built_at` any time, and where nobody knows of
    which it is, `model` is "".
    `doubt` says why it may be another one by now, "" where it is proved to be what was built. What is `kept` is
    an incremental table or a snapshot, whose rows no run can make again; of what is `untold` nobody knows whether it is
    what was built: its run did not end, or others may have written to it. Both are dropped where they are named only.
    """

    relation: str
    kind: RelationKind
    model: str
    built_at: str
    doubt: str = ""
    kept: bool = False
    untold: bool = False


@dataclass(frozen=True)
class CleanTarget:
    """Finds and drops orphans; `claim` is this command's on the target."""

    manifest: Manifest
    engine: Engine
    claim: Claim

    def __call__(self, dry_run: bool = False, drop: Collection[str] = ()) -> list[Orphan]:
        """Drop every orphan that is beyond doubt, all or none, and return all of them; with `dry_run` drop nothing.

        Of those that keep rows of their own, the relations `drop` count as well. Raises `EngineError` of kind
        DEPENDENTS where something else hangs on one of them, `ConfigError` for a project without a name and for a
        relation to `drop` that is none of these, and what `run_order` raises for a wrong graph: what models still read
        is not gone on purpose.
        """
        run_order(self.manifest)
        with held(self.engine, self.claim):
            _require_name(self.manifest)
            found = list(self._found(read_target(self.engine)))
            _require_known(drop, found)
            found = [replace(one, doubt="") if _by_name(one) and one.relation in drop else one for one in found]
            proved = [orphan for orphan in found if not orphan.doubt]
            if proved and not dry_run:
                self._drop(proved)
            return found

    def _found(self, target: TargetState) -> Iterator[Orphan]:
        found = {orphan.relation: orphan for orphan in orphans(self.manifest, target, self.engine.dialect)}
        yield from found.values()
        for helper, kind in left_helpers(self.engine, self.manifest, kinds(target.entries)):
            doubt = f"it is the only copy of {helper.place}, whose name the next run gives it" if helper.place else ""
            found[helper.relation] = orphan = Orphan(helper.relation, kind, helper.model, "", doubt)
            yield orphan
        known = {relation_key(relation, self.engine.dialect) for relation in found}
        for name, entry in target.entries.items():
            if is_aside(name) and name not in known:
                doubt = f"no model of this project has left it: --drop {name}, if no other project needs it"
                yield Orphan(name, entry.kind, "", "", doubt, kept=True)

    def _drop(self, proved: list[Orphan]) -> None:
        with transaction(self.engine.session):
            for orphan in sorted(proved, key=lambda one: (one.kind == "view", one.built_at), reverse=True):
                self._drop_one(orphan)
            built = [orphan.relation for orphan in proved if orphan.built_at]
            for statement in forget_relations(built, self.engine.dialect) if built else ():
                self.engine.session.execute(statement)
        if self.engine.sources:
            self.engine.sources.vouch()

    def _drop_one(self, orphan: Orphan) -> None:
        try:
            self.engine.session.execute(drop_statement(orphan.relation, orphan.kind, self.engine.dialect))
        except EngineError as error:
            if error.kind is not ErrorKind.DEPENDENTS:
                raise
            message = f"{orphan.relation} is in use, and nothing was dropped: {error.message}"
            hint = "Drop what hangs on it first, or let it read another relation."
            raise EngineError(message, kind=ErrorKind.DEPENDENTS, hint=hint) from error


def orphans(manifest: Manifest, target: TargetState, dialect: Dialect) -> Iterator[Orphan]:
    """Yield what is left in a target of models and seeds that are gone, or write another relation now."""
    # Names first: they settle nearly every row, and cost less than the keys of all relations.
    ours = (pair for pair in target.rows.items() if pair[1].project == manifest.name)
    suspects = [key for key, row in ours if not _stays(row, manifest, target, dialect)]
    used = _used(manifest, dialect) if suspects else set()
    for key in suspects:
        row, entry = target.rows[key], target.entries.get(key)
        if entry is not None and key not in used:
            doubt, config = _doubt(key, target), ModelConfig(_materialized(row))
            kept = not doubt and not config.is_replaced
            untold = row.identity == DOUBTED or (not doubt and not row.identity and bool(entry.identity))
            if kept:
                doubt = _named(row.relation)
            elif untold:
                doubt = f"{doubt or 'its run did not end'}: --drop {row.relation}, if it may go"
            yield Orphan(row.relation, entry.kind, row.model, row.finished_at, doubt, kept, untold)
    yield from _helpers([target.rows[key] for key in suspects], manifest, target, dialect)


def left_behind(manifest: Manifest, target: TargetState, dialect: Dialect) -> Iterator[str]:
    """Yield the notice that relations of models are left which are gone, where there are some."""
    found = orphans(manifest, target, dialect) if manifest.named else ()
    left = [orphan for orphan in found if orphan.kept or not orphan.doubt]
    if left:
        said, kept = "1 relation is" if len(left) == 1 else f"{len(left)} relations are", sum(one.kept for one in left)
        some = "" if kept == len(left) else f"{kept} of them "
        rows = f", {some}with rows that no run can make again" if kept else ""
        yield f"{said} left of models that are gone{rows}: flowforge clean --dry-run"


def _require_name(manifest: Manifest) -> None:
    """Two folders may be called alike: only a name that somebody gave tells whose relations they are."""
    if not manifest.named:
        raise ConfigError(
            f"This project has no name of its own, and another in a folder called {manifest.name!r} would count as it.",
            hint=f"Write `name: {manifest.name}` into project.yml, or another name, and run it once.",
        )


def _require_known(drop: Collection[str], found: Collection[Orphan]) -> None:
    known = [orphan.relation for orphan in found if _by_name(orphan)]
    for relation in drop:
        if relation not in known:
            message = f"{relation!r} is nothing left of a model that is gone which has to be named."
            hint = did_you_mean(relation, known) or "`flowforge clean --dry-run` lists what is left."
            raise ConfigError(message, hint=hint)


def _by_name(orphan: Orphan) -> bool:
    return orphan.kept or orphan.untold


def _stays(row: StateRow, manifest: Manifest, target: TargetState, dialect: Dialect) -> bool:
    node, seed = manifest.nodes.get(row.model), manifest.seeds.get(row.model)
    if node is not None and node.config.materialized != "ephemeral":
        # Until the new relation of a model stands, the old one is all that there is of it.
        return node.relation == row.relation or relation_key(node.relation, dialect) not in target.rows
    return seed is not None and seed.relation == row.relation


def _helpers(gone: Collection[StateRow], manifest: Manifest, target: TargetState, dialect: Dialect) -> Iterator[Orphan]:
    """Yield what a killed run left beside what is gone; of what is there, the next run clears it away."""
    if not gone or not any(map(is_aside, target.entries)):
        return
    known = {relation_key(helper.relation, dialect) for helper in project_helpers(manifest)}
    for row in gone:
        for helper in helpers_of(row.model, row.relation):
            key = relation_key(helper.relation, dialect)
            if key in target.entries and key not in known:
                known.add(key)
                is_copy = helper.place and relation_key(helper.place, dialect) not in target.entries
                kept = bool(is_copy) and not ModelConfig(_materialized(row)).is_replaced
                doubt = _named(helper.relation) if kept else ""
                yield Orphan(helper.relation, target.entries[key].kind, row.model, "", doubt, kept)


def _named(relation: str) -> str:
    return f"no run can make its rows again: --drop {relation}, if they may go"


def _used(manifest: Manifest, dialect: Dialect) -> set[str]:
    """Return the keys of what the project writes or reads: a table may have become a source of others."""
    relations = [node.relation for node in manifest.nodes.values() if node.config.materialized != "ephemeral"]
    relations += [seed.relation for seed in manifest.seeds.values()]
    relations += [source.relation for source in manifest.sources.values()]
    return {relation_key(relation, dialect) for relation in relations}


def _doubt(key: str, target: TargetState) -> str:
    row, entry = target.rows[key], target.entries[key]
    if fault := target.fault(key):
        return fault
    built_as = ModelConfig(_materialized(row))
    return "" if entry.kind == built_as.stands_as else f"{row.relation} is a {entry.kind}"


def _materialized(row: StateRow) -> str:
    """Return what was built; seeds are tables, and have no inputs."""
    inputs = inputs_from(row.inputs)
    return inputs.settings.get("materialized", "table") if inputs else "table"
