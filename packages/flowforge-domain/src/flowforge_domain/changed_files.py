"""Which nodes a set of changed files concerns: a coarse rule that may name too many, and never too few."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from flowforge_domain.macros import called_as
from flowforge_domain.manifest import Manifest, with_seeds
from flowforge_domain.model import Node
from flowforge_domain.relation import relation_parts

_YAML = (".yml", ".yaml")
_MACRO = re.compile(r"\bmacro\s+(\w+)")


def changed_nodes(manifest: Manifest, files: Collection[str], said: Callable[[str], str]) -> frozenset[str]:
    """Return the models, seeds and sources that are concerned when these files changed, relative to the project.

    `said` gives all that a file says, then and now: an entry or a macro that is gone concerned somebody too. A model's
    own file concerns it; YAML beside models all in its folder and below, and what it names; `project.yml` every model
    and seed; `sources.yml` those that read sources; a file of macros those that may call one of them; other Python
    modules every Python model.
    """
    rules = [rule for file in files if (rule := _rule(file, said)) is not None]
    own = set(files)
    nodes = with_seeds(manifest).values()
    return frozenset(node.name for node in nodes if node.file in own or any(rule(node) for rule in rules))


def _rule(file: str, said: Callable[[str], str]) -> Callable[[Node], bool] | None:
    """Return which nodes a file concerns that is none of theirs."""
    if file == "project.yml":
        return lambda _: True
    if file == "sources.yml":
        return lambda node: bool(node.sources)
    if file.startswith("macros/"):
        calls = set(map(called_as, _MACRO.findall(said(file))))
        return lambda node: not calls.isdisjoint(map(called_as, node.macros))
    if file.startswith("models/") and file.endswith(_YAML):
        folder, text = file.rpartition("/")[0] + "/", said(file).casefold()
        return lambda node: node.file.startswith(folder) or _is_named(node, text)
    if file.endswith(".py") and not file.endswith(".ff.py"):
        return lambda node: node.kind == "python"
    return None


def _is_named(node: Node, text: str) -> bool:
    names = (name.casefold() for name in (node.name, relation_parts(node.relation)[-1]))
    return any(name in text and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in names)
