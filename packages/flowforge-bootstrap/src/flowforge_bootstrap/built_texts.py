"""Fulfils `BuiltTexts` by one file per target below `.flowforge/cache/`, which may be deleted at any time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flowforge_bootstrap.artifacts import CACHE, write_text
from flowforge_domain.errors import ConfigError
from flowforge_domain.fingerprint import fingerprint
from flowforge_ports.engine import Engine


@dataclass(frozen=True)
class TextFile:
    """Maps the names of models to what they ran; what is read is compared by fingerprint, so that it may be wrong."""

    path: Path

    def last(self, name: str) -> str | None:
        """Return what a model ran, None where that is not known."""
        text = self._texts.get(name)
        return text if isinstance(text, str) else None

    def keep(self, texts: Mapping[str, str]) -> None:
        """Take note of what models have run; a folder that cannot be written is left alone."""
        _keep(self.path, self._texts, texts)

    def stable(self, name: str) -> tuple[str, str]:
        """Return what was last kept of a model's stable text, two empty texts where nothing was."""
        match self._stable.get(name):
            case [str() as recipe, str() as text]:
                return recipe, text
        return "", ""

    def keep_stable(self, texts: Mapping[str, tuple[str, str]]) -> None:
        """Take note of the stable texts of models; a folder that cannot be written is left alone."""
        _keep(self._beside, self._stable, texts)

    @property
    def _beside(self) -> Path:
        return self.path.with_name(f"stable-{self.path.name}")

    @cached_property
    def _texts(self) -> dict[str, Any]:
        return _kept(self.path)

    @cached_property
    def _stable(self) -> dict[str, Any]:
        return _kept(self._beside)


def _keep(path: Path, known: dict[str, Any], new: Mapping[str, Any]) -> None:
    if new:
        known.update(new)
        with suppress(ConfigError):
            write_text(path, json.dumps(known))


def _kept(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def text_file(root: Path, engine: Engine) -> TextFile:
    """Return what was kept of the builds on one target."""
    return TextFile(root / CACHE / f"built-{fingerprint(engine.name, engine.target)[:16]}.json")
