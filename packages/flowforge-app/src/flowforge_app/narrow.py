"""Narrow a project down to some of its models, as for a drawing of a part of the graph."""

from __future__ import annotations

from dataclasses import replace

from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node
from flowforge_domain.relation import same_relation
from flowforge_domain.selection import Selection, selected_nodes


def narrowed(manifest: Manifest, wanted: Selection) -> Manifest:
    """Return the project with only the selected models, and the seeds and sources that they read.

    Models that they refer to outside of the selection are left out.

    Raises `FlowForgeError` for a wrong graph or selection.
    """
    if wanted.is_everything:
        return manifest
    chosen = {node.name for node in selected_nodes(manifest, wanted)}
    known = chosen | manifest.seeds.keys()

    def within(node: Node) -> Node:
        return replace(node, deps=[dep for dep in node.deps if dep in known])

    nodes = {name: within(node) for name, node in manifest.nodes.items() if name in chosen}
    read = {dep for node in nodes.values() for dep in node.deps}
    keys = {key for node in nodes.values() for key in node.sources}
    sources = {key: source for key, source in manifest.sources.items() if key in keys}
    filled = {same_relation(source.relation) for source in sources.values()}
    seeds = {n: s for n, s in manifest.seeds.items() if n in read or same_relation(s.relation) in filled}
    return replace(manifest, nodes=nodes, seeds=seeds, sources=sources)
