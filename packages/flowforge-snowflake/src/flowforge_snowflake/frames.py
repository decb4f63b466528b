"""Snowpark DataFrames: lazy, so that what a model computes runs in Snowflake, and no pandas anywhere.

A frame is written as `create or replace table … as` its own SQL. Column names are known as the dialect knows them:
a frame's `EMAIL` is `email` to `requires` and to checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flowforge_domain.dialect import Dialect, known_name, quote_name, quote_relation, quote_text
from flowforge_domain.errors import EngineError
from flowforge_domain.frame_rules import data_error, kinds_of, mixture, no_frame, require_columns, unstorable
from flowforge_domain.materialize import create_head
from flowforge_domain.results import Rows
from flowforge_snowflake.catalog import SnowflakeReplacer
from flowforge_snowflake.dialect import SNOWFLAKE
from flowforge_snowflake.errors import engine_error
from flowforge_snowflake.session import SnowflakeSession, plain

if TYPE_CHECKING:
    from snowflake.snowpark import DataFrame

_HINT = "Return a Snowpark DataFrame made from the model's inputs."


@dataclass(frozen=True)
class SnowparkFrames:
    """Reads and writes Snowpark DataFrames of one session."""

    session: SnowflakeSession
    dialect: Dialect
    replacer: SnowflakeReplacer

    def read(self, relation: str) -> DataFrame:
        with _translated():
            frame = self.session.snowpark.table(quote_relation(relation, self.dialect))
            frame.schema  # noqa: B018 - asks Snowflake for the columns now, so that a missing table is told here
            return frame

    def write(self, relation: str, frame: DataFrame) -> None:
        require_columns(self.columns(frame), self.dialect)
        query = _only_query(frame)
        with self.replacer.replacing(relation, "table") as into:
            if query is None:
                self._save(into, frame)
                return
            self.session.execute(f"{create_head('table', into, self.dialect)} as\n{query}")

    def columns(self, frame: DataFrame) -> Sequence[str]:
        from snowflake.snowpark import DataFrame

        if not isinstance(frame, DataFrame):
            raise no_frame(frame, "a Snowpark DataFrame", _HINT)
        with _translated():
            return [known_name(_unquoted(name), SNOWFLAKE) for name in frame.columns]

    def from_rows(self, rows: Rows) -> DataFrame:
        return self.session.snowpark.sql(rows_query(rows))

    def to_rows(self, frame: DataFrame) -> Rows:
        columns = tuple(self.columns(frame))
        if query := _only_query(frame):
            return Rows(columns, self.session.query(query).rows)
        with _translated():
            found = frame.collect(statement_params=self.session.tags)
        return Rows(columns, [tuple(map(plain, row)) for row in found])

    def _save(self, relation: str, frame: DataFrame) -> None:
        """Let Snowpark itself write a frame that takes more than one statement, such as one of local data."""
        options: dict[str, Any] = {"copy_grants": bool(self.dialect.after_name), "statement_params": self.session.tags}
        with _translated():
            frame.write.save_as_table(quote_relation(relation, self.dialect), mode="overwrite", **options)


def rows_query(rows: Rows) -> str:
    """Return a query that gives these rows, each column of the one type that its values have.

    Raises `EngineError` of kind DATA for values that no one type is for.
    """
    require_columns(rows.columns, SNOWFLAKE)
    kinds = [_kind(name, [row[i] for row in rows.rows]) for i, name in enumerate(rows.columns)]
    casts = (
        f"cast({f'column{i}' if rows.rows else 'null'} as {kind}) as {quote_name(name, SNOWFLAKE)}"
        for i, (name, kind) in enumerate(zip(rows.columns, kinds, strict=True), start=1)
    )
    values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows.rows)
    return f"select {', '.join(casts)} {f'from values {values}' if rows.rows else 'where 1 = 0'}"


def _only_query(frame: DataFrame) -> str | None:
    """Return the query that a frame is, None where it takes more than one statement.

    One of the session's own can be cancelled; what Snowpark sends by itself ends by itself.
    """
    with _translated():
        plan = frame.queries
    return None if len(plan["queries"]) > 1 or plan["post_actions"] else plan["queries"][0]


@contextmanager
def _translated() -> Iterator[None]:
    """Raise what Snowpark raises as `EngineError`, by the connector's error behind it where there is one."""
    from snowflake.connector import errors
    from snowflake.snowpark.exceptions import SnowparkClientException, SnowparkSQLException

    try:
        yield
    except errors.Error as error:
        raise engine_error(error) from error
    except SnowparkSQLException as error:
        if error.conn_error is not None:
            raise engine_error(error.conn_error) from error
        raise _refused(error.message) from error
    except SnowparkClientException as error:
        raise _refused(error.message) from error


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _kind(name: str, values: Sequence[Any]) -> str:
    found = kinds_of(value for value in values if value is not None)
    if found == {"int", "float"}:
        return "double"
    if len(found) > 1:
        raise unstorable(name, mixture(found), "Snowflake")
    if not found <= _KINDS.keys():
        raise unstorable(name, f"Snowflake has no type for {found.pop()}", "Snowflake")
    if found == {"Decimal"}:
        exponents = [value.as_tuple().exponent for value in values if value is not None]
        if any(isinstance(exponent, str) for exponent in exponents):
            raise unstorable(name, "Snowflake's exact numbers know no NaN and no infinity", "Snowflake")
        return f"number(38, {max(0, *(-exponent for exponent in exponents))})"
    return _KINDS[found.pop()] if found else "varchar"


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    return _LITERALS[type(value)](value)


def _text(value: str) -> str:
    return quote_text(value, SNOWFLAKE)


def _moment(value: date) -> str:
    return f"'{value.isoformat()}'"


_KINDS: Mapping[str, str] = {
    "str": "varchar",
    "int": "number(38, 0)",
    "float": "double",
    "bool": "boolean",
    "bytes": "binary",
    "Decimal": "number",
    "date": "date",
    "datetime": "timestamp_ntz",
    "datetime with zone": "timestamp_tz",
}
_LITERALS: Mapping[type, Callable[[Any], str]] = {
    str: _text,
    int: str,
    # As text: a literal with a point would be an exact number of 38 digits.
    float: lambda value: f"'{value!r}'",
    bool: lambda value: str(value).lower(),
    bytes: lambda value: f"to_binary('{value.hex()}', 'HEX')",
    # Never with an exponent, which would make it a double.
    Decimal: lambda value: f"{value:f}",
    date: _moment,
    datetime: _moment,
}


def _refused(message: str) -> EngineError:
    return data_error(message, _HINT)
