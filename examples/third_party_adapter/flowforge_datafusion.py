"""Apache DataFusion as a FlowForge engine: tables in memory, Python models on Arrow tables.

A complete plugin in one module. Nothing heavy is imported before it is used: every command of FlowForge reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from flowforge_domain.capability import Capability
from flowforge_domain.catalog import CatalogEntry
from flowforge_domain.dialect import Dialect, RelationKind, quote_name, quote_relation
from flowforge_domain.errors import EngineError, ErrorKind, FlowForgeError, UnsupportedByEngineError
from flowforge_domain.holder import Claim
from flowforge_domain.materialize import drop_statement, query_head
from flowforge_domain.model import Node
from flowforge_domain.relation import relation_name, same_relation
from flowforge_domain.results import Rows
from flowforge_ports.engine import Engine, EngineSpec
from flowforge_ports.hooks import hookimpl

DIALECT = Dialect(
    name="datafusion",
    types={"text": "varchar"} | {name: name for name in ("bigint", "double", "boolean", "timestamp", "date")},
    age_minutes="(cast(extract(epoch from now()) as double) - cast(extract(epoch from {column}) as double)) / 60",
    schemas=True,
    default_schema="public",
    version="select version()",
)

SPEC = EngineSpec(
    name="datafusion",
    distribution="flowforge-datafusion",
    dialect=DIALECT,
    # No transactions, so no guarantees. No views: DataFusion's go on reading the table that was replaced. No seeds yet.
    capabilities=frozenset({Capability.PYTHON_MODELS}),
    profile="flowforge_datafusion:Profile",
    open="flowforge_datafusion:open_engine",
    environment={"FF_DATAFUSION_THREADS": ("datafusion", "threads")},
    example={"threads": 4},
)


@hookimpl
def flowforge_engines() -> list[EngineSpec]:
    return [SPEC]


def __getattr__(name: str) -> Any:
    """Make the settings when they are asked for: importing pydantic costs more than all of this file."""
    if name != "Profile":
        raise AttributeError(name)
    from pydantic import ConfigDict, Field, create_model

    strict = ConfigDict(extra="forbid", frozen=True)
    threads = (int, Field(default=4, ge=1, description="How many threads a query may use."))
    settings = create_model("Settings", __config__=strict, threads=threads)
    fields: dict[str, Any] = {"engine": (Literal["datafusion"], ...), "datafusion": (settings, settings())}
    return create_model("Profile", __config__=strict, **fields)


def open_engine(profile: Any, _root: Path, _claim: Claim) -> Engine:
    """Open an empty target."""
    from datafusion import SessionConfig, SessionContext

    config = SessionConfig().with_information_schema(True).with_target_partitions(profile.datafusion.threads)
    session = Session(SessionContext(config))
    ports = {"session": session, "catalog": Catalog(session), "frames": Frames(session), "lock": NoLock()}
    return Engine(SPEC.name, ":memory:", DIALECT, SPEC.capabilities, fork=_no_second_session, keeps=False, **ports)


@dataclass
class Session:
    """A DataFusion context; each statement runs in an event loop, from which it can be taken while it computes."""

    context: Any
    running: Any = None

    def execute(self, sql: str) -> int | None:
        # DataFusion 55 deletes every row where the condition holds a subquery: keep what shall stay instead.
        if found := _DELETE.fullmatch(sql):
            sql = f"create or replace table {found[1]} as select * from {found[1]} where not ({found[2]})"
        if found := _CREATE_AS.fullmatch(sql):
            # A `create` runs before there is anything to cancel, so the query comes first; blanks keep errors in place.
            return self.store(found[1], self.arrow(re.sub(r"[^\n]", " ", found[1]) + found[2]))
        result = self.arrow(sql)
        return result["count"][0].as_py() if result.column_names == ["count"] else None

    def query(self, sql: str) -> Rows:
        return to_rows(self.arrow(sql))

    def arrow(self, sql: str) -> Any:
        if self.context is None:
            raise EngineError("The session is closed.", kind=ErrorKind.UNREACHABLE)
        from asyncio import run
        from concurrent.futures import ThreadPoolExecutor

        # In a thread, since whoever calls from a notebook has a loop of his own.
        with translated(), ThreadPoolExecutor(1) as thread:
            return thread.submit(run, self._collected(sql)).result()

    def store(self, create: str, table: Any) -> int:
        """Run `create … as` with the rows of an Arrow table."""
        import pyarrow as pa

        empty = pa.RecordBatch.from_pylist([], schema=table.schema)
        with translated():
            self.context.register_record_batches(_INCOMING, [table.to_batches() or [empty]])
        try:
            self.arrow(f"{create}select * from {_INCOMING}")
        finally:
            self.arrow(drop_statement(_INCOMING, "table", DIALECT))
        return int(table.num_rows)

    async def _collected(self, sql: str) -> Any:
        import asyncio

        import pyarrow as pa

        self.running, found = asyncio.current_task(), self.context.sql(sql)
        try:
            batches = [batch.to_pyarrow() async for batch in found]
            return pa.Table.from_batches(batches, schema=None if batches else found.schema())
        except asyncio.CancelledError as error:
            raise EngineError("The statement was cancelled.", kind=ErrorKind.CANCELLED) from error
        finally:
            self.running = None

    def begin(self) -> None: ...

    commit = rollback = begin

    def label(self, labels: Mapping[str, str]) -> None: ...

    def interrupt(self) -> None:
        with suppress(RuntimeError):  # its loop has just ended
            if running := self.running:
                running.get_loop().call_soon_threadsafe(running.cancel)

    def close(self) -> None:
        self.context = None


@dataclass(frozen=True)
class Catalog:
    """The information schema."""

    session: Session

    def relations(self) -> Mapping[str, CatalogEntry]:
        found = self.session.query(
            "select table_schema, table_name, table_type from information_schema.tables "
            "where table_schema <> 'information_schema'"
        )
        names = [((name,) if schema == "public" else (schema, name), kind) for schema, name, kind in found.rows]
        return {same_relation(relation_name(*parts)): CatalogEntry(_RELATIONS[kind]) for parts, kind in names}

    def columns(self, relation: str) -> Sequence[tuple[str, str]]:
        schema = self.session.arrow(f"select * from {quote_relation(relation, DIALECT)} limit 0").schema
        return [(column.name, str(column.type)) for column in schema]


class NoLock:
    """Nobody else can open a target in memory."""

    def hold(self, _claim: Claim) -> Any:
        return nullcontext()


@dataclass(frozen=True)
class Frames:
    """Arrow tables."""

    session: Session

    def read(self, relation: str) -> Any:
        return self.session.arrow(f"select * from {quote_relation(relation, DIALECT)}")

    def write(self, relation: str, frame: Any) -> int:
        import pyarrow as pa

        if not isinstance(frame, pa.Table) or not frame.column_names:
            raise EngineError("The model returned no pyarrow.Table with columns.", kind=ErrorKind.DATA)
        for name in frame.column_names:
            quote_name(name, DIALECT)  # raises for a name that cannot be
        node = Node(relation, "python", Path(relation), relation=relation)
        return self.session.store(query_head(node, DIALECT), frame)

    def columns(self, frame: Any) -> list[str]:
        return list(frame.column_names)

    def from_rows(self, rows: Rows) -> Any:
        import pyarrow as pa

        with translated():
            columns = [pa.array([row[i] for row in rows.rows]) for i in range(len(rows.columns))]
            columns = [column.cast(pa.string()) if pa.types.is_null(column.type) else column for column in columns]
            return pa.Table.from_arrays(columns, names=list(rows.columns))

    def to_rows(self, frame: Any) -> Rows:
        return to_rows(frame)


def to_rows(table: Any) -> Rows:
    """Return an Arrow table's content; times have microseconds, as Python's own."""
    import pyarrow as pa

    precise = [pa.timestamp("us", f.type.tz) if pa.types.is_timestamp(f.type) else f.type for f in table.schema]
    columns = [column.cast(kind, safe=False).to_pylist() for column, kind in zip(table.columns, precise, strict=True)]
    return Rows(tuple(table.column_names), list(zip(*columns, strict=True)))


@contextmanager
def translated() -> Iterator[None]:
    """Raise what DataFusion and Arrow raise as `EngineError`."""
    try:
        yield
    except FlowForgeError:
        raise
    except Exception as error:
        message = str(error)
        kind = next((kind for pattern, kind in KINDS if re.search(pattern, f"{type(error).__name__}: {message}")), None)
        place = re.search(r"at Line: (\d+), Column: (\d+)", message)
        line, column = map(int, place.groups()) if place else (0, 0)
        raise EngineError(message, kind=kind or ErrorKind.UNKNOWN, line=line, column=column) from error


KINDS = (
    # A keyword where a table should be is read as a table's name.
    (r"ParserError|TokenizerError|\.from' not found", ErrorKind.SYNTAX),
    (r"table '.*' not found|failed to resolve schema", ErrorKind.MISSING_RELATION),
    (r"No field named", ErrorKind.MISSING_COLUMN),
    (r"^Arrow|^Overflow|Cast error|unique expression names", ErrorKind.DATA),
)
_INCOMING = "_flowforge_incoming"
_CREATE_AS = re.compile(
    r'((?:\s|--[^\n]*\n)*create (?:or replace )?table (?:"(?:[^"]|"")*"|[^\s"])+ as\s)(.*)', re.DOTALL | re.IGNORECASE
)
_DELETE = re.compile(r"delete from (\S+) where (.*\(select .*)", re.DOTALL)
_RELATIONS: Mapping[str, RelationKind] = {"BASE TABLE": "table", "VIEW": "view"}


def _no_second_session() -> Engine:
    raise UnsupportedByEngineError(SPEC.name, Capability.CONCURRENT_SESSIONS.value)
