"""R3 on PostgreSQL: after a run every table is what a rebuild would give, whatever was edited, dropped and run."""

from __future__ import annotations

import postgres_server
import pytest
from counts import POSTGRES_SEQUENCES
from test_stale import Edits, sequences

from flowforge_postgres.engine import open_engine
from flowforge_postgres.settings import PostgresProfile
from flowforge_testkit.fakes import claim


@pytest.fixture(autouse=True)
def counted(record_property):
    record_property("trials", POSTGRES_SEQUENCES)


class PostgresEdits(Edits):
    """A database for each target, and one for each rebuild."""

    with_dependents = "cascade"

    def open_target(self, path):
        dsn = postgres_server.new_database()
        self.open.callback(postgres_server.drop_database, dsn)
        profile = PostgresProfile.model_validate({"engine": "postgres", "postgres": {"dsn": dsn}})
        return open_engine(profile, path.parent, claim())


PostgresEdits.TestCase.settings = sequences(POSTGRES_SEQUENCES)
TestStaleResultsOnPostgres = PostgresEdits.TestCase
