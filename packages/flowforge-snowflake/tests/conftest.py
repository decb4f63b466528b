"""A database of the emulator for each test; where FF_TEST_SNOWFLAKE_ACCOUNT is set, a schema of a real account."""

from __future__ import annotations

import itertools
import os

import pytest
import snowflake_server

from flowforge_snowflake.engine import open_engine
from flowforge_snowflake.settings import SnowflakeSnowparkProfile
from flowforge_testkit.fakes import claim

GIVEN = "FF_TEST_SNOWFLAKE_"
_numbers = itertools.count(1)


@pytest.fixture
def settings(tmp_path):
    real = {key.removeprefix(GIVEN).lower(): value for key, value in os.environ.items() if key.startswith(GIVEN)}
    if "account" in real:
        made = {**real, "db_schema": f"FF_TEST_{os.getpid()}_{next(_numbers)}"}
        yield made
        opened = open_engine(checked(made), tmp_path, claim())
        opened.session.execute(f"drop schema if exists {made['db_schema']} cascade")
        opened.session.close()
        return
    made = snowflake_server.settings()
    yield made
    snowflake_server.drop_database(made["database"])


@pytest.fixture
def profile(settings):
    return checked(settings)


@pytest.fixture
def engine(profile, tmp_path):
    opened = open_engine(profile, tmp_path, claim())
    yield opened
    opened.session.close()


def checked(settings):
    return SnowflakeSnowparkProfile.model_validate({"engine": "snowflake_snowpark", "snowflake_snowpark": settings})
