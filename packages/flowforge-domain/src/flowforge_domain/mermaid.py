"""The graph as Mermaid text: ids that no name can break, labels that no name can escape from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flowforge_domain.model import Node, Seed, SourceTable
from flowforge_domain.relation import same_relation

_STYLES = (
    "classDef sql fill:#dbeafe,stroke:#2563eb,color:#1e3a8a",
    "classDef python fill:#dcfce7,stroke:#16a34a,color:#14532d",
    "classDef source fill:#fef3c7,stroke:#d97706,color:#78350f",
    "classDef seed fill:#f3e8ff,stroke:#9333ea,color:#581c87",
)


def flowchart(nodes: Mapping[str, Node], seeds: Iterable[Seed] = (), sources: Iterable[SourceTable] = ()) -> str:
    """Return a left-to-right flowchart of `nodes`, the sources they read, the seeds they refer to, and what is given.

    An edge leads from a seed to the source that it fills.
    """
    tables = {(source.group, source.table): same_relation(source.relation) for source in sources}
    loaded = {same_relation(seed.relation): seed.name for seed in seeds}
    keys = sorted({*tables, *(key for node in nodes.values() for key in node.sources)})
    outside = sorted({*loaded.values(), *(d for node in nodes.values() for d in node.deps if d not in nodes)})
    names = sorted(nodes)
    ids = {name: f"n{i}" for i, name in enumerate(names)}
    ids |= {name: f"x{i}" for i, name in enumerate(outside)}
    source_ids = {key: f"s{i}" for i, key in enumerate(keys)}
    lines = ["flowchart LR"]
    lines += [f'  {source_ids[key]}[("{_label(".".join(key))}")]:::source' for key in keys]
    lines += [f'  {ids[name]}[("{_label(name)}")]:::seed' for name in outside]
    lines += [_shape(ids[name], nodes[name]) for name in names]
    lines += [f"  {ids[loaded[t]]} --> {source_ids[key]}" for key in keys if (t := tables.get(key, "")) in loaded]
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
