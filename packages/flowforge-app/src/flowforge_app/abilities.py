"""What a model needs of an engine, asked before anything is touched."""

from __future__ import annotations

from flowforge_domain.capability import Capability, needed_abilities
from flowforge_domain.errors import UnsupportedByEngineError
from flowforge_domain.model import Node
from flowforge_ports.engine import Engine


def require_ability(node: Node, engine: Engine) -> None:
    """Raise `UnsupportedByEngineError` with the model's place when the engine cannot build models of its kind."""
    needed = needed_abilities(node)
    if engine.frames is None and Capability.PYTHON_MODELS in needed:
        missing = [Capability.PYTHON_MODELS]
    else:
        missing = [ability for ability in needed if ability not in engine.capabilities]
    if missing:
        error = UnsupportedByEngineError(engine.name, missing[0].value)
        error.where = node.where()
        raise error
