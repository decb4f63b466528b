"""Checks: each of the six rules on this engine, where it holds, where it fails, and what NULL means to it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from flowforge_domain.checks import RULES, Check, check_failure, check_query
from flowforge_domain.errors import ErrorKind
from flowforge_ports.engine import Engine
from flowforge_testkit.conformance.ground import build, fails

_NUMBERS = "select 1 as a union all select 2 union all select 3"
_TWICE = "select 1 as a union all select 1 union all select 2 union all select 2"
_SOME_NULL = "select 1 as a union all select case when 1 = 0 then 1 end union all select case when 1 = 0 then 1 end"
_ALL_NULL = "select case when 1 = 0 then 1 end as a"
_NEGATIVE = "select 1 as a union all select -5"
_NOW = "select current_timestamp as a"
_NO_TIME = "select max(b) as a from (select current_timestamp as b) as t where b is null"
_NOTHING = "select a from (select 1 as a) as t where a = 0"

_NAMES = {
    _NUMBERS: "numbers",
    _TWICE: "twice",
    _SOME_NULL: "some-null",
    _ALL_NULL: "all-null",
    _NEGATIVE: "negative",
    _NOW: "now",
    _NO_TIME: "no-time",
    _NOTHING: "nothing",
}


def _id(value: Any) -> str:
    if isinstance(value, bool):
        return "holds" if value else "fails"
    if isinstance(value, dict):
        return "-".join(f"{key}={setting}" for key, setting in value.items()) or "default"
    return _NAMES.get(value, str(value))


# Rule, parameters, the table's rows, and whether the check holds.
CASES: list[tuple[str, dict[str, Any], str, bool]] = [
    ("not_null", {}, _NUMBERS, True),
    ("not_null", {}, _NOTHING, True),
    ("not_null", {}, _SOME_NULL, False),
    ("unique", {}, _NUMBERS, True),
    ("unique", {}, _NOTHING, True),
    ("unique", {}, _SOME_NULL, True),
    ("unique", {}, _TWICE, False),
    ("greater_equal", {}, _NUMBERS, True),
    ("greater_equal", {"threshold": 1}, _NUMBERS, True),
    ("greater_equal", {"threshold": 1.5}, _NUMBERS, False),
    ("greater_equal", {"threshold": -5}, _NEGATIVE, True),
    ("greater_equal", {}, _NEGATIVE, False),
    ("greater_equal", {"threshold": 1}, _SOME_NULL, True),
    ("non_negative_sum", {}, _NUMBERS, True),
    ("non_negative_sum", {}, _NOTHING, True),
    ("non_negative_sum", {}, _ALL_NULL, True),
    ("non_negative_sum", {}, _SOME_NULL, True),
    ("non_negative_sum", {}, _NEGATIVE, False),
    ("row_count_between", {}, _NUMBERS, True),
    ("row_count_between", {}, _NOTHING, False),
    ("row_count_between", {"min": 0}, _NOTHING, True),
    ("row_count_between", {"min": 3, "max": 3}, _NUMBERS, True),
    ("row_count_between", {"min": 4}, _NUMBERS, False),
    ("row_count_between", {"max": 2}, _NUMBERS, False),
    ("row_count_between", {"min": 3}, _SOME_NULL, True),
    ("freshness", {"max_delay_minutes": 60}, _NOW, True),
    ("freshness", {"max_delay_minutes": -60}, _NOW, False),
    ("freshness", {"max_delay_minutes": 60}, _NO_TIME, False),
]


@pytest.mark.parametrize(("rule", "parameters", "sql", "holds"), CASES, ids=_id)
def test_check_holds_or_fails(engine: Engine, rule: str, parameters: dict[str, Any], sql: str, holds: bool) -> None:
    build(engine, "ff_t", sql)
    failure = run(engine, check(rule, parameters=parameters))
    assert (failure is None) is holds, failure or "the check holds"


def test_unique_counts_values_not_rows(engine: Engine) -> None:
    build(engine, "ff_t", _TWICE)
    assert run(engine, check("unique")) == "ff_t.a has 2 duplicates"


def test_not_null_counts_rows(engine: Engine) -> None:
    build(engine, "ff_t", _SOME_NULL)
    assert run(engine, check("not_null")) == "ff_t.a has 2 NULL values"


@pytest.mark.parametrize("rule", RULES)
def test_check_of_a_missing_table_is_an_error(engine: Engine, rule: str) -> None:
    with fails(ErrorKind.MISSING_RELATION):
        run(engine, check(rule, parameters={"max_delay_minutes": 1}))


@pytest.mark.parametrize("rule", [name for name, rule in RULES.items() if rule.needs_column])
def test_check_of_a_missing_column_is_an_error(engine: Engine, rule: str) -> None:
    build(engine, "ff_t", "select 1 as b")
    with fails(ErrorKind.MISSING_COLUMN):
        run(engine, check(rule, parameters={"max_delay_minutes": 1}))


def check(rule: str, parameters: Mapping[str, Any] = MappingProxyType({})) -> Check:
    return Check(rule, "ff_t", "a" if RULES[rule].needs_column else "", parameters=parameters)


def run(engine: Engine, wanted: Check) -> str | None:
    """Run a check as the use case does: one query of one value."""
    found = engine.session.query(check_query(wanted, wanted.table, engine.dialect))
    assert len(found.rows) == len(found.columns) == 1
    return check_failure(wanted, found.rows[0][0])
