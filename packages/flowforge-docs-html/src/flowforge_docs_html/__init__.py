"""FlowForge's documentation site as static HTML; start with `site.py`."""

from __future__ import annotations
