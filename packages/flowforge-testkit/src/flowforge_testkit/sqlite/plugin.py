"""What this package announces: the engine `sqlite`."""

from __future__ import annotations

from flowforge_ports.engine import EngineSpec
from flowforge_ports.hooks import hookimpl
from flowforge_testkit.sqlite.dialect import CAPABILITIES, DIALECT

SPEC = EngineSpec(
    name="sqlite",
    distribution="flowforge-testkit",
    dialect=DIALECT,
    capabilities=CAPABILITIES,
    profile="flowforge_testkit.sqlite.settings:SqliteProfile",
    open="flowforge_testkit.sqlite.engine:open_engine",
    environment={"FF_SQLITE_PATH": ("sqlite", "path")},
    example={"path": ".local/data.sqlite"},
)


@hookimpl
def flowforge_engines() -> list[EngineSpec]:
    """Announce sqlite."""
    return [SPEC]
