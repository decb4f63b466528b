"""The six rules: their queries by a dialect, their verdicts from a value."""

from __future__ import annotations

import sqlite3
from decimal import Decimal

import pytest

from flowforge_domain.checks import RULES, Check, check_failure, check_query
from flowforge_domain.dialect import Dialect
from flowforge_domain.errors import ConfigError

DIALECT = Dialect("test", {}, "minutes_since({column})")


def check(rule, table="t", column="c", **parameters):
    return Check(rule, table, column if RULES[rule].needs_column else "", parameters=parameters)


def test_there_are_six_rules():
    assert set(RULES) == {"not_null", "unique", "greater_equal", "non_negative_sum", "row_count_between", "freshness"}


@pytest.mark.parametrize(
    ("wanted", "query"),
    [
        (check("not_null"), 'select count(*) from "t" where "c" is null'),
        (
            check("unique"),
            (
                'select count(*) from (select "c" from "t" where "c" is not null '
                'group by "c" having count(*) > 1) as duplicated'
            ),
        ),
        (check("greater_equal"), 'select count(*) from "t" where "c" < 0'),
        (check("greater_equal", threshold=-1.5), 'select count(*) from "t" where "c" < -1.5'),
        (check("non_negative_sum"), 'select sum("c") from "t"'),
        (check("row_count_between", min=1), 'select count(*) from "t"'),
        (check("freshness", max_delay_minutes=5), 'select minutes_since(max("c")) from "t"'),
    ],
)
def test_query(wanted, query):
    assert check_query(wanted, "t", DIALECT) == query


def test_query_quotes_relation_and_column():
    hostile = check("not_null", column='c" or 1=1 --')
    assert check_query(hostile, 'a."b;--"', DIALECT) == 'select count(*) from "a"."b;--" where "c"" or 1=1 --" is null'


@pytest.mark.parametrize("threshold", ["1; drop table t", None, [], "x"])
def test_threshold_is_a_number_or_nothing_is_sent(threshold):
    with pytest.raises((ValueError, TypeError, ConfigError)):
        check_query(check("greater_equal", threshold=threshold), "t", DIALECT)


@pytest.mark.parametrize(
    ("wanted", "value", "failure"),
    [
        (check("not_null"), 0, None),
        (check("not_null"), 3, "t.c has 3 NULL values"),
        (check("unique"), 0, None),
        (check("unique"), 2, "t.c has 2 duplicates"),
        (check("greater_equal", threshold=1), 0, None),
        (check("greater_equal", threshold=1), 4, "t.c has 4 values < 1"),
        (check("greater_equal"), 1, "t.c has 1 values < 0"),
        (check("non_negative_sum"), None, None),
        (check("non_negative_sum"), 0, None),
        (check("non_negative_sum"), Decimal("-0.01"), "sum of t.c is negative: -0.01"),
        (check("row_count_between"), 1, None),
        (check("row_count_between"), 0, "t has 0 rows, at least 1 expected"),
        (check("row_count_between", min=0), 0, None),
        (check("row_count_between", min=2, max=3), 3, None),
        (check("row_count_between", min=2, max=3), 4, "t has 4 rows, at most 3 expected"),
        (check("row_count_between", min=2, max=3), 1, "t has 1 rows, at least 2 expected"),
        (check("freshness", max_delay_minutes=5), 5, None),
        (check("freshness", max_delay_minutes=5), -3, None),
        (check("freshness", max_delay_minutes=5), Decimal("5.05"), "t.c is 5.0 minutes old, at most 5 allowed"),
        (check("freshness", max_delay_minutes=5), None, "t.c has no timestamp at all"),
    ],
)
def test_verdict(wanted, value, failure):
    assert check_failure(wanted, value) == failure


@pytest.mark.parametrize(
    ("rule", "values", "holds"),
    [
        ("not_null", [1, None], False),
        ("unique", [None, None, 1], True),
        ("unique", [1, 1, 2, 2, 2], False),
        ("greater_equal", [None, 5], True),
        ("non_negative_sum", [], True),
        ("non_negative_sum", [None], True),
        ("non_negative_sum", [3, -5, None], False),
        ("row_count_between", [None], True),
        ("row_count_between", [], False),
    ],
)
def test_nulls_on_a_real_database(rule, values, holds):
    connection = sqlite3.connect(":memory:")
    connection.execute("create table t (c)")
    connection.executemany("insert into t values (?)", [(v,) for v in values])
    (value,) = connection.execute(check_query(check(rule), "t", DIALECT)).fetchone()
    connection.close()
    assert (check_failure(check(rule), value) is None) is holds


def test_subject_names_table_and_column():
    assert check("not_null").subject == "t.c"
    assert check("row_count_between").subject == "t"
