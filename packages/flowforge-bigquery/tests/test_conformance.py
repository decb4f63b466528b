"""BigQuery passes the conformance suite over its own client, with an emulator behind it."""

from __future__ import annotations

import pytest

from flowforge_bigquery.plugin import SPEC
from flowforge_testkit.conformance import EngineConformance


WORDS = "the emulator says in DuckDB's words that a column is missing, which BigQuery calls an unrecognized name"
# What BigQuery does and the emulator does not; on a real account all of it must hold.
UNPROVED = {
    **{
        f"test_error_of_a_{what}_has_its_kind[select {column}-ErrorKind.MISSING_COLUMN]": WORDS
        for what in ("statement", "query")
        for column in ("missing_one from ff_t", "t.missing_one from ff_t as t")
    },
    "test_check_of_a_missing_column_is_an_error": WORDS,
    "test_view_of_any_name_replaces_a_table_of_that_name": "the emulator cannot make a view whose name holds a space",
    "test_interrupt_cancels_the_running_statement": "the emulator hears of nothing while a statement runs",
}


class TestBigQuery(EngineConformance):
    unproved = UNPROVED

    @pytest.fixture
    def spec(self):
        return SPEC

    @pytest.fixture
    def profile(self, settings):
        return {"engine": "bigquery", "bigquery": settings}
