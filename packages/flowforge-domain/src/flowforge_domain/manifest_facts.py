"""What can be compared between two states of a project: facts without times, places on a disk, or an environment.

This is the heart of `.flowforge/manifest.json`: equal projects give equal facts, on every machine. A project that was
not changed since they were written differs in nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any

from flowforge_domain.errors import ConfigError
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node, Seed

FORMAT = 1
"""The version of the facts' shape; one that is newer than ours cannot be compared."""

PARTS = ("body", "config", "macros")
"""What of a node may be modified: its file's text, its resolved settings, the macros that it uses."""

_COMPARED: Mapping[str, tuple[str, ...]] = {
    "body": ("kind", "checksum", "deps", "sources"),
    "config": ("config", "relation"),
    "macros": ("macros",),
}

Facts = Mapping[str, Any]


def manifest_facts(manifest: Manifest, seeds: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what a project says, as JSON can hold it: `nodes` maps each name to its facts, and so does `seeds`.

    `seeds` are the checksums of the seeds' files by name, where they are known. Of settings only those that differ from
    the defaults are told.
    """
    known = seeds or {}
    return {
        "format": FORMAT,
        "project": manifest.name,
        "nodes": {name: _node_facts(node, manifest) for name, node in sorted(manifest.nodes.items())},
        "seeds": {name: _seed_facts(seed, known.get(name, "")) for name, seed in sorted(manifest.seeds.items())},
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
        before = then.get(section)
        known = before if isinstance(before, Mapping) else {}
        for name, facts in now[section].items():
            old = known.get(name)
            parts[name] = frozenset(_differing(facts, old)) if isinstance(old, Mapping) else None
    return parts


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
        "sources": sorted(".".join(key) for key in node.sources),
        "config": _changed_settings(node.config),
        "checksum": node.checksum,
        "macros": {name: manifest.macros[name].digest for name in node.macros if name in manifest.macros},
    }


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
