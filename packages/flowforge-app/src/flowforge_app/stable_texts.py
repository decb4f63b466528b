"""Which texts of models were found to give the same data from the same inputs, so that they need not be made again.

They are known by recipes: short texts for all that the SQL of a model is made from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flowforge_app.compile_models import CompileModels
from flowforge_app.definitions import FLOWFORGE, inlined
from flowforge_app.no_help import NoTexts
from flowforge_domain.fingerprint import fingerprint, settings_that_matter
from flowforge_domain.manifest import Manifest, input_relations
from flowforge_domain.model import Node
from flowforge_ports.engine import Engine
from flowforge_ports.sql import BuiltTexts

_encode = json.JSONEncoder(sort_keys=True).encode


@dataclass(frozen=True)
class StableTexts:
    """Remembers the texts of one project's models on one engine; what was `learned` is kept at the end of a run."""

    manifest: Manifest
    engine: Engine
    compiler: CompileModels
    texts: BuiltTexts = field(default_factory=NoTexts)
    learned: dict[str, tuple[str, str]] = field(default_factory=dict)
    _recipes: dict[str, str] = field(default_factory=dict)

    def fingerprint(self, node: Node) -> str:
        """Return the fingerprint of the text that `node` would run, "" where that must be made to be known."""
        recipe, text = self.texts.stable(node.name)
        return text if recipe and recipe == self._recipe(node) else ""

    def learn(self, node: Node, text: str) -> None:
        """Take note that the text of `node` with this fingerprint is stable."""
        recipe = self._recipe(node)
        # The environment is not in a recipe: it is another one in every shell.
        if recipe and not any(name.startswith("env ") for name in self.compiler.values.get(node.name, ())):
            self.learned[node.name] = recipe, text

    def _recipe(self, node: Node) -> str:
        """Return what changes whenever the statements of `node` may, "" where only making them tells."""
        if node.kind != "sql" or node.hooks or not node.checksum:
            return ""
        if node.name not in self._recipes:
            parts = [self._own(one) for one in (node, *inlined(node, self.manifest))]
            self._recipes[node.name] = fingerprint(self._everywhere, _encode(parts))
        return self._recipes[node.name]

    def _own(self, node: Node) -> list[Any]:
        macros = [self.manifest.macros[name].digest for name in node.macros]
        relations = [node.relation, *input_relations(self.manifest, node)]
        return [node.checksum, settings_that_matter(node.config), relations, macros]

    @cached_property
    def _everywhere(self) -> str:
        dialect = self.engine.dialect
        software = (FLOWFORGE, self.engine.name, dialect.name, self.engine.version, *sorted(dialect.volatile))
        # Not as JSON, which neither holds every value of YAML nor sorts every key.
        return fingerprint(*software, repr(self.manifest.variables), repr(self.compiler.target))
