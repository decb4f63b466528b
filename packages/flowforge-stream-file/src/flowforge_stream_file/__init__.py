"""The file stream of FlowForge: start with `file_tail.py`; standard library only."""

from __future__ import annotations
