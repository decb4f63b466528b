"""A project of the emulator for each test."""

from __future__ import annotations

import bigquery_emulator
import pytest

from flowforge_bigquery.engine import open_engine
from flowforge_bigquery.settings import BigQueryProfile
from flowforge_testkit.fakes import claim


@pytest.fixture
def settings():
    return bigquery_emulator.new_target()


@pytest.fixture
def profile(settings):
    return BigQueryProfile.model_validate({"engine": "bigquery", "bigquery": settings})


@pytest.fixture
def engine(profile, tmp_path):
    opened = open_engine(profile, tmp_path, claim())
    yield opened
    opened.session.close()
