"""The SQL analysis of FlowForge: start with `analysis.py`; the home of sqlglot."""

from __future__ import annotations
