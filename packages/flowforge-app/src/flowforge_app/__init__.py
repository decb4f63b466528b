"""The use cases of FlowForge, on ports only.

Start with `run_models.py`.
"""

from __future__ import annotations
