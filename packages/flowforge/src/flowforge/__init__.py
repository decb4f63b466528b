"""FlowForge: SQL and Python data modelling, batch and streaming, in one DAG, on any engine.

This package is the public face; what stands behind it lives in `flowforge_domain`, `flowforge_bootstrap` and others.
Names are resolved when they are used, so that `import flowforge` costs nothing.
"""

from __future__ import annotations

# What type checkers take for true: `typing` would be most of what `flowforge --version` imports.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowforge.core import ref, relation_for
    from flowforge_bootstrap.project import Project
    from flowforge_domain.hooks import hook
    from flowforge_domain.model import model
    from flowforge_domain.source import source

__version__ = "0.1.0"
__all__ = ["Project", "__version__", "hook", "model", "ref", "relation_for", "source"]

_HOMES = {
    "Project": "flowforge_bootstrap.project",
    "hook": "flowforge_domain.hooks",
    "model": "flowforge_domain.model",
    "source": "flowforge_domain.source",
    "ref": "flowforge.core",
    "relation_for": "flowforge.core",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'flowforge' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
