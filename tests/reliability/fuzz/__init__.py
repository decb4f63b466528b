"""Malformed input by the thousand: a small project, mutators for each kind of file in it, and a judge."""

from __future__ import annotations
