"""Reads `profiles.yml`: `env_var()` is the only thing its texts can call, and nothing else is rendered.

The file may hold passwords, so no message shows a part of it, and what comes from the environment is a `Secret`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowforge_domain.errors import ProfileError
from flowforge_domain.secret import Secret
from flowforge_domain.text import misspelt
from flowforge_ports.project import ProfileEntry
from flowforge_project.folder import ProjectFile
from flowforge_project.yaml_files import Path, YamlFile, read_yaml

_TEXT = r"""'[^'\\{}]*'|"[^"\\{}]*\""""
_ENV_VAR = re.compile(rf"env_var\(\s*(?P<name>{_TEXT})\s*(?:,\s*(?P<default>{_TEXT})\s*)?\)\Z")
_TAG = re.compile(r"\{\{(?P<call>.*?)(?P<closed>\}\}|\Z)", re.DOTALL)


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
    if isinstance(value, str) and "{{" in value:
        return Secret(_TAG.sub(lambda tag: _filled(tag, path, environment), value))
    return value


def _filled(tag: re.Match[str], path: Path, environment: Mapping[str, str]) -> str:
    """Return what a tag stands for; braces that are never closed are no tag, and may be part of a password."""
    return _variable(tag["call"].strip(), path, environment) if tag["closed"] else tag.group()


def _variable(call: str, path: Path, environment: Mapping[str, str]) -> str:
    found = _ENV_VAR.match(call)
    if found is None:
        fix = (
            "Did you mean env_var?"
            if _is_misspelt(call)
            else "Write env_var with its name in quotes, or a plain value."
        )
        raise _FaultError("only env_var('NAME') or env_var('NAME', 'default') can stand in {{ … }}.", fix, path)
    name = found["name"][1:-1]
    if name in environment:
        return environment[name]
    if found["default"]:
        return found["default"][1:-1]
    # What else the environment holds is nobody's business.
    meant = misspelt(name, environment)
    hint = f" Did you mean {meant!r}?" if meant else ""
    raise _FaultError(f"The environment variable {name!r} is not set.{hint}", "Set it in your shell or .env.", path)


def _is_misspelt(call: str) -> bool:
    word = call.partition("(")[0].strip()
    return word != "env_var" and misspelt(word.lower(), ["env_var"]) is not None
