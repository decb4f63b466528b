"""Reads `--vars`: a mapping in YAML or JSON, whose values no message shows."""

from __future__ import annotations

from typing import Any

from flowforge_domain.errors import ConfigError
from flowforge_project.yaml_files import read_yaml

_EXAMPLE = "Write for example --vars '{start: 2026-01-01}'."


def read_variables(text: str) -> dict[str, Any]:
    """Return the variables that a text gives.

    Raises `ConfigError` for what is no mapping, and for a key with its value grown into it, as in `{start:2026}`.
    """
    given = read_yaml(text, "--vars", private=True).data if text.strip() else None
    if not isinstance(given, dict):
        raise ConfigError("--vars takes a mapping.", hint=_EXAMPLE)
    for key, value in given.items():
        if value is None and ":" in key:
            name = key.partition(":")[0]
            raise ConfigError(f"--vars gives {name!r} no value: a space belongs behind its colon.", hint=_EXAMPLE)
    return given
