"""Narrow a project down to some of its models, as for a drawing of a part of the graph."""

from __future__ import annotations

from dataclasses import replace

from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node
from flowforge_domain.selection import Selection, selected_nodes


def narrowed(manifest: Manifest, wanted: Selection) -> Manifest:
    """Return the project with only the selected models; what they refer to outside of the selection is left out.

    Raises `FlowForgeError` for a wrong graph or selection.
    """
    if wanted.is_everything:
        return manifest
    chosen = {node.name for node in selected_nodes(manifest, wanted)}
    known = chosen | manifest.seeds.keys()

    def within(node: Node) -> Node:
        return replace(node, deps=[dep for dep in node.deps if dep in known])

    return replace(manifest, nodes={name: within(node) for name, node in manifest.nodes.items() if name in chosen})
