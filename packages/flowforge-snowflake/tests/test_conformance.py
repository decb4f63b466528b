"""Snowflake passes the conformance suite, as far as its emulator goes."""

from __future__ import annotations

import os
from typing import ClassVar

import pytest

from flowforge_snowflake.plugin import SPEC
from flowforge_testkit.conformance import EngineConformance, PluginConformance

# What the emulator cannot do, by the name of the case that shows it; a name must go once its case works.
_NULL_TIME = "fakesnow sends a NULL timestamp as 1970-01-01"
_COLUMN = "fakesnow has one number for every error of a name: Snowflake's 904, invalid identifier, is not among them"
_DOLLAR = "fakesnow takes the $ in a name for a session variable"
_QUOTE = "fakesnow itself fails on a name that holds a single quote"

UNPROVED = {
    "test_values_survive_table_and_frame[timestamps-and-null]": _NULL_TIME,
    "test_values_of_a_further_type_survive_or_are_refused[timestamptz]": _NULL_TIME,
    "test_null_of_every_type_is_read": _NULL_TIME,
    "test_check_of_a_missing_column_is_an_error": _COLUMN,
    "test_error_of_a_statement_has_its_kind[select missing_one from ff_t-ErrorKind.MISSING_COLUMN]": _COLUMN,
    "test_error_of_a_statement_has_its_kind[select t.missing_one from ff_t as t-ErrorKind.MISSING_COLUMN]": _COLUMN,
    "test_error_of_a_query_has_its_kind[select missing_one from ff_t-ErrorKind.MISSING_COLUMN]": _COLUMN,
    "test_error_of_a_query_has_its_kind[select t.missing_one from ff_t as t-ErrorKind.MISSING_COLUMN]": _COLUMN,
    "test_table_of_any_name_is_found_or_refused[holding ']": _QUOTE,
    "test_table_of_any_name_is_found_or_refused[holding $]": _DOLLAR,
    "test_view_of_any_name_replaces_a_table_of_that_name[holding ']": _QUOTE,
    "test_view_of_any_name_replaces_a_table_of_that_name[holding $]": _DOLLAR,
    "test_seed_header_of_any_name_is_kept_or_refused[holding ']": _QUOTE,
    "test_seed_header_of_any_name_is_kept_or_refused[holding $]": _DOLLAR,
    "test_frame_keeps_a_column_of_any_name_or_refuses_it[holding $]": _DOLLAR,
}


class TestSnowflakePlugin(PluginConformance):
    @pytest.fixture
    def spec(self):
        return SPEC


class TestSnowflake(EngineConformance):
    # Each is a table or two, and the emulator's are slow.
    names_sample = 12
    unproved: ClassVar = {} if "FF_TEST_SNOWFLAKE_ACCOUNT" in os.environ else UNPROVED

    @pytest.fixture
    def spec(self):
        return SPEC

    @pytest.fixture
    def profile(self, settings):
        return {"engine": "snowflake_snowpark", "snowflake_snowpark": settings}
