"""What a shell offers for the names of models: from file names and the last manifest, and never an error.

Nothing of a project is read or run, and no engine is opened: a completion has a tenth of a second.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer  # noqa: TC002 - typer looks the annotations up

# What may stand before a name: terms of an intersection, and how far to follow the graph.
_BEFORE = re.compile(r"(?:.*,)?(?:@|\d*\+)?")
# A shell may evaluate what it is offered: a name with quotes, spaces or a $ must be typed.
_PLAIN = re.compile(r"[\w.-]+\Z")
_SEEDS = (".csv.gz", ".csv", ".parquet", ".sql")


def models(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the models whose names begin so."""
    return _beginning(incomplete, _models(_root(ctx)))


def models_and_seeds(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the models and seeds whose names begin so."""
    root = _root(ctx)
    return _beginning(incomplete, {*_models(root), *_seeds(root)})


def terms(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the terms of a selection that begin so: names, then tags, behind what stands before them."""
    found = _BEFORE.match(incomplete)
    before = found[0] if found else ""
    rest, root = incomplete.removeprefix(before), _root(ctx)
    names, tags = {*_models(root), *_seeds(root)}, {tag for node in _nodes(root).values() for tag in _tags(node)}
    return [before + word for word in (*_beginning(rest, names), *_beginning(rest, tags - names))]


def _beginning(incomplete: str, words: Iterable[str]) -> list[str]:
    return sorted(word for word in words if word.startswith(incomplete) and _PLAIN.match(word))


def _root(ctx: typer.Context) -> Path:
    # An option whose value is missing yet keeps the arguments before it from being told apart.
    given = [ctx.params.get("project"), *ctx.args]
    return next((Path(one) for one in reversed(given) if isinstance(one, str) and Path(one).is_dir()), Path())


def _models(root: Path) -> Iterator[str]:
    """Yield the name of each file below `models/`; of a Python file those that the last manifest knows, if any."""
    known: dict[str, list[str]] = {}
    for name, node in _nodes(root).items():
        known.setdefault(str(node.get("file")), []).append(name)
    for file in _files(root, "models"):
        if file.endswith((".ff.sql", ".ff.py")):
            yield from known.get(file, [Path(file).name.rpartition(".ff.")[0]])


def _seeds(root: Path) -> Iterator[str]:
    for file in _files(root, "seeds"):
        if suffix := next((suffix for suffix in _SEEDS if file.endswith(suffix)), None):
            yield Path(file).name.removesuffix(suffix)


def _files(root: Path, below: str) -> Iterator[str]:
    for folder, _, names in os.walk(root / below):
        yield from (Path(folder, name).relative_to(root).as_posix() for name in names)


def _nodes(root: Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        manifest = json.loads((root / ".flowforge/manifest.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    nodes = manifest.get("nodes") if isinstance(manifest, dict) else None
    if not isinstance(nodes, dict):
        return {}
    return {name: node for name, node in nodes.items() if isinstance(node, dict)}


def _tags(node: Mapping[str, Any]) -> list[str]:
    config = node.get("config")
    tags = config.get("tags") if isinstance(config, dict) else None
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
