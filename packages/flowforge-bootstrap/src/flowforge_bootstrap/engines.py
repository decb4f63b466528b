"""Opens engines: that of a profile, or one by its name without a project."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from flowforge_bootstrap.plugin_faults import missing_module
from flowforge_bootstrap.plugins import load_plugins, resolve
from flowforge_bootstrap.profiles import ResolvedProfile, choose_profile
from flowforge_domain.errors import PluginError
from flowforge_domain.holder import Claim, Holder
from flowforge_domain.text import Location
from flowforge_ports.engine import Engine
from flowforge_ports.project import ProfileEntry

WAIT = 10.0


def open_by_name(name: str, settings: Mapping[str, Any], root: Path) -> Engine:
    """Open an engine with the settings that a profile has below its name.

    Raises `PluginError` when it is not installed, `ProfileError` for wrong settings.
    """
    entry = ProfileEntry({"engine": name, name: dict(settings)}, Location("settings"))
    profile = choose_profile({"default": entry}, load_plugins(), {})
    return open_engine(profile, root, new_claim())


def open_engine(profile: ResolvedProfile, root: Path, claim: Claim) -> Engine:
    """Open the engine of a profile.

    Raises `EngineError` when its target cannot be reached, `PluginError` when a module is missing that it needs.
    """
    opener = resolve(profile.spec.open)
    try:
        engine: Engine = opener(profile.settings, root, claim)
    except ModuleNotFoundError as error:
        fix = missing_module(error, profile.spec.open.partition(".")[0])
        if not fix:
            raise
        raise PluginError(f"Engine {profile.spec.name!r} cannot be opened: {error}", hint=fix) from error
    return engine


def new_claim(wait: float = WAIT) -> Claim:
    """Return the claim of a command that begins now, in this process; it has a run id of its own."""
    return Claim(Holder(uuid4().hex[:12], os.getpid(), platform.node(), now().isoformat()), wait)


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)
