"""Which models of a run are due: all that are not proved unchanged, and what reads those."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from flowforge_app.compile_models import CompileModels
from flowforge_app.data_versions import DataVersions
from flowforge_app.definitions import Definitions
from flowforge_app.evidence import Evidence
from flowforge_app.hook_effects import HookEffects
from flowforge_app.hooks_at_work import HooksAtWork
from flowforge_app.kept_rows import is_over_foreign, refused
from flowforge_app.no_help import NoAnalysis, NoTexts
from flowforge_app.stable_texts import StableTexts
from flowforge_app.target_state import TargetState, counted
from flowforge_domain.dialect import relation_key
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node
from flowforge_ports.engine import Engine
from flowforge_ports.project import ProjectReader
from flowforge_ports.sql import BuiltTexts, SqlAnalysis


@dataclass(frozen=True)
class Skipping:
    """How models are left out: not at all with `no_cache`; with `verify` rows are counted, whatever the catalog says.

    `sql` helps with proofs, `texts` keep what models ran. What is `done`, by the run that this one resumes, is built
    again only where proof is lacking. `plugins` is as in `Definitions`.
    """

    no_cache: bool = False
    verify: bool = False
    sql: SqlAnalysis = field(default_factory=NoAnalysis)
    texts: BuiltTexts = field(default_factory=NoTexts)
    done: frozenset[str] = frozenset()
    plugins: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def evidence(
        self, manifest: Manifest, engine: Engine, compiler: CompileModels, reader: ProjectReader, state: TargetState
    ) -> Evidence:
        """Return what a project and a target say about each other."""
        if self.verify:
            state = counted(engine, state, manifest.name)
        keys = {relation_key(source.relation, engine.dialect) for source in manifest.sources.values()}
        tables = {key for key in keys if key in state.entries and state.entries[key].kind == "table"}
        proved = dict(engine.sources.versions(tables)) if tables and engine.sources else {}
        versions = DataVersions(manifest, engine.dialect, state, proved)
        definitions = Definitions(manifest, engine, compiler, reader, self.sql, engine.formats(), self.plugins)
        stable = StableTexts(manifest, engine, compiler, self.texts)
        hooks = HooksAtWork(HookEffects(definitions, state.entries))
        return Evidence(manifest, definitions, versions, stable, hooks, self.texts)

    def due(self, nodes: Sequence[Node], evidence: Evidence, full_refresh: bool) -> dict[str, Node]:
        """Return which of the nodes, which come in the order of the graph, must be built."""

        def asked(node: Node) -> bool:
            return node.name not in self.done and (self.no_cache or (full_refresh and _refreshes(node)))

        found = due(nodes, evidence, asked)
        return {node.name: node for node in nodes if node.name in found}


def due(nodes: Sequence[Node], evidence: Evidence, asked: Callable[[Node], bool] = lambda _: False) -> dict[str, str]:
    """Return which of the nodes must be built, each with the first reason, "" where that was `asked` for.

    They come in the order of the graph. The hooks of one may write to another that comes before it, which is then built
    as well: only so is it, after the run, what it would be if all were built.
    """
    found: dict[str, str] = {}
    known = -1
    while known != (known := len(evidence.hooks.expected)):
        for node in nodes:
            if node.name not in found and ((wanted := asked(node)) or (reason := next(evidence.reasons(node), ""))):
                found[node.name] = "" if wanted else reason
                evidence.due.add(node.name)
                evidence.hooks.expect(node)
    return found


def from_scratch(due: Mapping[str, Node], evidence: Evidence, full_refresh: bool) -> dict[str, str]:
    """Return which growing models are built from scratch, each with the reason, "" where that was asked for.

    Takes note in `evidence` of the models that would replace tables which nobody knows of, and were not asked to.
    Who says that a table is never refreshed has said that its rows stay, and who says how it follows its query has said
    so of the rows that it gave while it grew.
    """
    found: dict[str, str] = {}
    for name, node in due.items():
        if not full_refresh and is_over_foreign(node, evidence):
            evidence.over_foreign.add(name)
        if not _refreshes(node):
            continue
        if full_refresh or node.config.full_refresh:
            found[name] = ""
            continue
        if refused(node, evidence, found):
            continue
        follows = node.config.on_schema_change is not None
        if reason := evidence.takeover(node) or ("" if follows else evidence.redefinition(node)):
            found[name] = reason
    return found


def grows(node: Node) -> bool:
    """Tell whether a model keeps its rows from build to build and can be built from scratch."""
    return not node.config.is_replaced and node.config.materialized != "snapshot"


def _refreshes(node: Node) -> bool:
    return grows(node) and node.config.full_refresh is not False
