"""Which nodes a set of changed files concerns: a coarse rule that may name too many, and never too few."""

from __future__ import annotations

from collections.abc import Callable, Collection

from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node

_YAML = (".yml", ".yaml")


def changed_nodes(manifest: Manifest, files: Collection[str]) -> frozenset[str]:
    """Return the models and seeds that are concerned when these files changed, relative to the project.

    A model's own file concerns it; YAML beside models all in its folder and below; `project.yml` every model and
    seed; `sources.yml` those that read sources; a file of macros those that may use one of them; other Python modules
    every Python model.
    """
    rules = [rule for file in files if (rule := _rule(file, manifest)) is not None]
    own = set(files)
    nodes = {node.name for node in manifest.nodes.values() if node.file in own or any(r(node) for r in rules)}
    seeds = {seed.name for seed in manifest.seeds.values() if seed.file in own or "project.yml" in own}
    return frozenset(nodes | seeds)


def _rule(file: str, manifest: Manifest) -> Callable[[Node], bool] | None:
    """Return which models a file concerns that is none of theirs."""
    if file == "project.yml":
        return lambda _: True
    if file == "sources.yml":
        return lambda node: bool(node.sources)
    if macros := {name for name, macro in manifest.macros.items() if macro.file == file}:
        return lambda node: not macros.isdisjoint(node.macros)
    if file.startswith("models/") and file.endswith(_YAML):
        folder = file.rpartition("/")[0] + "/"
        return lambda node: node.file.startswith(folder)
    if file.endswith(".py") and not file.endswith(".ff.py"):
        return lambda node: node.kind == "python"
    return None
