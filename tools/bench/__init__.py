"""The figures of docs/benchmarks.md: whole processes, FlowForge and a bare script in turn, on one machine.

Start with `command.py`; what is measured stands in the files named after it, `startup.py` to `checks.py`.
"""

from __future__ import annotations
