"""Whether what a project says of its models' columns is about columns that are there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flowforge_domain.dialect import relation_key
from flowforge_domain.errors import EngineError
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node
from flowforge_domain.requirements import misdescribed
from flowforge_ports.engine import Engine


def misdescriptions(engine: Engine, nodes: Iterable[Node]) -> list[str]:
    """Return a sentence for each column that one of these models, which stand, describes and has not.

    Asks the engine about models that describe columns, and says nothing of one about which it cannot be asked: no run
    fails for want of a notice.
    """
    return [said for node in nodes if node.config.columns for said in misdescribed(node, _columns(engine, node))]


def standing_nodes(manifest: Manifest, engine: Engine) -> list[Node]:
    """Return the models whose relations are in the target, in the order of the project."""
    found = engine.catalog.relations()
    return [node for node in manifest.nodes.values() if relation_key(node.relation, engine.dialect) in found]


def _columns(engine: Engine, node: Node) -> Sequence[str]:
    try:
        return [name for name, _ in engine.catalog.columns(node.relation)]
    except EngineError:
        return list(node.config.columns)
