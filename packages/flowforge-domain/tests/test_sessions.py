"""The values of an event, the settings of sessions, and the names and text that reach a database.

What the statements compute is shown on engines: packages/flowforge-app/tests/test_sessionize_streams.py.
"""

# ruff: noqa: DTZ001 - timestamps without a zone are what is tested
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, getcontext, localcontext
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowforge_domain.dialect import Dialect
from flowforge_domain.errors import ConfigError, StreamError
from flowforge_domain.session_events import SessionColumns, is_missing, session_event
from flowforge_domain.sessions import (
    Offset,
    SessionSettings,
    StreamKey,
    create_stream_tables,
    create_tables,
    insert_letters,
    select_offset,
    storable,
    store_statements,
    write_offset,
)

BRACKETS = Dialect(
    name="brackets",
    types={"text": "T", "bigint": "I", "double": "D", "boolean": "B", "timestamp": "TS"},
    age_minutes="",
    quote="`",
)
PLAIN = {"event_id": "e1", "user_id": "u1", "ts": "2024-01-31T10:00:00", "page": "/", "revenue": 1.5}


class Unclear:
    """Neither equal to itself nor not, as pandas.NA and arrays are."""

    def __init__(self, error):
        self.error = error

    def __eq__(self, other):
        return self

    def __ne__(self, other):
        return self

    def __hash__(self):
        return 0

    def __bool__(self):
        raise self.error


class NotATime(datetime):
    """As pandas.NaT: a datetime that differs from itself."""

    def __ne__(self, other):
        return True

    __hash__ = datetime.__hash__


def read(**values):
    return session_event(PLAIN | values, SessionColumns())


def refusal(**values):
    with pytest.raises(StreamError) as refused:
        read(**values)
    return refused.value.message


def test_an_event_has_exact_types():
    event = read()
    assert (event.event_id, event.user_id, event.page) == ("e1", "u1", "/")
    assert event.ts == datetime(2024, 1, 31, 10)
    assert event.at_micros == 1_706_695_200_000_000
    assert event.revenue_micros == 1_500_000


def test_columns_can_be_named_otherwise():
    columns = SessionColumns("id", "who", "at", "url", "amount")
    event = session_event({"id": 1, "who": 2, "at": "2024-01-31", "url": "/", "amount": 3, "page": "x"}, columns)
    assert (event.event_id, event.user_id, event.page, event.revenue_micros) == ("1", "2", "/", 3_000_000)


def test_page_and_revenue_may_be_missing():
    event = session_event({"event_id": 1, "user_id": 2, "ts": "2024-01-31"}, SessionColumns())
    assert (event.page, event.revenue_micros) == (None, 0)


@pytest.mark.parametrize(
    ("given", "utc"),
    [
        ("2024-01-31T10:00:00", datetime(2024, 1, 31, 10)),
        (" 2024-01-31 10:00 ", datetime(2024, 1, 31, 10)),
        ("2024-01-31T10:00:00Z", datetime(2024, 1, 31, 10)),
        ("2024-01-31T10:00:00+02:00", datetime(2024, 1, 31, 8)),
        ("2024-01-31T10:00:00.1234567", datetime(2024, 1, 31, 10, 0, 0, 123456)),
        ("20240131T100000", datetime(2024, 1, 31, 10)),
        ("2024-01-31", datetime(2024, 1, 31)),
        ("1969-12-31T23:59:59.999999", datetime(1969, 12, 31, 23, 59, 59, 999999)),
        (date(2024, 1, 31), datetime(2024, 1, 31)),
        (datetime(2024, 1, 31, 10, tzinfo=timezone(timedelta(hours=-3))), datetime(2024, 1, 31, 13)),
        (datetime(2024, 1, 31, 10, tzinfo=UTC), datetime(2024, 1, 31, 10)),
    ],
)
def test_timestamps_become_utc(given, utc):
    event = read(ts=given)
    assert event.ts == utc
    assert event.ts.tzinfo is None
    assert event.at_micros == (utc - datetime(1970, 1, 1)) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    "given", ["yesterday", "2024-02-30", "2024-01-31T25:00", 1706695200, True, [], "0001-01-01T00:00+05:00", b"2024"]
)
def test_what_is_no_timestamp_is_refused(given):
    assert refusal(ts=given) == f"'ts' is no ISO 8601 timestamp: {given!r}."


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("007", "007"),
        (7, "7"),
        (7.0, "7"),
        (7.5, "7.5"),
        (Decimal("7.10"), "7.10"),
        (UUID(int=7), str(UUID(int=7))),
        ("a b'\"\n;--", "a b'\"\n;--"),
    ],
)
def test_identifiers_are_text_or_numbers(given, kept):
    assert read(event_id=given).event_id == kept
    assert read(user_id=given).user_id == kept


@pytest.mark.parametrize("given", [True, ["x"], {"x": 1}, b"x"])
def test_other_identifiers_are_refused(given):
    assert refusal(user_id=given) == f"'user_id' is no text or number: {given!r}."


@pytest.mark.parametrize(
    "missing", [None, "", "  ", float("nan"), NotATime(2024, 1, 1), Unclear(TypeError()), Decimal("sNaN")]
)
def test_what_stands_for_nothing_is_missing(missing):
    assert is_missing(missing)
    assert refusal(event_id=missing) == "'event_id' is empty."
    assert refusal(ts=missing) == "'ts' is empty."
    event = read(page=missing, revenue=missing)
    assert (event.page, event.revenue_micros) == (None, 0)


