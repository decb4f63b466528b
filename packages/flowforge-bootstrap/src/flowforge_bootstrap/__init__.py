"""The composition root: the only place that knows plugins, profiles and the container by name."""

from __future__ import annotations
