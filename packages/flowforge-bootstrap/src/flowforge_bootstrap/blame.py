"""Whose bug it is: FlowForge's own, or that of the plugin in whose code it came up."""

from __future__ import annotations

from importlib.metadata import entry_points

from flowforge_bootstrap.inventory import versioned
from flowforge_bootstrap.plugin_faults import place_in
from flowforge_domain.text import words_of
from flowforge_ports.hooks import PROJECT


def bug_report(error: BaseException) -> str:
    """Return two lines about an error that nobody foresaw: whose it is, where in a plugin, and what to do."""
    said = f"{type(error).__name__}: {words_of(error)}".rstrip(": ")
    owner, place = _plugin(error) or ("FlowForge", "")
    where = f"Please report it{' to its authors' * bool(place)} with the trace that FLOWFORGE_TRACE=1 prints."
    return f"✗ This is a bug in {owner}: {said}{place}\n{where}"


def _plugin(error: BaseException) -> tuple[str, str] | None:
    """Return the distribution of the plugin that was at work when the error came up, and the line; None if none was."""
    plugins = {one.value.partition(".")[0]: one.dist.name for one in entry_points(group=PROJECT) if one.dist}
    package, place = place_in(error, plugins)
    return (versioned(plugins[package]), place) if package else None
