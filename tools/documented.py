"""What a page of the docs asks its reader to do, in order: commands to run and files to write."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"`((?:models|seeds|src)/[\w/.]+)`")


def blocks(page: str, language: str) -> list[str]:
    """Return the page's code blocks in one language."""
    return [body for kind, body in _FENCE.findall(page) if kind == language]


def steps(page: str) -> list[tuple[str, str]]:
    """Return ("bash", commands), (file name, content) and ("diff " and file name, change), as they follow each other.

    A block is a file, or a change of one, when the line above it names one.
    """
    found = []
    for fence in _FENCE.finditer(page):
        language, body = fence.groups()
        named = _NAMED.findall(page[: fence.start()].rstrip().splitlines()[-1])
        if language == "bash":
            found.append(("bash", body))
        elif named:
            found.append((f"diff {named[-1]}" if language == "diff" else named[-1], body))
    return found


def changed(text: str, change: str) -> str:
    """Return a text with a change: lines behind a blank stay, those behind - go, and those behind + come.

    Raises `ValueError` where what the change begins from is not there once.
    """
    lines = change.splitlines(keepends=True)
    old, new = ("".join(line[1:] for line in lines if line[0] in kept) for kept in (" -", " +"))
    if text.count(old) != 1:
        raise ValueError(f"not there once:\n{old}")
    return text.replace(old, new)
