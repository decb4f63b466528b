"""The graph as Mermaid text: ids that no name can break, labels that no name can escape from."""

from __future__ import annotations

from collections.abc import Mapping

from flowforge_domain.model import Node

_STYLES = (
    "classDef sql fill:#dbeafe,stroke:#2563eb,color:#1e3a8a",
    "classDef python fill:#dcfce7,stroke:#16a34a,color:#14532d",
    "classDef source fill:#fef3c7,stroke:#d97706,color:#78350f",
    "classDef seed fill:#f3e8ff,stroke:#9333ea,color:#581c87",
)


def flowchart(nodes: Mapping[str, Node]) -> str:
    """Return a left-to-right flowchart of `nodes`, the sources they read and the seeds they refer to."""
    sources = sorted({key for node in nodes.values() for key in node.sources})
    outside = sorted({d for node in nodes.values() for d in node.deps if d not in nodes})
    names = sorted(nodes)
    ids = {name: f"n{i}" for i, name in enumerate(names)}
    ids |= {name: f"x{i}" for i, name in enumerate(outside)}
    source_ids = {key: f"s{i}" for i, key in enumerate(sources)}
    lines = ["flowchart LR"]
    lines += [f'  {source_ids[key]}[("{_label(".".join(key))}")]:::source' for key in sources]
    lines += [f'  {ids[name]}[("{_label(name)}")]:::seed' for name in outside]
    lines += [_shape(ids[name], nodes[name]) for name in names]
    for name in names:
        lines += [f"  {source_ids[key]} --> {ids[name]}" for key in nodes[name].sources]
        lines += [f"  {ids[dep]} --> {ids[name]}" for dep in nodes[name].deps]
    return "\n".join([*lines, *(f"  {style}" for style in _STYLES), ""])


def _shape(node_id: str, node: Node) -> str:
    opened, closed = ("[", "]") if node.kind == "sql" else ("([", "])")
    return f'  {node_id}{opened}"{_label(node.name)}"{closed}:::{node.kind}'


def _label(text: str) -> str:
    """Write everything but letters, digits and a few marks as Mermaid entity codes."""
    return "".join(c if c.isalnum() or c in " _-." else f"#{ord(c)};" for c in text)
