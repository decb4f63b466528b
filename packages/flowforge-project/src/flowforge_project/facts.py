"""What one model file says, before it is put together with the rest of the project.

Facts depend on a file's content alone, so they can be kept by content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_KEPT = (
    *("refs", "sources", "settings", "setting_lines", "creates", "name", "function", "requires", "line"),
    *("checksum", "names", "variables"),
)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model as its file states it; `refs` and `sources` end with the line they stand on.

    `creates` is the kind and relation of a literal `create … as`; `settings` are the values of `config(...)` or
    `@model(...)`, and `setting_lines` where they stand; `function` is the name of a Python model's function, and `line`
    where its marker stands. `checksum` is that of the file's text, the same for every kind of line ends. `names` are
    those that a template leaves to the project's macros, with their line; 0 where it can do without. `variables` are
    those that it reads, "" where a name is computed.
    """

    refs: Sequence[tuple[str, int]] = ()
    sources: Sequence[tuple[str, str, int]] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    setting_lines: Mapping[str, int] = field(default_factory=dict)
    creates: tuple[str, str] | None = None
    name: str | None = None
    function: str = ""
    requires: Mapping[str, Sequence[str]] = field(default_factory=dict)
    line: int = 0
    checksum: str = ""
    names: Sequence[tuple[str, int]] = ()
    variables: Sequence[str] = ()

    @property
    def form(self) -> str:
        """How the model is materialized where its settings cannot be followed."""
        return self.creates[0] if self.creates else "table"

    def can_be(self, materialized: str) -> bool:
        """Tell whether the file as it is written can be materialized so."""
        if self.creates:
            return materialized == self.creates[0]
        return not self.function or materialized not in ("view", "ephemeral")


@dataclass(frozen=True, slots=True)
class MacroFacts:
    """One macro as its file states it; `refs`, `sources`, `names` and `variables` as in `ModelFacts`."""

    name: str
    line: int
    refs: Sequence[tuple[str, int]] = ()
    sources: Sequence[tuple[str, str, int]] = ()
    names: Sequence[tuple[str, int]] = ()
    digest: str = ""
    variables: Sequence[str] = ()


def to_json(facts: tuple[ModelFacts, ...]) -> list[dict[str, Any]]:
    """Return checked facts as JSON can hold them; what is empty is left out."""
    return [{name: value for name in _KEPT if (value := getattr(one, name))} for one in facts]


def from_json(stored: list[dict[str, Any]]) -> list[ModelFacts]:
    """Return facts from what `to_json` gave; what was a tuple may be a list."""
    return [ModelFacts(**one) for one in stored]
