"""Fingerprints: what went into a build, and one short text that changes when any of it changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any
from uuid import uuid4

from flowforge_domain.config import ModelConfig

_NO_MATTER = frozenset(
    {"description", "owner", "tags", "meta", "columns", "full_refresh", "schema", "alias", "pre_hook", "post_hook"}
)
_MATTER = tuple(one.name for one in fields(ModelConfig) if one.name not in _NO_MATTER)
_DEFINING = ("materialized", "unique_key", "partition_by")
# The fingerprint of a text: of a query, of code, or, as earlier versions told them, of either.
_TEXTS = ("query", "code", "text")
_ORIGINS = {
    "file": "its text",
    "macro": "the macro {}",
    "var": "the variable {}",
    "env": "the environment variable {}",
    "module": "the module {}",
    "hook": "its {}",
    "ephemeral": "the text of {}, which is ephemeral,",
}
_VALUES = ("var", "env")
_THEN, _BY, _AND = " then ", " by ", " & "
_values = attrgetter(*_MATTER)
_USUAL = _values(ModelConfig())
# What is told of a setting that has its default, where that has a name.
_NAMED_USUAL = {name: value for name, value in zip(_MATTER, _USUAL, strict=True) if value and isinstance(value, str)}
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def fingerprint(*parts: str) -> str:
    """Return the SHA-256 of `parts` in hex; the borders between parts count."""
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    return hashlib.sha256(b"".join([len(part).to_bytes(8, "big") + part for part in encoded])).hexdigest()


def version_by(hook: str, before: str) -> str:
    """Return the data version of what had the version `before` until a hook of this title may have written to it.

    It tells of all hooks that did since it was loaded or built, the last one at the end.
    """
    titles = [title for title in hooks_of_version(before) if title != hook]
    return f"{version_below_hooks(before)}{_THEN}{uuid4().hex}{_BY}{_AND.join([*titles, hook])}"


def hooks_of_version(version: str) -> list[str]:
    """Return the titles of the hooks that may have written to what has this data version, the last one at the end."""
    _, _, titles = version.partition(_THEN)[2].partition(_BY)
    return titles.split(_AND) if titles else []


def version_for_hooks(version: str, model: str) -> str:
    """Return a data version as it counts for the hooks of `model`: what others write is none of theirs.

    It is another one until they have written to what was loaded or built.
    """
    base, _, since = version.partition(_THEN)
    return base if f" of {model} (" in since else f"{base}{_THEN}"


def version_below_hooks(version: str) -> str:
    """Return the data version that something had before any hook wrote to it."""
    return version.partition(_THEN)[0]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that decides what a build gives.

    `text` is the fingerprint of a model's SQL or code; `settings` are those that matter for the data and are not the
    default; `versions` are those of the engine and of FlowForge; `upstream` maps each input to the version of its data,
    None where nobody can tell.

    `origin` tells what the text was made from: the checksums of its file, macros and hooks, and the variables it reads.
    Of a model whose rows stay, `definition` is what they were made by; with other variables it is still the same.
    """

    text: str
    settings: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    upstream: Mapping[str, str | None] = field(default_factory=dict)
    definition: Mapping[str, str] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """One text for all of it, "" where an input is unknown: then nothing can be proved."""
        if None in self.upstream.values():
            return ""
        return fingerprint(_encode([self.text, self.settings, self.versions, self.upstream]))

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON can hold it, without what is empty."""
        parts = (
            ("text", self.text),
            ("settings", self.settings),
            ("versions", self.versions),
            ("upstream", self.upstream),
            ("definition", self.definition),
            ("origin", self.origin),
        )
        return {name: part for name, part in parts if part}


def inputs_from(data: Mapping[str, Any]) -> Inputs | None:
    """Return what `to_data` gave, None for what it did not give."""
    try:
        found = Inputs(**data)
    except TypeError:
        return None
    parts = (found.settings, found.versions, found.upstream, found.definition, found.origin)
    return found if all(isinstance(part, Mapping) for part in parts) else None


def settings_that_matter(config: ModelConfig) -> dict[str, str]:
    """Return the settings that decide what a build gives, where they are not the default."""
    values = _values(config)
    if values == _USUAL:
        return {}
    found = zip(_MATTER, values, _USUAL, strict=True)
    return {name: _shown(value) for name, value, usual in found if value != usual}


def definition_of(config: ModelConfig, **made_by: str) -> dict[str, str]:
    """Return what the rows of a model with this SQL or code are made by: other settings only say how they are kept."""
    settings = settings_that_matter(config)
    return made_by | {name: settings[name] for name in _DEFINING if name in settings}


def redefinitions(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Yield what changed between two definitions, each as a person would say it."""
    if any(before.get(name) != now.get(name) for name in _TEXTS):
        yield "its text changed"
    known = (*_DEFINING, "reads")
    yield from _changed("setting", *({name: one[name] for name in known if name in one} for one in (before, now)))


def with_text_of(now: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """Return a definition with the text of another one, which is known to be the same or cannot be compared."""
    return {**now, **{name: before[name] for name in _TEXTS if name in before}}


def differences(before: Inputs, now: Inputs) -> Iterator[str]:
    """Yield what changed between two builds, each as a person would say it."""
    if before.text != now.text:
        yield from list(_changed_origin(before.origin, now.origin)) or ["its text changed"]
    yield from _changed("setting", {**_NAMED_USUAL, **before.settings}, {**_NAMED_USUAL, **now.settings})
    yield from _changed("version of", before.versions, now.versions)
    for name in sorted(before.upstream.keys() | now.upstream.keys()):
        if name not in now.upstream:
            yield f"it does not read {name} any more"
        elif name not in before.upstream:
            yield f"it reads {name} now"
        elif before.upstream[name] != now.upstream[name]:
            yield _new_data(name, now.upstream[name])


def _new_data(name: str, version: str | None) -> str:
    hooks = hooks_of_version(version or "")
    return f"{name} has new data" + (f": {hooks[-1]} may have written to it" if hooks else "")


def _changed_origin(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if old != new:
            what, _, rest = name.partition(" ")
            said = _ORIGINS.get(what, "{}").format(rest)
            yield f"{said} changed" + (f": {_became(old, new)}" if what in _VALUES else "")


def _became(old: Any, new: Any) -> str:
    """Return how a variable changed; None is what was noted of one that was not set."""
    if new is None:
        return f"{old!r} became unset, and has its default"
    return f"unset, with its default, became {new!r}" if old is None else f"{old!r} became {new!r}"


def _changed(what: str, before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            yield f"the {what} {name} changed: {before.get(name, 'unset')} became {now.get(name, 'unset')}"


def _shown(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str) if not isinstance(value, str) else value
