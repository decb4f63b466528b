"""What one model file says, before it is put together with the rest of the project.

Facts depend on a file's content alone, so they can be kept by content.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model as its file states it; `refs` and `sources` end with the line they stand on.

    `creates` is the kind and relation of a literal `create … as`; `settings` are checked values of `config(...)` or
    `@model(...)`; `function` is the name of a Python model's function.
    """

    refs: tuple[tuple[str, int], ...] = ()
    sources: tuple[tuple[str, str, int], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    creates: tuple[str, str] | None = None
    name: str | None = None
    function: str = ""
    requires: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def to_json(facts: tuple[ModelFacts, ...]) -> list[dict[str, Any]]:
    """Return facts as JSON can hold them; what is empty is left out."""
    return [{key: value for key, value in asdict(one).items() if value} for one in facts]


def from_json(stored: list[dict[str, Any]]) -> tuple[ModelFacts, ...]:
    """Return facts from what `to_json` gave."""
    return tuple(_one(entry) for entry in stored)


def _one(entry: dict[str, Any]) -> ModelFacts:
    return ModelFacts(
        refs=tuple((name, line) for name, line in entry.get("refs", ())),
        sources=tuple((group, table, line) for group, table, line in entry.get("sources", ())),
        settings=entry.get("settings", {}),
        creates=tuple(entry["creates"]) if "creates" in entry else None,
        name=entry.get("name"),
        function=entry.get("function", ""),
        requires={relation: tuple(columns) for relation, columns in entry.get("requires", {}).items()},
    )
