"""Connections: a pool that opens one when it is first needed, which looks in the profile's schema alone."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy
import sqlalchemy.event
import sqlalchemy.exc
from psycopg.pq import Conninfo

from flowforge_domain.dialect import quote_name, quote_relation, quote_text
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.relation import relation_name
from flowforge_domain.state import STATE_TABLE
from flowforge_postgres.dialect import POSTGRES
from flowforge_postgres.errors import NO_STATE_RIGHTS, may_not
from flowforge_postgres.settings import PostgresSettings

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy.pool import ConnectionPoolEntry as PoolEntry
# Otherwise the lock of a run that was killed is held for as long as its statement takes. Servers before version 14, and
# those on some systems, cannot do so.
_WATCH = """do $$ begin set client_connection_check_interval = 500; exception when others then null; end $$"""
_MAY_USE = """
select has_schema_privilege(oid, 'usage'), current_user
from pg_catalog.pg_namespace where oid = to_regnamespace({schema})
"""
NO_SCHEMA = "no schema"
"""What the pool notes of a connection: whether the profile's schema was missing when it was opened."""
# Those that libpq opens.
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "sslcrldir", "passfile")


def pool_of(settings: PostgresSettings, root: Path) -> sqlalchemy.Engine:
    """Return a pool of connections, none of them open yet; files that it names are relative to `root`.

    Raises `EngineError` of kind UNREACHABLE for a dsn that cannot be read.
    """
    url = _url(settings.dsn.get_secret_value())
    asked = {
        "application_name": "flowforge",
        "connect_timeout": settings.connect_timeout,
        "sslmode": settings.sslmode,
        "sslrootcert": settings.sslrootcert,
    }
    arguments = {key: value for key, value in asked.items() if value is not None and key not in url.query}
    # Nothing is prepared behind our back: a plan of `select *` would not survive its table's replacement.
    arguments |= {"autocommit": True, "prepare_threshold": None}
    pool = sqlalchemy.create_engine(
        url, connect_args=arguments, pool_pre_ping=True, max_overflow=-1, use_native_hstore=False
    )
    sqlalchemy.event.listen(pool, "do_connect", partial(_find_files, root))
    sqlalchemy.event.listen(pool, "connect", partial(_set_up, settings))
    return pool


def _url(dsn: str) -> sqlalchemy.URL:
    """Return what a dsn says; what may be the end of a password is no host, database or setting that an error names."""
    try:
        url = sqlalchemy.make_url(dsn).set(drivername="postgresql+psycopg")
    except (sqlalchemy.exc.ArgumentError, ValueError):
        # Not chained: the parser's own words may hold the password.
        url = None
    if url is None or dsn.partition("?")[0].count("@") > 1:
        message, hint = "The dsn cannot be read.", "Write its password percent-encoded, as in p%40ss for p@ss."
        raise EngineError(message, kind=ErrorKind.UNREACHABLE, hint=hint)
    if url.query.keys() - {setting.keyword.decode() for setting in Conninfo.get_defaults()}:
        message = "The dsn has a setting behind its ? that PostgreSQL does not know."
        hint = "Mend its name; where it is part of a password, write & as %26 and = as %3D."
        raise EngineError(message, kind=ErrorKind.UNREACHABLE, hint=hint)
    return url


def _find_files(root: Path, _dialect: object, _record: object, _given: object, settings: dict[str, Any]) -> None:
    """Put the project's folder before the files of a connection that is about to be made."""
    # `system` means the certificates that this machine trusts.
    settings |= {name: str(root / settings[name]) for name in _FILES if settings.get(name, "system") != "system"}


def _set_up(settings: PostgresSettings, connection: psycopg.Connection[tuple[Any, ...]], record: PoolEntry) -> None:
    """Look only in the schema, and take note of whether it is missing: whoever writes there makes it.

    One that the role may not use would be left out of the search path in silence, as if it were not there.
    """
    schema = quote_name(settings.db_schema, POSTGRES)
    found = connection.execute(_MAY_USE.format(schema=quote_text(schema, POSTGRES))).fetchone()
    record.info[NO_SCHEMA] = found is None
    role = found[1] if found else connection.info.user
    state = relation_name(settings.db_schema, STATE_TABLE)
    granted = f"select, insert, delete on {quote_relation(state, POSTGRES)}"
    record.info[NO_STATE_RIGHTS] = partial(may_not, role, f"read and write the table {state}", granted)
    if found and not found[0]:
        connection.close()
        raise may_not(role, f"use the schema {settings.db_schema!r}", f"usage, create on schema {schema}")
    ours = [f"set search_path = {schema}", "set datestyle = iso"]
    # What the dsn says of it wins, and where the profile says nothing, what the role or the database has.
    if settings.statement_timeout and "statement_timeout" not in connection.info.options:
        ours.append(f"set statement_timeout = {round(settings.statement_timeout * 1000)}")
    connection.execute("; ".join([*ours, _WATCH]))
