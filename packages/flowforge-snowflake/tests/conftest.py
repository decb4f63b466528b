"""A database of the emulator for each test; a real account where the environment names one."""

from __future__ import annotations

import pytest
import snowflake_server

from flowforge_snowflake.engine import open_engine
from flowforge_snowflake.settings import SnowflakeSnowparkProfile


@pytest.fixture
def settings():
    made = snowflake_server.settings()
    yield made
    snowflake_server.drop_database(made["database"])


@pytest.fixture
def profile(settings):
    return SnowflakeSnowparkProfile.model_validate({"engine": "snowflake_snowpark", "snowflake_snowpark": settings})


@pytest.fixture
def engine(profile, tmp_path):
    opened = open_engine(profile, tmp_path)
    yield opened
    opened.session.close()
