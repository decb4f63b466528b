"""Inputs that once went wrong, in `regressions`, and how each is to end."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fuzz.cases import Case


@dataclass(frozen=True)
class Known:
    """An input, its exit code, and a part of what is said."""

    name: str
    case: Case
    code: int
    says: str

    @property
    def mutated(self) -> str:
        return self.case.mutated if self.code == 1 else ""


def known(engine: str) -> list[Known]:
    """Return the inputs of an engine."""
    told = {path.stem: json.loads(path.read_text("utf-8")) for path in Path(__file__).parent.glob("regressions/*.json")}
    return [_known(name, said) for name, said in sorted(told.items()) if said.get("engine", "duckdb") == engine]


def _known(name: str, said: dict[str, Any]) -> Known:
    changed = {
        path: bytes.fromhex(data["hex"]) if isinstance(data, dict) else data.encode("utf-8", "surrogatepass")
        for path, data in said.get("files", {}).items()
    }
    return Known(name, Case(said["command"], changed, said.get("environment", {})), said["code"], said["says"])
