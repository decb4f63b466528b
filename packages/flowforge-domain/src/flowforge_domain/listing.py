"""What a project holds, of every kind, in the order in which it would be worked on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from flowforge_domain.checks import Check
from flowforge_domain.errors import SelectionError
from flowforge_domain.manifest import Manifest, run_order, source_leaf, table_relation, with_seeds
from flowforge_domain.model import Node, Seed, SourceTable
from flowforge_domain.selectable import Selectable, node_selectable
from flowforge_domain.selection import Selection, select, selectable_checks, selectable_nodes, selectable_seeds
from flowforge_domain.text import did_you_mean

RESOURCES = ("source", "seed", "model", "test")
"""The kinds of things in a project, in the order in which they are listed."""

Resource = tuple[str, Any]
"""A kind, and under it the name of a seed or model, the key of a source, or the place of a test."""


def selected_resources(manifest: Manifest, wanted: Selection, kinds: Collection[str], way: str = "") -> list[Resource]:
    """Return what is selected among things of these `kinds`: sources and seeds first, models in run order, tests last.

    Raises `SelectionError` for an unknown kind and where a term, or the whole selection, names nothing of them, whose
    hint ends with the `way` to what it names else, and `FlowForgeError` for a wrong graph.
    """
    for kind in kinds:
        if kind not in RESOURCES:
            raise SelectionError(f"There is no kind {kind!r}.", hint=did_you_mean(kind, RESOURCES))
    everything = _everything(manifest)
    items = {resource: item for resource, item in everything.items() if resource[0] in kinds}
    chosen = select(items, wanted, manifest, " or ".join(kind for kind in RESOURCES if kind in kinds), way)
    return [resource for resource in items if resource in chosen]


def listed(manifest: Manifest, resource: Resource) -> dict[str, Any]:
    """Return what a list tells of a thing, as JSON can hold it; every kind has the keys `name`, `resource`, `file`."""
    kind, key = resource
    facts = {
        "source": lambda: _source(manifest.sources[key]),
        "seed": lambda: _seed(manifest.seeds[key]),
        "model": lambda: _model(manifest.nodes[key]),
        "test": lambda: _test(manifest, manifest.checks[key]),
    }[kind]()
    name = facts.pop("name")
    return {"name": name, "resource": kind, **facts}


def _everything(manifest: Manifest) -> Mapping[Resource, Selectable]:
    graph = with_seeds(manifest)
    order, nodes, seeds = run_order(manifest), selectable_nodes(manifest.nodes), selectable_seeds(manifest)
    return {
        **{("source", key): node_selectable(graph[source_leaf(key)]) for key in sorted(manifest.sources)},
        **{("seed", name): seeds[name] for name in sorted(seeds)},
        **{("model", name): nodes[name] for name in order},
        **{("test", place): item for place, item in selectable_checks(manifest).items()},
    }


def _source(table: SourceTable) -> dict[str, Any]:
    name = f"{table.group}.{table.table}"
    return {
        "name": name,
        "file": table.where.path,
        "line": table.where.line,
        "relation": table.relation,
        "description": table.description,
    }


def _seed(seed: Seed) -> dict[str, Any]:
    return {
        "name": seed.name,
        "file": seed.file,
        "kind": seed.kind,
        "relation": seed.relation,
        "description": seed.options.description,
    }


def _model(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "file": node.file,
        "kind": node.kind,
        "materialized": node.config.materialized,
        "relation": None if node.config.materialized == "ephemeral" else node.relation,
        "tags": list(node.config.tags),
        "owner": node.config.owner,
        "description": node.config.description,
        "meta": dict(node.config.meta),
        "deps": list(node.deps),
        "sources": [".".join(key) for key in node.sources],
    }


def _test(manifest: Manifest, check: Check) -> dict[str, Any]:
    return {
        "name": check.title,
        "file": check.where.path,
        "line": check.where.line,
        "type": check.type,
        "relation": table_relation(manifest, check.table),
        "column": check.column,
        "severity": check.severity,
        "tags": list(check.tags),
    }
