"""The reference engine: stdlib sqlite, with the same files as every engine. Start with `engine.py`."""

from __future__ import annotations
