"""Fingerprints: what went into a build, and one short text that changes when any of it changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from flowforge_domain.config import ModelConfig

_NO_MATTER = frozenset(
    {"description", "owner", "tags", "meta", "columns", "full_refresh", "schema", "alias", "pre_hook", "post_hook"}
)
_MATTER = tuple(one.name for one in fields(ModelConfig) if one.name not in _NO_MATTER)
_values = attrgetter(*_MATTER)
_USUAL = _values(ModelConfig())


def fingerprint(*parts: str) -> str:
    """Return the SHA-256 of `parts` in hex; the borders between parts count."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that decides what a build gives.

    `text` is the fingerprint of a model's SQL or code; `settings` are those that matter for the data and are not the
    default; `versions` are those of the engine and of FlowForge; `upstream` maps each input to the version of its data,
    None where nobody can tell.
    """

    text: str
    settings: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    upstream: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """One text for all of it, "" where an input is unknown: then nothing can be proved."""
        return "" if None in self.upstream.values() else fingerprint(self.to_json())

    @property
    def definition(self) -> tuple[str, Mapping[str, str]]:
        """What the project says, without the data and without versions of software."""
        return self.text, self.settings

    def to_json(self) -> str:
        """Return it as one line of text, always the same for the same content."""
        parts = {"text": self.text, "settings": self.settings, "versions": self.versions, "upstream": self.upstream}
        return json.dumps(parts, sort_keys=True, separators=(",", ":"))


def inputs_from(text: str) -> Inputs | None:
    """Return what `to_json` wrote, None for a text that it did not write."""
    try:
        return Inputs(**json.loads(text))
    except (ValueError, TypeError):
        return None


def settings_that_matter(config: ModelConfig) -> dict[str, str]:
    """Return the settings that decide what a build gives, where they are not the default."""
    values = _values(config)
    if values == _USUAL:
        return {}
    found = zip(_MATTER, values, _USUAL, strict=True)
    return {name: _shown(value) for name, value, usual in found if value != usual}


def differences(before: Inputs, now: Inputs) -> Iterator[str]:
    """Yield what changed between two builds, each as a person would say it."""
    if before.text != now.text:
        yield "its text changed"
    for what, old, new in (("setting", before.settings, now.settings), ("version of", before.versions, now.versions)):
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) != new.get(name):
                yield f"the {what} {name} changed: {old.get(name, 'unset')} became {new.get(name, 'unset')}"
    for name in sorted(before.upstream.keys() | now.upstream.keys()):
        if name not in now.upstream:
            yield f"it does not read {name} any more"
        elif name not in before.upstream:
            yield f"it reads {name} now"
        elif before.upstream[name] != now.upstream[name]:
            yield f"{name} has new data"


def _shown(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str) if not isinstance(value, str) else value
