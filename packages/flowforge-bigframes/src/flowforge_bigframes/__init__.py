"""BigQuery with BigQuery DataFrames in Python models; start with `engine.py`."""

from __future__ import annotations
