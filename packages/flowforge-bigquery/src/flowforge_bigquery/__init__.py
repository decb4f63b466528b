"""Google BigQuery as an engine of FlowForge; start with `engine.py`."""

from __future__ import annotations
