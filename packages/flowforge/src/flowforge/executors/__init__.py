"""Executors: an engine held open for small scripts. New engines are plugins, not subclasses of these."""

from __future__ import annotations
