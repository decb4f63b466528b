"""Data-quality checks as rules: a query from a dialect, a verdict from the one value it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flowforge_domain.dialect import Dialect, quote_name, quote_relation
from flowforge_domain.text import Location

Severity = Literal["error", "warn"]


@dataclass(frozen=True, slots=True)
class Check:
    """One test of a project: a rule, the table (a relation or a node's name) and column it looks at.

    `parameters` are those of the rule: `threshold`, `min`, `max`, `max_delay_minutes`. One of severity "warn" fails
    without stopping anything.
    """

    type: str
    table: str
    column: str = ""
    tags: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    where: Location = field(default_factory=lambda: Location("project.yml"))
    severity: Severity = "error"

    @property
    def subject(self) -> str:
        """What the summary shows: `table.column`, or the table alone."""
        return f"{self.table}.{self.column}" if self.column else self.table

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"{self.type} {self.subject}"


@dataclass(frozen=True, slots=True)
class Rule:
    """How one type of check works; `query` gets the quoted relation and column, which holds what it `takes`."""

    query: Callable[[str, str, Mapping[str, Any], Dialect], str]
    failure: Callable[[str, Any, Mapping[str, Any]], str | None]
    needs_column: bool = True
    takes: str = ""
    parameters: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


def check_query(check: Check, relation: str, dialect: Dialect) -> str:
    """Return the query of one row and one column whose value decides the check."""
    column = quote_name(check.column, dialect) if check.column else ""
    return RULES[check.type].query(quote_relation(relation, dialect), column, check.parameters, dialect)


def check_failure(check: Check, value: Any) -> str | None:
    """Return what is wrong, or None when the check holds."""
    return RULES[check.type].failure(check.subject, value, check.parameters)


def _not_null(relation: str, column: str, _: Mapping[str, Any], __: Dialect) -> str:
    return f"select count(*) from {relation} where {column} is null"


def _has_nulls(subject: str, value: Any, _: Mapping[str, Any]) -> str | None:
    return f"{subject} has {value} NULL values" if value else None


def _unique(relation: str, column: str, _: Mapping[str, Any], __: Dialect) -> str:
    return (
        f"select count(*) from (select {column} from {relation} where {column} is not null "
        f"group by {column} having count(*) > 1) as duplicated"
    )


def _has_duplicates(subject: str, value: Any, _: Mapping[str, Any]) -> str | None:
    return f"{subject} has {value} duplicates" if value else None


def _greater_equal(relation: str, column: str, parameters: Mapping[str, Any], __: Dialect) -> str:
    return f"select count(*) from {relation} where {column} < {_number(parameters.get('threshold', 0))}"


def _is_less(subject: str, value: Any, parameters: Mapping[str, Any]) -> str | None:
    return f"{subject} has {value} values < {parameters.get('threshold', 0)}" if value else None


def _sum(relation: str, column: str, _: Mapping[str, Any], __: Dialect) -> str:
    return f"select sum({column}) from {relation}"


def _is_negative(subject: str, value: Any, _: Mapping[str, Any]) -> str | None:
    return f"sum of {subject} is negative: {value}" if value is not None and value < 0 else None


def _count(relation: str, _: str, __: Mapping[str, Any], ___: Dialect) -> str:
    return f"select count(*) from {relation}"


def _is_outside(subject: str, value: Any, parameters: Mapping[str, Any]) -> str | None:
    least, most = parameters.get("min", 1), parameters.get("max")
    if value < least:
        return f"{subject} has {value} rows, at least {least} expected"
    if most is not None and value > most:
        return f"{subject} has {value} rows, at most {most} expected"
    return None


def _age(relation: str, column: str, _: Mapping[str, Any], dialect: Dialect) -> str:
    return f"select {dialect.age_minutes.format(column=f'max({column})')} from {relation}"


def _is_stale(subject: str, value: Any, parameters: Mapping[str, Any]) -> str | None:
    allowed = parameters["max_delay_minutes"]
    if value is None:
        return f"{subject} has no timestamp at all"
    if value > allowed:
        return f"{subject} is {float(value):.1f} minutes old, at most {allowed} allowed"
    return None


def _number(value: Any) -> str:
    """Return a number as SQL; anything else was refused when the project was read."""
    return repr(value) if isinstance(value, int) and not isinstance(value, bool) else repr(float(value))


RULES: Mapping[str, Rule] = {
    "not_null": Rule(_not_null, _has_nulls),
    "unique": Rule(_unique, _has_duplicates),
    "greater_equal": Rule(_greater_equal, _is_less, takes="numbers", parameters=("threshold",)),
    "non_negative_sum": Rule(_sum, _is_negative, takes="numbers"),
    "row_count_between": Rule(_count, _is_outside, needs_column=False, parameters=("min", "max")),
    "freshness": Rule(
        _age, _is_stale, takes="times", parameters=("max_delay_minutes",), required=("max_delay_minutes",)
    ),
}
