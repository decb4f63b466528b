"""Starts a plugin: the package of a new engine, which says all that a plugin must, its engine still to be written."""

from __future__ import annotations

import re
from importlib import resources
from importlib.metadata import distribution, version
from keyword import iskeyword
from pathlib import Path

from pydantic import BaseModel

from flowforge_bootstrap.artifacts import unwritable
from flowforge_bootstrap.plugins import SHIPPED_ENGINES
from flowforge_domain.errors import ConfigError
from flowforge_ports.engine import API_VERSION

_PLACES = {
    "pyproject.toml.txt": "pyproject.toml",
    "gitignore.txt": ".gitignore",
    "README.md.txt": "README.md",
    "plugin.py.txt": "src/flowforge_@name@/plugin.py",
    "settings.py.txt": "src/flowforge_@name@/settings.py",
    "dialect.py.txt": "src/flowforge_@name@/dialect.py",
    "engine.py.txt": "src/flowforge_@name@/engine.py",
    "test_conformance.py.txt": "tests/test_conformance.py",
}
# The kit, which every plugin's tests install, brings it.
_OF_THE_KIT = "sqlite"
# Distributions whose place `flowforge-@name@` would take, besides those that bring our engines.
_PACKAGES = {
    "app", "bootstrap", "cli", "docs_html", "domain", "flowforge", "ports", "project", "sql", "stream_file", "testkit",
}  # fmt: skip
# Of a profile, in which the engine's settings stand under its name.
_FIELDS = {"engine", *dir(BaseModel)}
_EMPTY = ("src/flowforge_@name@/__init__.py", "src/flowforge_@name@/py.typed")


def create_plugin(folder: Path, name: str) -> list[str]:
    """Write the package of an engine `name` into `folder` and return its files, relative to it.

    Raises `ConfigError` for a name that cannot be an engine's or is one of ours, or a file that is in the way.
    """
    _require_free(name)
    templates = resources.files("flowforge_bootstrap").joinpath("plugin_template")
    texts = {_filled(place, name): templates.joinpath(file).read_text("utf-8") for file, place in _PLACES.items()}
    texts |= {_filled(place, name): "" for place in _EMPTY}
    texts["LICENSE"] = distribution("flowforge-bootstrap").read_text("licenses/LICENSE") or ""
    if taken := [place for place in texts if (folder / place).exists()]:
        raise ConfigError(f"{folder / taken[0]} exists already.", hint="Name another folder.")
    try:
        for place, text in texts.items():
            path = folder / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_filled(text, name), encoding="utf-8")
    except OSError as error:
        raise unwritable(folder, error) from error
    return sorted(texts)


def package_name(name: str) -> str:
    """Return what the distribution of an engine `name` is called, and the folder that it is made in."""
    return f"flowforge-{name.replace('_', '-')}"


def _require_free(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or iskeyword(name):
        raise ConfigError(f"{name!r} cannot be an engine's name.", hint="Use lower case letters, digits and _.")
    if name in _FIELDS:
        raise ConfigError(f"{name!r} cannot be an engine's name: no setting may be called so.", hint="Choose another.")
    hint = "Two of one name cannot be used: choose another."
    if name in SHIPPED_ENGINES or name == _OF_THE_KIT:
        raise ConfigError(f"{name!r} is an engine of FlowForge's own.", hint=hint)
    if name in _PACKAGES or name in SHIPPED_ENGINES.values():
        raise ConfigError(f"{package_name(name)} is a package of FlowForge's own.", hint=hint)


def _filled(text: str, name: str) -> str:
    own = version("flowforge-bootstrap")
    filled = (
        text.replace("flowforge-@name@", package_name(name)).replace("@name@", name).replace("@NAME@", name.upper())
    )
    return filled.replace("@version@", own).replace("@api@", str(API_VERSION))
