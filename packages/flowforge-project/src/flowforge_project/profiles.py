"""Reads `profiles.yml`: `env_var()` is the only thing its texts can call, and nothing else is rendered.

The file may hold passwords, so no message shows a part of it, and what comes from the environment is a `Secret`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowforge_domain.errors import ProfileError
from flowforge_domain.secret import Secret
from flowforge_ports.project import ProfileEntry
from flowforge_project.env_text import EnvTextError, filled, is_template
from flowforge_project.folder import ProjectFile
from flowforge_project.yaml_files import Path, YamlFile, read_yaml


def read_profiles(file: ProjectFile, environment: Mapping[str, str]) -> dict[str, ProfileEntry]:
    """Return the profiles by name; empty when the file does not exist.

    What is wrong with `env_var()` in a profile matters only when it is used, so it is left there as its fault.
    Raises `ConfigError` for bad YAML, `ProfileError` for a profile that is no mapping.
    """
    if not file.path.exists():
        return {}
    yaml = read_yaml(file.text(), file.name, private=True)
    if not isinstance(yaml.data, dict):
        raise ProfileError("profiles.yml maps names to settings.", where=yaml.where(), hint="default: {engine: duckdb}")
    return {name: _entry(name, settings, yaml, environment) for name, settings in yaml.data.items()}


def _entry(name: str, settings: Any, yaml: YamlFile, environment: Mapping[str, str]) -> ProfileEntry:
    if not isinstance(settings, dict):
        raise ProfileError(f"Profile {name!r} is no mapping.", where=yaml.where(name), hint="Give it an `engine`.")
    lines = {tuple(str(part) for part in path[1:]): line for path, line in yaml.lines.items() if path[:1] == (name,)}
    try:
        return ProfileEntry(_rendered(settings, (name,), environment), yaml.where(name), lines)
    except _FaultError as fault:
        return ProfileEntry({}, yaml.where(*fault.path), lines, fault.message, fault.fix)


@dataclass(eq=False)
class _FaultError(Exception):
    """A text of this profile cannot be rendered; said only when the profile is used."""

    message: str
    fix: str
    path: Path


def _rendered(value: Any, path: Path, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _rendered(child, (*path, key), environment) for key, child in value.items()}
    if isinstance(value, list):
        return [_rendered(child, (*path, i), environment) for i, child in enumerate(value)]
    if isinstance(value, str) and is_template(value):
        try:
            return Secret(filled(value, environment))
        except EnvTextError as error:
            raise _FaultError(error.message, error.fix, path) from None
    return value
