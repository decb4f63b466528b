"""Reads `profiles.yml`: `env_var()` is the only thing its texts can call, and nothing else is rendered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flowforge_domain.errors import ProfileError
from flowforge_domain.text import did_you_mean
from flowforge_ports.project import ProfileEntry
from flowforge_project.folder import ProjectFile, decode
from flowforge_project.yaml_files import YamlFile, read_yaml

_TEXT = r"""'[^'\\{}]*'|"[^"\\{}]*\""""
_ENV_VAR = re.compile(rf"\{{\{{\s*env_var\(\s*(?P<name>{_TEXT})\s*(?:,\s*(?P<default>{_TEXT})\s*)?\)\s*\}}\}}")


def read_profiles(file: ProjectFile, environment: Mapping[str, str]) -> dict[str, ProfileEntry]:
    """Return the profiles by name; empty when the file does not exist.

    A variable that is not set is an error only in the profile that is used, so it is left as `Unset`.
    Raises `ConfigError` for bad YAML, `ProfileError` for a profile that is no mapping.
    """
    if not file.path.exists():
        return {}
    yaml = read_yaml(decode(file.read(), file.name), file.name)
    if not isinstance(yaml.data, dict):
        raise ProfileError("profiles.yml maps names to settings.", where=yaml.where(), hint="default: {engine: duckdb}")
    return {name: _entry(name, settings, yaml, environment) for name, settings in yaml.data.items()}


def _entry(name: str, settings: Any, yaml: YamlFile, environment: Mapping[str, str]) -> ProfileEntry:
    if not isinstance(settings, dict):
        raise ProfileError(f"Profile {name!r} is no mapping.", where=yaml.where(name), hint="Give it an `engine`.")
    lines = {tuple(str(part) for part in path[1:]): line for path, line in yaml.lines.items() if path[:1] == (name,)}
    try:
        return ProfileEntry(_rendered(settings, environment), yaml.where(name), lines)
    except _UnsetError as error:
        return ProfileEntry({}, yaml.where(name), lines, str(error))


class _UnsetError(Exception):
    """A variable of this profile is not set; said only when the profile is used."""


def _rendered(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _rendered(child, environment) for key, child in value.items()}
    if isinstance(value, list):
        return [_rendered(child, environment) for child in value]
    if isinstance(value, str) and "{{" in value:
        return _ENV_VAR.sub(lambda call: _variable(call, environment), value)
    return value


def _variable(call: re.Match[str], environment: Mapping[str, str]) -> str:
    name = call["name"][1:-1]
    if name in environment:
        return environment[name]
    if call["default"]:
        return call["default"][1:-1]
    hint = did_you_mean(name, [known for known in environment if known[:2] == name[:2]])
    raise _UnsetError(f"The environment variable {name!r} is not set. {hint}".rstrip())
