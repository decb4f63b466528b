"""Frames: Snowpark's own, without pandas; what models do with them runs on the emulator and in local testing."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from snowflake.snowpark import Session
from snowflake.snowpark import functions as f

from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.results import Rows
from flowforge_snowflake.frames import rows_query
from flowforge_testkit.conformance.ground import build, fails, rows

_NO_PANDAS = """
import sys, pathlib, json
sys.modules["pandas"] = None
from flowforge_snowflake.engine import open_engine
from flowforge_snowflake.settings import SnowflakeSnowparkProfile
from flowforge_domain.results import Rows
from flowforge_testkit.fakes import claim
given = {"engine": "snowflake_snowpark", "snowflake_snowpark": json.loads(sys.argv[1])}
engine = open_engine(SnowflakeSnowparkProfile.model_validate(given), pathlib.Path("."), claim())
engine.frames.write("ff_t", engine.frames.from_rows(Rows(("id", "name"), [(1, "ann"), (2, "bob")])))
frame = engine.frames.read("ff_t")
engine.frames.write("ff_u", frame.filter(frame["id"] > 1).select("name"))
print(engine.frames.to_rows(engine.frames.read("ff_u")).rows)
engine.session.close()
"""


def enriched(users, orders):
    """What a model of some breadth does: a filter, a new column, a join, a window's worth of grouping."""
    totals = orders.group_by("user_id").agg(f.sum("amount").alias("total"), f.count("amount").alias("orders"))
    gmail = users.with_column("is_gmail", f.endswith(users["email"], f.lit("@gmail.com")))
    joined = gmail.join(totals, gmail["id"] == totals["user_id"], "left")
    return joined.filter(f.col("id") < 3).select("id", "is_gmail", "total", "orders").sort("id")


USERS = (("id", "email"), [(1, "a@gmail.com"), (2, "b@example.com"), (3, "c@gmail.com")])
ORDERS = (("user_id", "amount"), [(1, 5), (1, 7), (3, 1)])
EXPECTED = [(1, True, 12, 2), (2, False, None, None)]


# Local testing is pandas behind Snowpark's interface, and this is its own doing.
@pytest.mark.filterwarnings("ignore::pandas.errors.SettingWithCopyWarning")
def test_a_models_frame_operations_agree_with_snowparks_local_testing(engine):
    frames = engine.frames
    here = enriched(frames.from_rows(Rows(*USERS)), frames.from_rows(Rows(*ORDERS)))
    frames.write("ff_enriched", here)
    assert frames.to_rows(frames.read("ff_enriched")).rows == EXPECTED
    local = Session.builder.config("local_testing", True).create()
    try:
        given = [
            local.create_dataframe([list(row) for row in content], schema=list(names))
            for names, content in (USERS, ORDERS)
        ]
        assert [tuple(row) for row in enriched(*given).collect()] == EXPECTED
    finally:
        local.close()


def test_models_run_with_pandas_made_unimportable(settings):
    done = subprocess.run([sys.executable, "-c", _NO_PANDAS, json.dumps(settings)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[('bob',)]"


def test_interrupt_cancels_what_a_frame_reads(engine):
    frame = engine.frames.from_rows(Rows(("n",), [(n,) for n in range(1000)]))
    engine.frames.write("ff_n", frame)
    endless = "select count(*) as a from ff_n a, ff_n b, ff_n c, ff_n d, ff_n e where a.n * b.n < c.n * d.n + e.n"
    with ThreadPoolExecutor(1) as beside:
        running = beside.submit(engine.frames.to_rows, engine.session.snowpark.sql(endless))
        # Again and again: there is nothing to cancel before the query has begun.
        while not wait([running], timeout=0.1).done:
            engine.session.interrupt()
    with fails(ErrorKind.CANCELLED):
        running.result()


def test_columns_are_known_as_the_dialect_knows_them(engine):
    frame = engine.session.snowpark.sql('select 1 as id, 2 as "Mixed", 3 as "two words"')
    assert list(engine.frames.columns(frame)) == ["id", "Mixed", "two words"]


def test_a_frame_stays_lazy_until_it_is_written(engine):
    frame = engine.frames.from_rows(Rows(("n",), [(1,)])).with_column("broken", f.sql_expr("1 / 0"))
    assert frame is not None
    assert engine.catalog.relations() == {}


def test_snowparks_own_way_of_writing_replaces_too(engine):
    build(engine, "ff_t", "select 'old' as b")
    # What writes a frame of several statements, which the emulator cannot make.
    engine.frames._save("ff_t", engine.frames.from_rows(Rows(("a",), [(1,), (2,)])))
    assert rows(engine, "select a from ff_t") == [(1,), (2,)]


def test_exact_numbers_and_bytes_survive(engine):
    given = Rows(("a", "b"), [(Decimal("1.250"), b"\x00\xff"), (None, None)])
    engine.frames.write("ff_t", engine.frames.from_rows(given))
    assert rows(engine, "select a, b from ff_t where a is not null") == [(Decimal("1.250"), b"\x00\xff")]


def test_what_is_nested_is_read_as_json_text_and_written_by_sql_only(engine):
    build(engine, "ff_t", """select parse_json('{"b": [1, null]}') as a, parse_json('[1, 9007199254740993]') as b""")
    for found in (engine.session.query("select a, b from ff_t"), engine.frames.to_rows(engine.frames.read("ff_t"))):
        assert [json.loads(text) for text in found.rows[0]] == [{"b": [1, None]}, [1, 2**53 + 1]]
    for value in ([1], {"a": 1}):
        with fails_as_data("Snowflake has no type for"):
            rows_query(Rows(("a",), [(value,)]))


def test_a_column_of_two_kinds_is_refused():
    with fails_as_data("mixes int and str"):
        rows_query(Rows(("a",), [(1,), ("x",)]))


def test_a_value_that_snowflake_has_no_type_for_is_refused():
    with fails_as_data("cannot be stored"):
        rows_query(Rows(("a",), [(object(),)]))


def test_error_of_what_a_frame_computes_is_translated(engine):
    frame = engine.session.snowpark.sql("select a from ff_nowhere")
    with fails(ErrorKind.MISSING_RELATION):
        engine.frames.write("ff_t", frame)


def test_moments_are_written_as_they_are():
    assert "'2024-01-31T10:00:00+00:00'" in rows_query(Rows(("a",), [(datetime(2024, 1, 31, 10, tzinfo=UTC),)]))


def fails_as_data(match):
    return pytest.raises(EngineError, match=match)
