"""The order of nodes and their Mermaid text."""

from __future__ import annotations

from flowforge_domain.dag import topo_sort as _topo_sort
from flowforge_domain.mermaid import flowchart as mermaid
from flowforge_domain.model import Node

__all__ = ["mermaid", "topo_sort"]


def topo_sort(nodes: dict[str, Node]) -> list[str]:
    """Return the names of `nodes`, dependencies first; seeds of the loaded project may be depended on.

    Raises `DependencyNotFoundError` and `ModelCycleError`.
    """
    from flowforge.core import REGISTRY

    return _topo_sort(nodes, REGISTRY.manifest.seeds)
