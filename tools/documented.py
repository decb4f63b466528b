"""What a page of the docs asks its reader to do, in order: commands to run and files to write."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"`((?:models|seeds|src)/[\w/.]+)`")


def blocks(page: str, language: str) -> list[str]:
    """Return the page's code blocks in one language."""
    return [body for kind, body in _FENCE.findall(page) if kind == language]


def steps(page: str) -> list[tuple[str, str]]:
    """Return ("bash", commands) and (file name, content), as they follow each other.

    A block is a file when the line above it names one.
    """
    found = []
    for fence in _FENCE.finditer(page):
        language, body = fence.groups()
        named = _NAMED.findall(page[: fence.start()].rstrip().splitlines()[-1])
        if language == "bash":
            found.append(("bash", body))
        elif named:
            found.append((named[-1], body))
    return found
