"""The domain of FlowForge: values and pure functions, standard library only.

Start with `model.py` (what a node is) and `dag.py` (how nodes are ordered).
"""

from __future__ import annotations
