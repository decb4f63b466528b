"""A Snowflake schema as an engine: what the core asks for, said in Snowflake's words.

Sessions are connections of their own. `session.py` holds them, `lock.py` keeps runs apart, `frames.py` is Snowpark.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from flowforge_domain.dialect import Dialect, RelationKind
from flowforge_domain.holder import Claim
from flowforge_ports.engine import Engine
from flowforge_snowflake.catalog import SnowflakeCatalog, SnowflakeReplacer
from flowforge_snowflake.dialect import KEEP_GRANTS
from flowforge_snowflake.frames import SnowparkFrames
from flowforge_snowflake.lock import SnowflakeLock
from flowforge_snowflake.plugin import SPEC
from flowforge_snowflake.seeds import SnowflakeSeeds
from flowforge_snowflake.session import SnowflakeSession, formats_of
from flowforge_snowflake.settings import SnowflakeSettings, SnowflakeSnowparkProfile


def open_engine(profile: SnowflakeSnowparkProfile, root: Path, claim: Claim) -> Engine:  # noqa: ARG001 - anyone may open it
    """Return the engine of a profile; it connects when it is first asked for something."""
    return _engine(profile.snowflake_snowpark, root, {})


def _engine(settings: SnowflakeSettings, root: Path, known: dict[str, RelationKind]) -> Engine:
    session = SnowflakeSession(settings, root)
    dialect = _dialect(settings)
    target = f"{settings.account}/{settings.database}.{settings.db_schema}"
    replacer = SnowflakeReplacer(session, dialect, known)
    return Engine(
        name=SPEC.name,
        target=target,
        dialect=dialect,
        capabilities=SPEC.capabilities,
        session=session,
        catalog=SnowflakeCatalog(session, known),
        lock=SnowflakeLock(settings, root, target),
        fork=lambda: _engine(settings, root, known),
        frames=SnowparkFrames(session, dialect, replacer),
        seeds=SnowflakeSeeds(session, dialect, replacer),
        replacer=replacer,
        formats=partial(formats_of, session),
    )


def _dialect(settings: SnowflakeSettings) -> Dialect:
    grants = KEEP_GRANTS if settings.copy_grants else ""
    return replace(SPEC.dialect, default_schema=settings.db_schema.casefold(), after_name=grants)
