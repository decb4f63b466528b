"""A session: one connection, opened when it is first needed, and the lock that keeps runs apart."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from snowflake.connector import SnowflakeConnection, errors

from flowforge_domain.dialect import known_name
from flowforge_domain.errors import EngineError, closed_session, ours_if_interrupted
from flowforge_domain.results import Rows
from flowforge_snowflake.connection import connect
from flowforge_snowflake.dialect import SNOWFLAKE
from flowforge_snowflake.errors import translated
from flowforge_snowflake.settings import SnowflakeSettings

if TYPE_CHECKING:
    from snowflake.connector.cursor import SnowflakeCursor
    from snowflake.snowpark import Session

# What a transaction can hold; anything else, `create` above all, ends the one that is open.
_WRITES = re.compile(
    r"(?:\s|--[^\n]*\n|//[^\n]*\n|/\*.*?\*/)*(?:insert|update|delete|merge)\b", re.IGNORECASE | re.DOTALL
)
_LONGEST_TAG = 2000
# https://docs.snowflake.com/en/sql-reference/parameters
_FORMAT = re.compile(r"\w+_FORMAT|TIMESTAMP_TYPE_MAPPING|TIMESTAMP_DAY_IS_ALWAYS_24H|TWO_DIGIT_CENTURY_START|WEEK_\w+")


@dataclass
class SnowflakeSession:
    """One connection. A transaction holds rows only: Snowflake commits every `create` and `drop` by itself.

    `begin` is sent with the first statement that writes rows, and again after one that committed.
    """

    settings: SnowflakeSettings
    root: Path
    closed: bool = False
    wanted: bool = False
    begun: bool = False
    interrupted: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    held: SnowflakeConnection | None = None
    running: tuple[str, uuid.UUID] | None = field(default=None, repr=False)
    _snowpark: Any = None

    @property
    def connection(self) -> SnowflakeConnection:
        """The connector's own connection; raises `EngineError` of kind UNREACHABLE."""
        if self.closed:
            raise closed_session()
        if self.held is None:
            self.held = connect(self.settings, self.root)
        return self.held

    @property
    def snowpark(self) -> Session:
        """Snowpark on the same connection; importing it takes seconds, so only frames ask for it."""
        if self._snowpark is None:
            from snowflake.snowpark import Session

            with translated():
                self._snowpark = Session.builder.configs({"connection": self.connection}).create()
        return cast("Session", self._snowpark)

    def execute(self, sql: str) -> int | None:
        writes = bool(_WRITES.match(sql))
        if writes and self.wanted and not self.begun:
            self._end_with("begin")
            self.begun = True
        elif not writes and self.begun:
            # As Snowflake itself would; said aloud, so that the next rows are in a transaction again.
            self._end_with("commit")
        with self.ran(sql) as cursor:
            return cursor.rowcount if writes else None

    def query(self, sql: str) -> Rows:
        with self.ran(sql) as cursor:
            columns = tuple(known_name(column.name, SNOWFLAKE) for column in cursor.description or ())
            return Rows(columns, [tuple(map(plain, row)) for row in cursor.fetchall()])

    def begin(self) -> None:
        self.wanted = True

    def commit(self) -> None:
        self.wanted = False
        if self.begun:
            self._end_with("commit")

    def rollback(self) -> None:
        self.wanted = False
        if self.begun:
            # A connection that is lost has rolled back.
            with suppress(EngineError):
                self._end_with("rollback")

    def interrupt(self) -> None:
        self.interrupted = True
        if self.held is not None and self.running is not None:
            with translated():
                # By the number that we gave the request: the query's own is known only when it has ended.
                self.held._cancel_query(*self.running)  # noqa: SLF001 - the connector has no public word for it

    def label(self, labels: Mapping[str, str]) -> None:
        said = {"app": self.settings.query_tag, **labels}
        # Sent as parameters of each statement.
        self.tags = {"QUERY_TAG": json.dumps(said)[:_LONGEST_TAG]} if self.settings.query_tag and labels else {}

    def close(self) -> None:
        self.closed = True
        held, self.held = self.held, None
        if self._snowpark is not None:
            from snowflake.snowpark.exceptions import SnowparkClientException

            # Snowpark cancels what still runs, which not every server lets it.
            with suppress(errors.Error, SnowparkClientException):
                self._snowpark.close()
        if held is not None:
            with suppress(errors.Error):
                held.close()

    @contextmanager
    def ran(self, sql: str) -> Iterator[SnowflakeCursor]:
        """Run one statement, tagged, so that another thread can cancel it; give its cursor."""
        with ours_if_interrupted(self), translated(), self.connection.cursor() as cursor:
            request = uuid.uuid4()
            self.running = (sql, request)
            try:
                cursor.execute(sql, _statement_params={"requestId": str(request), **self.tags})
            finally:
                self.running = None
            yield cursor

    def _end_with(self, word: str) -> None:
        self.begun = False
        with self.ran(word):
            pass


def formats_of(session: SnowflakeSession) -> Mapping[str, str]:
    """Return the parameters that decide how values are read and written, of those that others have set."""
    found = {name: (value, usual) for name, value, usual, *_ in session.query("show parameters in session").rows}
    return {name: value for name, (value, usual) in found.items() if _FORMAT.fullmatch(name) and value != usual}


def plain(value: Any) -> Any:
    """Return a value as the core knows it."""
    return bytes(value) if isinstance(value, bytearray) else value
