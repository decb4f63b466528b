"""Apache DataFusion as a FlowForge engine: tables in memory, Python models on Arrow tables.

A complete plugin in one module. Nothing heavy is imported before it is used: every command of FlowForge reads it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from flowforge_domain.capability import Capability
from flowforge_domain.catalog import CatalogEntry
from flowforge_domain.dialect import Dialect, RelationKind, quote_name, quote_relation
from flowforge_domain.errors import EngineError, ErrorKind, FlowForgeError, UnsupportedByEngineError
from flowforge_domain.holder import Claim
from flowforge_domain.materialize import create_statement, drop_statement
from flowforge_domain.model import Node
from flowforge_domain.relation import relation_name, same_relation
from flowforge_domain.results import Rows
from flowforge_ports.engine import Engine, EngineSpec
from flowforge_ports.hooks import hookimpl

DIALECT = Dialect(
    name="datafusion",
    types={
        "text": "varchar",
        "bigint": "bigint",
        "double": "double",
        "boolean": "boolean",
        "timestamp": "timestamp",
        "date": "date",
    },
    age_minutes="(cast(extract(epoch from now()) as double) - cast(extract(epoch from {column}) as double)) / 60",
    schemas=True,
    default_schema="public",
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
    return Engine(
        name=SPEC.name,
        target=":memory:",
        dialect=DIALECT,
        capabilities=SPEC.capabilities,
        session=session,
        catalog=Catalog(session),
        lock=NoLock(),
        fork=_no_second_session,
        frames=Frames(session),
        keeps=False,
    )


@dataclass
class Session:
    """A DataFusion context."""

    context: Any
    running: set[int] = field(default_factory=set)

    def execute(self, sql: str) -> int | None:
        # DataFusion 55 deletes every row where the condition holds a subquery: keep what shall stay instead.
        if found := _DELETE.fullmatch(sql):
            sql = f"create or replace table {found[1]} as select * from {found[1]} where not {found[2]}"
        result = self.arrow(sql)
        return result["count"][0].as_py() if result.column_names == ["count"] else None

    def query(self, sql: str) -> Rows:
        return to_rows(self.arrow(sql))

    def arrow(self, sql: str) -> Any:
        import pyarrow as pa

        if self.context is None:
            raise EngineError("The session is closed.", kind=ErrorKind.UNREACHABLE)
        with translated(), self._interruptible():
            found = self.context.sql(sql)
            return pa.Table.from_batches(found.collect(), schema=found.schema())

    def begin(self) -> None: ...

    commit = rollback = begin

    def label(self, labels: Mapping[str, str]) -> None: ...

    def interrupt(self) -> None:
        import ctypes

        # DataFusion looks every second whether its thread was told to stop, as it is by Ctrl-C.
        for thread in list(self.running):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(InterruptedError))

    def close(self) -> None:
        self.context = None

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        self.running.add(threading.get_ident())
        try:
            yield
        finally:
            self.running.discard(threading.get_ident())


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

    def hold(self, claim: Claim) -> Any:  # noqa: ARG002
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
        empty = pa.RecordBatch.from_pylist([], schema=frame.schema)
        with translated():
            self.session.context.register_record_batches(_INCOMING, [frame.to_batches() or [empty]])
        try:
            node = Node(relation, "python", Path(relation), relation=relation)
            self.session.execute(create_statement(node, f"select * from {_INCOMING}", DIALECT))
        finally:
            self.session.execute(drop_statement(_INCOMING, "table", DIALECT))
        return int(frame.num_rows)

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
    (r"^InterruptedError", ErrorKind.CANCELLED),
    # A keyword where a table should be is read as a table's name.
    (r"ParserError|TokenizerError|\.from' not found", ErrorKind.SYNTAX),
    (r"table '.*' not found|failed to resolve schema", ErrorKind.MISSING_RELATION),
    (r"No field named", ErrorKind.MISSING_COLUMN),
    (r"^Arrow|^Overflow|Cast error|unique expression names", ErrorKind.DATA),
)
_INCOMING = "_flowforge_incoming"
_DELETE = re.compile(r"delete from (\S+) where (exists \(.*\))", re.DOTALL)
_RELATIONS: Mapping[str, RelationKind] = {"BASE TABLE": "table", "VIEW": "view"}


def _no_second_session() -> Engine:
    raise UnsupportedByEngineError(SPEC.name, Capability.CONCURRENT_SESSIONS.value)
