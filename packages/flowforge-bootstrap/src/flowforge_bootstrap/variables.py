"""The variables that a command line gives, over those of the project."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flowforge_bootstrap.plugins import load_plugins, resolve
from flowforge_domain.errors import ConfigError


def read_variables(texts: Iterable[str]) -> dict[str, Any]:
    """Return the variables of every `--vars`.

    Raises `ConfigError` for a text that is no mapping, and for a name that is given twice.
    """
    given: dict[str, Any] = {}
    for text in texts:
        read = resolve(load_plugins().project().variables)(text)
        if twice := sorted(given.keys() & read.keys()):
            raise ConfigError(f"--vars gives {twice[0]!r} twice.", hint="Keep one.")
        given |= read
    return given
