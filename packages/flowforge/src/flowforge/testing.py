"""The data-quality checks as functions on a connection; each raises `TestFailure` when it does not hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowforge_domain.checks import Check, check_failure, check_query
from flowforge_domain.dialect import Dialect
from flowforge_domain.errors import PluginError, TestFailure

__all__ = [
    "TestFailure",
    "freshness",
    "greater_equal",
    "non_negative_sum",
    "not_null",
    "row_count_between",
    "unique",
]


def not_null(con: Any, table: str, column: str) -> None:
    """Require that no value is NULL."""
    _require(con, Check("not_null", table, column))


def unique(con: Any, table: str, column: str) -> None:
    """Require that no value stands twice; NULLs are ignored."""
    _require(con, Check("unique", table, column))


def greater_equal(con: Any, table: str, column: str, threshold: float = 0) -> None:
    """Require that no value is less than `threshold`; NULLs are ignored."""
    _require(con, Check("greater_equal", table, column, parameters={"threshold": threshold}))


def non_negative_sum(con: Any, table: str, column: str) -> None:
    """Require that the sum is not negative; the sum of nothing holds."""
    _require(con, Check("non_negative_sum", table, column))


def row_count_between(con: Any, table: str, min_rows: int = 1, max_rows: int | None = None) -> None:
    """Require that the table has at least `min_rows` and, if given, at most `max_rows` rows."""
    limits = {"min": min_rows} if max_rows is None else {"min": min_rows, "max": max_rows}
    _require(con, Check("row_count_between", table, parameters=limits))


def freshness(con: Any, table: str, column: str, max_delay_minutes: float) -> None:
    """Require that the newest timestamp is at most so many minutes old by the engine's clock."""
    _require(con, Check("freshness", table, column, parameters={"max_delay_minutes": max_delay_minutes}))


def _require(con: Any, check: Check) -> None:
    query = check_query(check, check.table, _dialect(con))
    failure = check_failure(check, _scalar(con, query))
    if failure:
        raise TestFailure(f"[{check.type}] {failure}\nSQL:\n{query}")


def _exec(con: Any, sql: Any) -> Any:
    """Run SQL on a connection, or on the connection that an executor holds as `con`."""
    return getattr(con, "con", con).execute(sql)


def _scalar(con: Any, sql: Any) -> Any:
    """Return the first column of the first row, or None."""
    row = _exec(con, sql).fetchone()
    return None if row is None else row[0]


def _dialect(con: Any) -> Dialect:
    """Return the dialect of the engine whose driver made the connection."""
    from flowforge_bootstrap.plugins import load_plugins

    plugins = load_plugins()
    module = type(getattr(con, "con", con)).__module__
    engines: Mapping[str, Any] = plugins.engines
    name = next((name for name in sorted(engines) if name in module), None)
    if name is None:
        raise PluginError(
            f"No installed engine knows connections of {module!r}.", hint=f"Installed: {', '.join(engines)}."
        )
    return plugins.engine(name).dialect
