"""Explain why a run would build a model or leave it as it is; nothing is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from flowforge_app.compile_models import CompileModels
from flowforge_app.due_models import Skipping, due, from_scratch
from flowforge_app.kept_rows import refused
from flowforge_app.other_targets import known_elsewhere
from flowforge_app.target_state import read_target
from flowforge_domain.config import ColumnConfig, ModelConfig
from flowforge_domain.dag import upstream
from flowforge_domain.dialect import relation_key
from flowforge_domain.errors import SelectionError
from flowforge_domain.fingerprint import settings_that_matter
from flowforge_domain.manifest import Manifest, run_order
from flowforge_domain.model import Node, node_name
from flowforge_domain.text import did_you_mean
from flowforge_ports.engine import Engine
from flowforge_ports.project import ProjectReader, SettingPlace


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of a model's setting as text, and the places that it comes from; none for a default."""

    value: str
    places: tuple[SettingPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a model is due: no `reasons` mean that it is proved unchanged; `above` are those of what it reads.

    An ephemeral model, which nothing builds, has neither. `from_scratch` says why the rows that it has would be
    replaced, "" where they stay or there are none; `refused` why it would fail instead.
    """

    node: Node
    reasons: tuple[str, ...]
    above: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Setting] = field(default_factory=dict)
    from_scratch: str = ""
    refused: str = ""


@dataclass(frozen=True)
class ExplainModel:
    """Weighs the evidence as a run of everything would."""

    manifest: Manifest
    engine: Engine
    compiler: CompileModels
    reader: ProjectReader
    skipping: Skipping = field(default_factory=Skipping)

    def __call__(self, name: str) -> Explanation:
        """Return why the model would be built or not; raise `SelectionError` with the nearest name."""
        node = self.manifest.nodes.get(node_name(name))
        if node is None:
            raise SelectionError(f"There is no model {name!r}.", hint=did_you_mean(name, self.manifest.nodes))
        if node.config.materialized == "ephemeral":
            return Explanation(node, (), settings=self._settings(node))
        state = known_elsewhere(self.engine, read_target(self.engine), [node.relation])
        evidence = self.skipping.evidence(self.manifest, self.engine, self.compiler, self.reader, state)
        wanted = upstream(self.manifest.nodes, [node.name]) - {node.name}
        order = [self.manifest.nodes[one] for one in run_order(self.manifest) if one != node.name]
        hooked = any(one.hooks for one in order)
        # The hooks of any model may write to those that come before it.
        others = [one for one in order if hooked or one.name in wanted]
        built = due([one for one in others if one.config.materialized != "ephemeral"], evidence)
        above = {one: reason for one, reason in built.items() if one in wanted}
        reasons, name = tuple(evidence.reasons(node)), node.name
        stands = relation_key(node.relation, self.engine.dialect) in state.entries
        anew = from_scratch({name: node} if reasons and stands else {}, evidence, full_refresh=False)
        scratch = anew[name] or "full_refresh: true" if name in anew else ""
        settings = self._settings(node)
        if stands and (found := refused(node, evidence, anew)):
            return Explanation(node, reasons, above, settings, refused=found.why)
        if kind := evidence.lost_kind(node):
            scratch = f"it becomes a {node.config.materialized}, and they were kept as {kind}"
        return Explanation(node, reasons, above, settings, scratch)

    def _settings(self, node: Node) -> dict[str, Setting]:
        """Return what is said of a model, and how it is materialized in any case."""
        places = self.reader.places(node)
        names = [one.name for one in fields(ModelConfig) if one.name == "materialized" or one.name in places]
        names += [name for name in settings_that_matter(node.config) if name not in names]
        return {name: Setting(_shown(getattr(node.config, name)), tuple(places.get(name, ()))) for name in names}


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        value = {key: asdict(child) if isinstance(child, ColumnConfig) else child for key, child in value.items()}
    return json.dumps(value, ensure_ascii=False)
