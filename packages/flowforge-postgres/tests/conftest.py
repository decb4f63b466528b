"""An empty database of a real server for each test."""

from __future__ import annotations

import postgres_server
import pytest

from flowforge_postgres.engine import open_engine
from flowforge_postgres.settings import PostgresProfile
from flowforge_testkit.fakes import claim


@pytest.fixture
def dsn():
    with postgres_server.lent_database() as lent:
        yield lent


@pytest.fixture
def profile(dsn):
    return PostgresProfile.model_validate({"engine": "postgres", "postgres": {"dsn": dsn}})


@pytest.fixture
def engine(profile, tmp_path):
    opened = open_engine(profile, tmp_path, claim())
    yield opened
    opened.session.close()


@pytest.fixture
def admin(dsn):
    """Run one statement as somebody else."""
    return lambda sql: postgres_server.run(sql, dsn)
