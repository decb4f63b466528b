"""The parts of a template's syntax tree: one walk finds them for all who ask, for a walk costs more than asking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from jinja2 import nodes

Parts = Sequence[nodes.Node]
Part = TypeVar("Part", bound=nodes.Node)


def parts_of(tree: nodes.Template) -> Parts:
    """Return every node below a tree, in the order of the text."""
    return list(tree.find_all(nodes.Node))


def only(parts: Parts, kind: type[Part]) -> list[Part]:
    """Return the nodes of one kind."""
    return [part for part in parts if isinstance(part, kind)]


def calls_of(parts: Parts, name: str) -> list[nodes.Call]:
    """Return the calls of a name, whether they run or not."""
    return [call for call in only(parts, nodes.Call) if isinstance(call.node, nodes.Name) and call.node.name == name]
