"""A PostgreSQL schema as an engine: what the core asks for, said in PostgreSQL's words.

Sessions are connections of one pool (`connection.py`). `session.py` holds them, `catalog.py` replaces relations, and
`dependents.py` gives back what hung on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from flowforge_domain.holder import Claim
from flowforge_ports.engine import Engine
from flowforge_postgres.catalog import PostgresCatalog, PostgresReplacer
from flowforge_postgres.connection import pool_of
from flowforge_postgres.dependents import PostgresDependents
from flowforge_postgres.frames import PostgresFrames
from flowforge_postgres.lock import PostgresLock
from flowforge_postgres.plugin import SPEC
from flowforge_postgres.seeds import PostgresSeeds
from flowforge_postgres.session import PostgresSession
from flowforge_postgres.settings import PostgresProfile


def open_engine(profile: PostgresProfile, root: Path, claim: Claim) -> Engine:  # noqa: ARG001 - it is not needed
    """Return the engine of a profile; it connects when it is first asked for something.

    Files that the profile or its dsn names are relative to `root`. Raises `EngineError` of kind UNREACHABLE for a dsn
    that cannot be read.
    """
    pool = pool_of(profile.postgres, root)
    url = pool.url
    host = url.host or url.query.get("host") or "local"
    target = f"{host}{f':{url.port}' if url.port else ''}/{url.database or ''}"
    return _engine(PostgresSession(pool), target, profile.postgres.db_schema)


def _engine(session: PostgresSession, target: str, schema: str) -> Engine:
    dependents = PostgresDependents(session, schema)
    replacer = PostgresReplacer(session, schema, dependents)
    # `public.users` and `users` are one relation in a profile whose schema is `public`.
    return Engine(
        name=SPEC.name,
        target=target,
        dialect=replace(SPEC.dialect, default_schema=schema),
        capabilities=SPEC.capabilities,
        session=session,
        catalog=PostgresCatalog(session),
        lock=PostgresLock(session, target, schema),
        fork=lambda: _engine(PostgresSession(session.pool, main=session.main or session), target, schema),
        frames=PostgresFrames(session, replacer),
        seeds=PostgresSeeds(session, replacer),
        replacer=replacer,
        dependents=dependents,
        formats=partial(_formats, session),
    )


def _formats(session: PostgresSession) -> Mapping[str, str]:
    """Return how the server writes and reads times: it tells that without being asked, and again when it changes."""
    told = session.connection.info.parameter_status
    return {name: value for name in ("TimeZone", "IntervalStyle") if (value := told(name))}
