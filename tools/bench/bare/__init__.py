"""What a user would write by hand instead of running FlowForge; each file is a script of its own."""

from __future__ import annotations
