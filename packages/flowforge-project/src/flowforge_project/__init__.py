"""Reads a project folder: YAML, SQL templates and Python models; runs none of it before it is asked to."""

from __future__ import annotations
