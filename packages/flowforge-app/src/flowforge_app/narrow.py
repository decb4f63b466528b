"""Narrow a project down to some of its models, as for a drawing of a part of the graph."""

from __future__ import annotations

from dataclasses import replace

from flowforge_domain.manifest import Manifest, run_order
from flowforge_domain.model import Node
from flowforge_domain.selection import EVERYTHING, Selection, select, selectable_nodes


def narrowed(manifest: Manifest, wanted: Selection) -> Manifest:
    """Return the project with only the selected models; what they refer to outside of the selection is left out.

    Raises `FlowForgeError` for a wrong graph or selection.
    """
    if wanted == EVERYTHING:
        return manifest
    run_order(manifest)
    chosen = select(selectable_nodes(manifest.nodes), wanted, manifest.nodes)
    known = chosen | manifest.seeds.keys()

    def within(node: Node) -> Node:
        return replace(node, deps=[dep for dep in node.deps if dep in known])

    return replace(manifest, nodes={name: within(node) for name, node in manifest.nodes.items() if name in chosen})
