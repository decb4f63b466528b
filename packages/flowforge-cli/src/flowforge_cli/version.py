"""Prints the version."""

from __future__ import annotations


def print_version() -> None:
    """Print the version of FlowForge."""
    from importlib.metadata import version

    print(f"flowforge {version('flowforge-cli')}")
