"""The command line: parse, call the Python API, print, map to an exit code."""

from __future__ import annotations
