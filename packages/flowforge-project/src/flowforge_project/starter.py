"""Writes a new project: the files below `starter/`, and a profile for the chosen engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from flowforge_domain.errors import ConfigError

_FILES = Path(__file__).parent / "starter"
_PROFILES = (
    "# Where the tables go. `flowforge run --env NAME` picks a profile; without it, it is `default`, or the only one.\n"
)


def create_folder(root: Path, engine: str, settings: Mapping[str, Any]) -> list[str]:
    """Write a small project that runs at once and return its files, relative to `root`.

    Raises `ConfigError` when one of them exists; then nothing is written. Also when the folder cannot be written.
    """
    profile = {"default": {"engine": engine, engine: dict(settings)}}
    contents = {
        "profiles.yml": _PROFILES + yaml.safe_dump(profile, sort_keys=False),
        ".gitignore": ".flowforge/\n.local/\n.env\n",
    }
    for file in sorted(_FILES.rglob("*.*")):
        if file.is_file() and "__pycache__" not in file.parts:
            name = file.relative_to(_FILES).as_posix()
            # A JSON text is a YAML text, whatever the folder is called.
            contents[name] = file.read_text("utf-8").replace("PROJECT_NAME", json.dumps(root.resolve().name))
    _require_free(root, contents)
    try:
        _write(root, contents)
    except OSError as error:
        raise ConfigError(
            f"{str(root)!r} cannot be written: {error.strerror}.", hint="Choose another folder: flowforge init PATH"
        ) from error
    return sorted(contents)


def _write(root: Path, contents: Mapping[str, str]) -> None:
    for name, text in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)


def _require_free(root: Path, names: Mapping[str, str]) -> None:
    if root.exists() and not root.is_dir():
        raise ConfigError(f"{str(root)!r} is a file.", hint="Choose another folder.")
    taken = [name for name in sorted(names) if (root / name).exists() or (root / name).is_symlink()]
    if taken:
        raise ConfigError(f"{root / taken[0]} exists already.", hint="Choose an empty folder: flowforge init PATH")
