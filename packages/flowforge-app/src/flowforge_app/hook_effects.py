"""What hooks do to relations, as far as their SQL tells: which they write, and what the rows that they write depend on.

Where it does not tell, a hook may do anything; functions in Python may write to sources, as others do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from flowforge_app.definitions import Definitions, foreign_reads
from flowforge_app.written_names import WrittenNames
from flowforge_domain.catalog import CatalogEntry
from flowforge_domain.dialect import relation_key
from flowforge_domain.hooks import Hook, defines, leaves_data
from flowforge_domain.manifest import ref_relation, source_relation
from flowforge_domain.model import Node
from flowforge_domain.source import SourceKey
from flowforge_domain.sql_scan import without_values
from flowforge_ports.sql import SqlFacts


@dataclass(frozen=True, slots=True)
class Effect:
    """What one hook does: `writes` are the relations that it may change, None for any.

    `title` is how messages call it, `model` the one that it belongs to, "" for a run; `facts` are those of its SQL.
    """

    title: str
    writes: tuple[str, ...] | None
    model: str = ""
    facts: SqlFacts | None = None


@dataclass(frozen=True)
class HookEffects:
    """Knows the hooks of one project; `entries` are what the catalog lists of the target."""

    definitions: Definitions
    entries: Mapping[str, CatalogEntry] = field(default_factory=dict)
    _known: dict[str, tuple[Effect, ...]] = field(default_factory=dict)

    def effect(self, hook: Hook, sql: str, node: Node | None = None) -> Effect:
        """Return what a hook does that was rendered to `sql`; one of a model belongs to `node`."""
        title, model = hook.title(node.name if node else ""), node.name if node else ""
        dialect = self.definitions.engine.dialect
        if hook.function:
            # It gets no access to the target: what it does there by a connection of its own, others might do as well.
            return Effect(title, tuple(table.relation for table in self.definitions.manifest.sources.values()))
        if leaves_data(sql, dialect):
            return Effect(title, (), model)
        facts = self.definitions.facts(sql if node else without_values(sql, dialect))
        writes = facts.writes if facts else None
        if writes and not defines(sql, dialect) and any(map(self.names.is_view, writes)):
            # Rows that are written to a view come into a table below it.
            writes = None
        return Effect(title, writes, model, facts)

    def of(self, node: Node) -> tuple[Effect, ...]:
        """Return what the hooks of a model do, whether new rows come to those that stand or not.

        Raises `TemplateError` for one that cannot be rendered, as all below do that take a node.
        """
        if not node.hooks:
            return ()
        if node.name not in self._known:
            said = self.definitions.compiler.every_hook(node)
            self._known[node.name] = tuple(self.effect(hook, sql, node) for hook, sql in said)
        return self._known[node.name]

    @cached_property
    def at_start(self) -> tuple[Effect, ...]:
        """What the hooks do that come before the models of each run, to what the project makes or reads."""
        compiler, nobody = self.definitions.compiler, {"run_id": "", "results": []}
        hooks = [hook for hook in self.definitions.manifest.hooks if hook.when == "on_run_start"]
        said = ((hook, "" if hook.function else compiler.hook(hook, more=nobody)) for hook in hooks)
        effects = (self.effect(hook, sql) for hook, sql in said if sql or hook.function)
        return tuple(effect for effect in effects if self.names.are_ours(effect.writes))

    def across(self, node: Node) -> tuple[Effect, ...]:
        """Return what the hooks of a model do to other relations that the project makes or reads."""
        return tuple(effect for effect in self.of(node) if self.names.are_ours(effect.writes, besides=node.relation))

    def reader(self, node: Node) -> Node:
        """Return a model as one that also reads what its hooks write: they must run again when that is made anew."""
        names, sources = self._written(node)
        deps, keys = dict.fromkeys((*node.deps, *names)), dict.fromkeys((*node.sources, *sources))
        return replace(node, deps=tuple(deps), sources=tuple(keys)) if names or sources else node

    def only_written(self, node: Node) -> set[str]:
        """Return what `reader` reads of what the hooks write that the model's own rows do not depend on.

        That is what its statements do not read, and what is made anew whenever the model is.
        """
        names, sources = self._written(node)
        if not names and not sources:
            return set()
        manifest, dialect = self.definitions.manifest, self.definitions.engine.dialect
        anew = {name for name in names if name in manifest.nodes and manifest.nodes[name].config.is_replaced}
        facts = list(map(self.definitions.facts, self.definitions.statements(node))) if node.kind == "sql" else [None]
        if None in facts:
            return anew
        read = {relation_key(name, dialect) for one in facts if one for name in one.reads if not name.endswith("()")}
        relations = {name: ref_relation(manifest, name) for name in names}
        relations |= {".".join(key): source_relation(manifest, *key) for key in sources}
        return anew | {name for name, relation in relations.items() if relation_key(relation, dialect) not in read}

    def instability(self, node: Node) -> str:
        """Say why the hooks of a model may do something else another time, "" where they do not.

        What they write to relations that nothing in the project makes or reads is no data of it.
        """
        return next(filter(None, map(self._instability, self.of(node))), "")

    @cached_property
    def names(self) -> WrittenNames:
        """What the names in hooks may mean."""
        return WrittenNames(self.definitions.manifest, self.definitions.engine.dialect, self.entries)

    def _instability(self, effect: Effect) -> str:
        if effect.writes is None:
            return f"{effect.title} may do anything"
        if effect.facts is None or not self.names.are_ours(effect.writes):
            return ""
        if effect.facts.volatile:
            return f"{effect.title} gives another result each time: {effect.facts.volatile[0]}"
        manifest, dialect = self.definitions.manifest, self.definitions.engine.dialect
        foreign = foreign_reads(effect.facts, manifest.nodes[effect.model], manifest, dialect)
        written = effect.writes
        stranger = next((name for name in foreign if name not in written), "")
        return f"{effect.title} reads {stranger}, which no ref() or source() names" if stranger else ""

    def _written(self, node: Node) -> tuple[list[str], list[SourceKey]]:
        """Return the other models and seeds, and the sources, that the hooks of a model write."""
        names, sources = self.names.meant([name for effect in self.across(node) for name in effect.writes or ()])
        return [name for name in names if name != node.name], sources
