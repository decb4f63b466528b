"""What speaks for building a model anew. Where nothing does, and only there, it may be left as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from flowforge_app.data_versions import DataVersions
from flowforge_app.definitions import Definitions
from flowforge_app.hooks_at_work import HooksAtWork
from flowforge_app.no_help import NoTexts
from flowforge_app.stable_texts import StableTexts
from flowforge_domain.dialect import known_name, relation_key
from flowforge_domain.errors import FlowForgeError
from flowforge_domain.fingerprint import (
    Inputs,
    differences,
    fingerprint,
    inputs_from,
    redefinitions,
    version_below_hooks,
    version_for_hooks,
    with_text_of,
)
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node
from flowforge_domain.state import StateRow
from flowforge_ports.sql import BuiltTexts


@dataclass(frozen=True)
class Evidence:
    """Weighs what a target says against what a project says.

    `due` are the models that this run builds; it grows while they are looked for, in the order of the graph. Of these,
    `over_foreign` would replace tables that nobody knows of.
    """

    manifest: Manifest
    definitions: Definitions
    versions: DataVersions
    stable: StableTexts
    hooks: HooksAtWork
    texts: BuiltTexts = field(default_factory=NoTexts)
    due: set[str] = field(default_factory=set)
    over_foreign: set[str] = field(default_factory=set)
    _strange: dict[str, bool] = field(default_factory=dict)

    def reasons(self, node: Node) -> Iterator[str]:
        """Yield why `node` must be built, what is cheap to find first; nothing where it is proved unchanged."""
        if fault := self.versions.fault(node):
            yield fault
        views = _views(node, self.manifest.nodes)
        try:
            readers = (self.hooks.effects.reader(node), *views)
            read = dict.fromkeys(name for reader in readers for name in reader.deps)
            yield from (f"{name} is built anew" for name in read if name in self.due)
            yield from self.hooks.reasons(node, readers, self.versions.row(node))
            yield from self._changes(node)
            yield from self._instability(node)
            for view in views:
                if view.config.materialized == "view":
                    yield from (f"{view.name}, through which it reads: {why}" for why in self._instability(view))
                    yield from self._strangeness(view)
        except FlowForgeError as error:
            yield f"it cannot be read: {error.message}"

    def inputs(self, node: Node, built: bool = False) -> Inputs:
        """Return all that decides what a build of `node` gives now, or where it is `built` now, what decided it."""
        upstream = self.versions.read_by(self.hooks.effects.reader(node))
        for name in self.hooks.effects.only_written(node):
            if version := upstream[name]:
                upstream[name] = version_below_hooks(version) if built else version_for_hooks(version, node.name)
        return self.definitions.inputs(node, upstream)

    def takeover(self, node: Node) -> str:
        """Say what a growing model cannot go on from, "" where it can: what did not grow, or is a stranger's."""
        row = self.versions.standing(node)
        if row is None:
            return ""
        if lacking := self._lacking(node):
            return f"{row.relation} was replaced by a table without {lacking}"
        before = inputs_from(row.inputs)
        if before is None:
            return f"{row.relation} was loaded as the seed {row.model}"
        kind = before.settings.get("materialized", "table")
        maker = f"{row.model} of project {row.project}" if self.stranger(node) else row.model
        return "" if before.definition else f"{row.relation} was built as a {kind} by {maker}"

    def stranger(self, node: Node) -> StateRow | None:
        """Return what tells of the last build of the model's relation where that was another project's.

        A project that nobody gave a name is called like its folder, which may be called otherwise elsewhere.
        """
        row = self.versions.standing(node)
        return row if row and self.manifest.named and row.project != self.manifest.name else None

    def lost_kind(self, node: Node) -> str:
        """Return as what kind the table kept rows from build to build that one of `node` replaces, "" if it did not."""
        row = self.versions.standing(node) if node.config.is_replaced else None
        before = inputs_from(row.inputs) if row else None
        if before is None or not before.definition:
            return ""
        entry = self.versions.target.entries.get(relation_key(node.relation, self.definitions.engine.dialect))
        return before.settings["materialized"] if entry and entry.kind == "table" else ""

    def redefinition(self, node: Node) -> str:
        """Say why the rows that `node` has are not what it would have given, "" where nothing proves that they are not.

        Another value of a variable is no other definition, nor is another layout, nor is what happened to the table.
        """
        row = self.versions.standing(node)
        before = inputs_from(row.inputs) if row else None
        if before is None or not before.definition:
            return ""
        try:
            now = self.definitions.definition(node, before)
            # Another Python writes the same code otherwise.
            python, then = now.get("python"), before.definition.get("python")
            if (python and then and python != then) or self._says_as(before, node):
                now = with_text_of(now, before.definition)
        except FlowForgeError:
            # What cannot be read is not built either; its own build tells why.
            return ""
        return next(redefinitions(before.definition, now), "")

    def _lacking(self, node: Node) -> str:
        """Return the first column of the model's key that a table in the place of its own does not have."""
        engine = self.definitions.engine
        key = relation_key(node.relation, engine.dialect)
        if not self.versions.target.is_another(key) or self.versions.target.entries[key].kind != "table":
            return ""
        stand = {known_name(name, engine.dialect).casefold() for name, _ in engine.catalog.columns(node.relation)}
        return next((name for name in node.config.unique_key if name.casefold() not in stand), "")

    def _changes(self, node: Node) -> Iterator[str]:
        row = self.versions.row(node)
        if row is None or self._is_proved(node, row):
            return
        now = self.inputs(node)
        if row.fingerprint and row.fingerprint == now.fingerprint:
            return
        yield from (f"nobody can tell whether {name} has changed" for name, v in now.upstream.items() if v is None)
        before = inputs_from(row.inputs)
        if before is None:
            yield "it is not known what its last build was made of"
            return
        if before.text != now.text and self._says_as(before, node):
            now = replace(now, text=before.text)
        if not row.fingerprint or row.fingerprint != now.fingerprint:
            yield from differences(before, now)

    def _says_as(self, before: Inputs, node: Node) -> bool:
        """Tell whether the last text of `node`, where it is known, says the same as that of now."""
        last = self.texts.last(node.name) if node.kind == "sql" else None
        return last is not None and fingerprint(node.kind, last) == before.text and self.definitions.same(last, node)

    def _is_proved(self, node: Node, row: StateRow) -> bool:
        """Tell whether the inputs are those of a build, where that takes no look at the text."""
        text = self.stable.fingerprint(node) if row.fingerprint else ""
        if not text:
            return False
        return self.definitions.proof(node, text, self.versions.read_by(node)).fingerprint == row.fingerprint

    def _strangeness(self, view: Node) -> Iterator[str]:
        """Say where a view that stands says something else than its file, by which alone it is judged."""
        if view.name not in self._strange:
            row = self.versions.row(view)
            before = inputs_from(row.inputs) if row else None
            text = before and (self.stable.fingerprint(view) or self.definitions.fingerprint(view))
            self._strange[view.name] = bool(before and before.text != text and not self._says_as(before, view))
        if self._strange[view.name]:
            yield f"{view.name}, through which it reads, stands as its text was before"

    def _instability(self, node: Node) -> Iterator[str]:
        if self.stable.fingerprint(node):
            return
        if found := self.definitions.instability(node) or self.hooks.effects.instability(node):
            yield found
        else:
            self.stable.learn(node, self.definitions.fingerprint(node))


def _views(node: Node, nodes: Mapping[str, Node]) -> list[Node]:
    """Return the views and ephemeral models whose queries run with that of `node`."""
    found: dict[str, Node] = {}
    frontier = list(node.deps)
    while frontier:
        inner = nodes.get(frontier.pop())
        if inner is not None and inner.config.stands_as == "view" and inner.name not in found:
            found[inner.name] = inner
            frontier.extend(inner.deps)
    return list(found.values())