def test_an_array_is_something():
    array = Unclear(ValueError())
    assert not is_missing(array)
    assert "is no number" in refusal(revenue=array)


def test_a_misspelt_column_is_named():
    with pytest.raises(StreamError, match=r"^'event_id' is missing\. Did you mean 'eventid'\?$"):
        session_event({"eventid": 1, "user_id": 2, "ts": "2024-01-31"}, SessionColumns())


@pytest.mark.parametrize(
    ("given", "millionths"),
    [
        (19.99, 19_990_000),
        (0.1, 100_000),
        ("19.99", 19_990_000),
        (" -1e-2 ", -10_000),
        (Decimal("0.0000005"), 0),
        (Decimal("0.0000015"), 2),
        (3, 3_000_000),
        (-0.0, 0),
        (Decimal("1e-999999"), 0),
        (100_000_000_000, 10**17),
        ("12345678901.123456", 12_345_678_901_123_456),
    ],
)
def test_revenue_is_counted_in_millionths(given, millionths):
    assert read(revenue=given).revenue_micros == millionths


@pytest.mark.parametrize("given", ["1,50", "1_000", "NaN", "inf", "x", True, [], "0x10", "١"])
def test_what_is_no_number_is_refused(given):
    assert refusal(revenue=given) == f"'revenue' is no number: {given!r}."


@pytest.mark.parametrize(
    "given",
    [
        float("inf"),
        Decimal("-Infinity"),
        10**12,
        "1e999",
        pytest.param(10**5000, id="5000 digits"),
        Decimal("1e9999999"),
    ],
)
def test_revenue_beyond_all_reason_is_refused(given):
    assert refusal(revenue=given).startswith("'revenue' is beyond ±100,000,000,000: ")


def test_the_users_own_decimal_context_changes_nothing():
    with localcontext() as context:
        context.prec = 2
        assert read(revenue="12345.678901").revenue_micros == 12_345_678_901
    assert getcontext().prec > 2


@given(st.decimals(-(10**11), 10**11, places=6))
@settings(derandomize=True, deadline=None)
def test_six_decimals_are_exact(amount):
    assert read(revenue=amount).revenue_micros == int(amount.scaleb(6))


@pytest.mark.parametrize("column", ["event_id", "user_id", "page"])
@pytest.mark.parametrize(
    ("text", "why"), [("a\0b", "text with a NUL character"), ("a\ud800", "no valid Unicode, or a number")]
)
def test_text_that_no_database_keeps_is_refused(column, text, why):
    assert why in refusal(**{column: text})


def test_a_number_of_thousands_of_digits_is_no_identifier():
    assert "thousands of digits" in refusal(user_id=10**5000)


@pytest.mark.parametrize("gap", [0, -1, float("nan"), float("inf"), "30", None])
def test_a_gap_that_is_none_is_refused(gap):
    with pytest.raises(ConfigError, match="splits nothing"):
        SessionSettings(gap_minutes=gap)


def test_two_values_in_one_column_are_refused():
    with pytest.raises(ConfigError, match="are not five names"):
        SessionSettings(columns=SessionColumns(page="ts"))


def test_a_table_that_cannot_be_one_is_refused():
    with pytest.raises(ConfigError, match="is not the name of a table"):
        SessionSettings(table="a; drop table b")


def test_everything_lies_in_the_schema_of_the_table():
    wanted = SessionSettings(table='analytics."my sessions"')
    key = StreamKey("web", wanted.table)
    assert wanted.events == 'analytics."my sessions_events"'
    assert wanted.staging == 'analytics."_flowforge_my sessions_batch"'
    assert key.offsets == "analytics._flowforge_offsets"
    assert key.letters == "analytics._flowforge_dead_letters"


def test_names_are_quoted_as_the_dialect_quotes():
    wanted = SessionSettings(table='"a`b"')
    key = StreamKey("it's `web`", wanted.table)
    offset = Offset("o'clock", 3)
    statements = [
        *create_tables(wanted, BRACKETS),
        *create_stream_tables(key, BRACKETS),
        *store_statements(wanted, BRACKETS),
        insert_letters(key, BRACKETS),
        select_offset(key, BRACKETS),
        write_offset(key, offset, Offset("then", 4), BRACKETS),
    ]
    assert statements[0].startswith("create table if not exists `a``b_events` (`event_id` T, ")
    assert all("`a``b" in s or "`_flowforge_" in s for s in statements)
    assert statements[-1] == (
        "update `_flowforge_offsets` set `position` = 'then', `batches` = 4 "
        "where `stream` = 'it''s `web`' and `consumer` = '\"a`b\"' and `batches` = 3"
    )


def test_the_first_offset_is_inserted():
    statement = write_offset(StreamKey("web", "t"), Offset(), Offset("p", 1), BRACKETS)
    assert statement == "insert into `_flowforge_offsets` values ('web', 't', 'p', 1)"


def test_the_gap_is_in_whole_microseconds():
    assert SessionSettings(gap_minutes=0.1).gap_micros == 6_000_000


@pytest.mark.parametrize("name", ["", "a\0b", "\udcff"])
def test_a_stream_name_that_no_database_keeps_is_refused(name):
    with pytest.raises(StreamError, match="cannot name a stream"):
        StreamKey(name, "t")


def test_storable_text_is_left_alone_and_other_text_escaped():
    assert storable("Zürich 🚲") == "Zürich 🚲"
    assert storable("a\0\ud800") == "a\\x00\\ud800"
