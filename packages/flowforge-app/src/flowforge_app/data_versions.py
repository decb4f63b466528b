"""Data versions: texts that tell whether what a model reads has changed.

Each build of a model gives its relation a new one, a seed's is that of its content, and a source's is what the engine
can prove. Through a view or an ephemeral model shine the versions of what those read.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from uuid import uuid4

from flowforge_app.target_state import TargetState
from flowforge_domain.dialect import Dialect, relation_key
from flowforge_domain.fingerprint import fingerprint
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node, Seed
from flowforge_domain.seed_text import readable
from flowforge_domain.source import SourceKey
from flowforge_domain.sql_scan import undeclared, volatile_word
from flowforge_domain.state import StateRow


@dataclass(frozen=True)
class DataVersions:
    """Knows the version of everything that models read, None where nobody can tell.

    `sources` are the versions that the engine gave of relations, by key. `told` is what this run itself has told of
    relations since, by key; both are kept true while it goes on.
    """

    manifest: Manifest
    dialect: Dialect
    target: TargetState
    sources: dict[str, str] = field(default_factory=dict)
    told: dict[str, StateRow] = field(default_factory=dict)
    _through: dict[str, str | None] = field(default_factory=dict)
    _keys: dict[str, str] = field(default_factory=dict)

    def read_by(self, node: Node) -> dict[str, str | None]:
        """Return the version of each thing that a node names, sources as `group.table`."""
        versions = {name: self._of_name(name) for name in node.deps}
        return versions | {".".join(key): self._of_source(key) for key in node.sources}

    def note(self, row: StateRow) -> None:
        """Take note of what this run has built, or a hook of it has written to."""
        self.told[self._key(row.relation)] = row
        self._through.clear()

    def standing(self, node: Node) -> StateRow | None:
        """Return what tells of the last build of the model's relation, whichever model or seed that was."""
        return self.target.rows.get(self._key(node.relation))

    def row(self, node: Node) -> StateRow | None:
        """Return what tells of the model's last build, None where that is not what stands."""
        row = self.standing(node)
        return row if row and (row.model, row.project) == (node.name, self.manifest.name) else None

    def fault(self, node: Node) -> str:
        """Say why what stands is not what the model's last build left there, "" where nothing speaks against it."""
        key = self._key(node.relation)
        if fault := self.target.fault(key):
            return fault
        row, entry = self.target.rows[key], self.target.entries[key]
        if self.row(node) is None:
            return f"{row.relation} was written by {row.model} of project {row.project}"
        return "" if entry.kind == node.config.stands_as else f"{row.relation} is a {entry.kind}"

    def _of_name(self, name: str) -> str | None:
        node = self.manifest.nodes.get(name)
        if node is None:
            return self._of_relation(self._key(self.manifest.seeds[name].relation))
        if node.config.stands_as != "view":
            return self._own(node)
        if name not in self._through:
            self._through[name] = self._of_view(node)
        return self._through[name]

    def _own(self, node: Node) -> str | None:
        if row := self.told.get(self._key(node.relation)):
            return None if row.is_doubted else row.data_version
        return None if self.fault(node) else self.target.rows[self._key(node.relation)].data_version

    def _of_view(self, node: Node) -> str | None:
        """Return one version for all that shines through a view, and for the view itself where there is one."""
        versions = list(self.read_by(node).values())
        if node.config.materialized != "ephemeral":
            versions.append(self._own(node))
        known = [version for version in versions if version is not None]
        return fingerprint(*known) if len(known) == len(versions) else None

    def _of_source(self, key: SourceKey) -> str | None:
        relation = self._key(self.manifest.sources[key].relation)
        # Of what a model makes, nothing says whether it is built before or after what reads it as a source.
        version = None if self._writers.get(relation) == "model" else self._of_relation(relation)
        # Others write to sources, also to one that a seed once filled: where the engine can tell, that counts too.
        proof = self.sources.get(relation)
        return version if version is None or proof in (None, version) else fingerprint(version, proof)

    def _of_relation(self, key: str) -> str | None:
        """Return the version of a table that no model of this project makes."""
        if told := self.told.get(key):
            return None if told.is_doubted else told.data_version
        row, entry = self.target.rows.get(key), self.target.entries.get(key)
        # Of what is gone from the project, nobody says any more who writes it.
        gone = row is not None and row.project == self.manifest.name and key not in self._writers
        if row is None or entry is None or gone:
            return self.sources.get(key)
        return None if self.target.fault(key) or entry.kind != "table" else row.data_version

    @cached_property
    def _writers(self) -> dict[str, str]:
        """What the project writes, by key: of a model or of a seed."""
        seeds = {self._key(seed.relation): "seed" for seed in self.manifest.seeds.values()}
        return seeds | {self._key(node.relation): "model" for node in self.manifest.nodes.values()}

    def _key(self, relation: str) -> str:
        if relation not in self._keys:
            self._keys[relation] = relation_key(relation, self.dialect)
        return self._keys[relation]


def data_version(seed: Seed, dialect: Dialect) -> str:
    """Return a text that is the same for the same content; asked before the load, or a later edit might go unseen.

    That of SQL is new each time, unless nothing else can decide what it gives. Raises `SeedError` for no file.
    """
    with readable(seed):
        with seed.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        text = seed.path.read_text("utf-8", "replace") if seed.kind == "sql" else ""
    if volatile_word(text, dialect) or undeclared(text, (), dialect):
        return uuid4().hex
    return fingerprint(digest, repr(seed.options))
