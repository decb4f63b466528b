"""What can be compared between two states of a project: facts without times or places on a disk.

This is the heart of `.flowforge/manifest.json`. A project that was not changed since they were written differs in
nothing, on any machine and with any profile: a name that the environment fills in is compared as it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, replace
from typing import Any

from flowforge_domain.checks import Check
from flowforge_domain.errors import ConfigError
from flowforge_domain.fingerprint import fingerprint
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node, Seed
from flowforge_domain.source import SourceKey

FORMAT = 3
"""The version of the facts' shape; one that is newer than ours cannot be compared."""

PARTS = ("body", "config", "macros")
"""What of a node may be modified: the text of its file and modules, what is resolved for it, the macros it uses."""

_COMPARED: Mapping[str, tuple[str, ...]] = {
    "body": ("kind", "checksum", "modules", "deps"),
    "config": ("config", "sources", "variables"),
    "macros": ("macros",),
}

Facts = Mapping[str, Any]
Checksums = Mapping[str, str]


def manifest_facts(
    manifest: Manifest, seeds: Checksums | None = None, modules: Mapping[str, Checksums] | None = None
) -> dict[str, Any]:
    """Return what a project says, as JSON can hold it: `nodes` maps each name to its facts, and so does `seeds`.

    `tests` maps each title to the tests that have it. `seeds` are the checksums of the seeds' files by name, where they
    are known, `modules` those of the modules that a Python model imports, by its name and then by file. Of settings
    only those that differ from the defaults are told. A node's `relation` alone is as the environment has it, and is
    compared no further: what makes it are its settings, as they are written.
    """
    known, imported = seeds or {}, modules or {}
    tests: dict[str, list[Facts]] = {}
    for check in manifest.checks:
        tests.setdefault(check.title, []).append(_test_facts(check))
    return {
        "format": FORMAT,
        "project": manifest.name,
        "nodes": {
            name: _node_facts(node, manifest) | {"modules": dict(imported.get(name, {}))}
            for name, node in sorted(manifest.nodes.items())
        },
        "seeds": {name: _seed_facts(seed, known.get(name, "")) for name, seed in sorted(manifest.seeds.items())},
        "tests": dict(sorted(tests.items())),
    }


def require_comparable(facts: Any, name: str) -> None:
    """Raise `ConfigError` for what is no manifest of this version; `name` is the file that it was read from."""
    if not isinstance(facts, Mapping) or not isinstance(facts.get("nodes"), Mapping):
        raise ConfigError(f"{name} is no manifest of FlowForge.", hint="Name the folder of one: --state DIR.")
    if facts.get("format") != FORMAT:
        message = f"{name} was written by another version of FlowForge (format {facts.get('format')!r})."
        raise ConfigError(message, hint="Write it again with this version: flowforge run.")


def modified_parts(now: Facts, then: Facts) -> dict[str, frozenset[str] | None]:
    """Return of each node and seed in `now` which `PARTS` differ from `then`; None for one that is new."""
    parts: dict[str, frozenset[str] | None] = {}
    for section in ("nodes", "seeds"):
        known = _section(then, section)
        for name, facts in now[section].items():
            old = known.get(name)
            parts[name] = frozenset(_differing(facts, old)) if isinstance(old, Mapping) else None
    return parts


def modified_tests(now: Facts, then: Facts) -> dict[str, frozenset[str] | None]:
    """Return of each title of a test in `now` what differs from `then`; None for one that is new."""
    known = _section(then, "tests")
    same: frozenset[str] = frozenset()
    return {
        title: None if title not in known else same if facts == known[title] else frozenset({"config"})
        for title, facts in now["tests"].items()
    }


def _section(facts: Facts, name: str) -> Facts:
    found = facts.get(name)
    return found if isinstance(found, Mapping) else {}


def _differing(now: Facts, then: Facts) -> Iterator[str]:
    for part, keys in _COMPARED.items():
        if any(now[key] != then.get(key) for key in keys if key in now and _is_known(now, then, key)):
            yield part


def _is_known(now: Facts, then: Facts, key: str) -> bool:
    """Tell whether both sides know a checksum: a seed's may not have been taken."""
    return key != "checksum" or bool(now[key] and then.get(key))


def _node_facts(node: Node, manifest: Manifest) -> dict[str, Any]:
    return {
        "kind": node.kind,
        "file": node.file,
        "relation": None if node.config.materialized == "ephemeral" else node.relation,
        "deps": sorted(node.deps),
        "sources": {".".join(key): _source_relation(key, manifest) for key in sorted(node.sources)},
        "config": _changed_settings(replace(node.config, **node.written) if node.written else node.config),
        "checksum": node.checksum,
        "macros": {name: manifest.macros[name].digest for name in node.macros if name in manifest.macros},
        "variables": {name: fingerprint(repr(manifest.variables[name])) for name in _read_variables(node, manifest)},
    }


def _source_relation(key: SourceKey, manifest: Manifest) -> str | None:
    found = manifest.sources.get(key)
    return (found.written or found.relation) if found else None


def _read_variables(node: Node, manifest: Manifest) -> list[str]:
    """Return the variables of a project that a node may read, also in its hooks and macros: all by a computed name."""
    read = {*node.variables, *(name for hook in node.hooks for name in hook.variables)}
    read.update(*(manifest.macros[name].variables for name in node.macros if name in manifest.macros))
    return sorted(name for name in manifest.variables if name in read or "" in read)


def _test_facts(check: Check) -> dict[str, Any]:
    return {"parameters": _plain(check.parameters), "tags": list(check.tags), "severity": check.severity}


def _seed_facts(seed: Seed, checksum: str) -> dict[str, Any]:
    config = _changed_settings(seed.options)
    return {"kind": seed.kind, "file": seed.file, "relation": seed.relation, "config": config, "checksum": checksum}


def _changed_settings(settings: Any) -> dict[str, Any]:
    """Return a dataclass's fields that differ from their defaults, so that a new field changes no old project."""
    changed: dict[str, Any] = {}
    if settings == type(settings)():
        return changed
    for field in fields(settings):
        default = field.default if field.default_factory is MISSING else field.default_factory()
        if (value := getattr(settings, field.name)) != default:
            changed[field.name] = _plain(value)
    return changed


def _plain(value: Any) -> Any:
    """Return a setting as JSON gives it back."""
    if isinstance(value, Mapping):
        return {str(key): _plain(child) for key, child in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [_plain(child) for child in value]
    return _changed_settings(value) if hasattr(value, "__dataclass_fields__") else value
