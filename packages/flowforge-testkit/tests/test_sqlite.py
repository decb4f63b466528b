"""What is sqlite's own: files and memory, its quirks, the meaning of its messages, the edges of its seeds."""

from __future__ import annotations

import gzip
import sqlite3
from datetime import UTC, date, datetime
from importlib.metadata import entry_points

import pytest
from pydantic import ValidationError

from flowforge_domain.capability import Capability
from flowforge_domain.checks import Check, check_query
from flowforge_domain.errors import EngineError, ErrorKind, SeedError, UnsupportedByEngineError
from flowforge_domain.model import Seed, SeedOptions
from flowforge_domain.results import Rows
from flowforge_domain.sql_scan import volatile_forms
from flowforge_testkit.fakes import claim
from flowforge_testkit.sqlite.dialect import DIALECT
from flowforge_testkit.sqlite.engine import open_engine
from flowforge_testkit.sqlite.errors import kind_of
from flowforge_testkit.sqlite.frames import Frame
from flowforge_testkit.sqlite.plugin import SPEC, flowforge_engines
from flowforge_testkit.sqlite.settings import SqliteProfile


def profile(**settings):
    return SqliteProfile.model_validate({"engine": "sqlite", "sqlite": settings})


@pytest.fixture
def engine(tmp_path):
    opened = open_engine(profile(path="t.db", timeout=0.1), tmp_path, claim())
    yield opened
    opened.session.close()


@pytest.fixture
def load(engine, tmp_path):
    def run(text, **options):
        path = tmp_path / "s.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        engine.seeds.load(Seed("s", "csv", path, "s", "seeds/s.csv", SeedOptions(**options)), "s")
        return [tuple(row) for row in engine.session.query("select * from s").rows]

    return run


def test_plugin_is_announced_through_the_ordinary_door():
    (found,) = [e for e in entry_points(group="flowforge") if e.name == "sqlite"]
    assert found.load().flowforge_engines() == flowforge_engines() == [SPEC]


def test_path_is_relative_to_the_project_and_its_folder_is_made(tmp_path):
    opened = open_engine(profile(path="deep/er/t.db"), tmp_path, claim())
    opened.session.close()
    assert (tmp_path / "deep/er/t.db").exists()
    assert (opened.target, opened.keeps) == ("deep/er/t.db", True)


def test_memory_keeps_nothing_and_has_one_session(tmp_path):
    opened = open_engine(profile(), tmp_path, claim())
    assert not opened.keeps
    assert SPEC.capabilities - opened.capabilities == {Capability.CONCURRENT_SESSIONS}
    with pytest.raises(UnsupportedByEngineError, match="second session"):
        opened.fork()
    opened.session.close()
    assert list(tmp_path.iterdir()) == []


def test_unknown_settings_are_refused():
    with pytest.raises(ValidationError):
        profile(file="x")
    with pytest.raises(ValidationError):
        SqliteProfile.model_validate({"engine": "duckdb"})


def test_target_that_cannot_be_opened_is_unreachable(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.db").write_text("this is no database at all, whatever its name says" * 30)
    for path in ("folder", "text.db", "text.db/t.db"):
        with pytest.raises(EngineError) as caught:
            open_engine(profile(path=path), tmp_path, claim())
        assert caught.value.kind is ErrorKind.UNREACHABLE, path


def test_second_writer_finds_the_database_busy(engine):
    engine.session.execute("create table t as select 1 as a")
    second = engine.fork()
    engine.session.begin()
    with pytest.raises(EngineError) as caught:
        second.session.begin()
    assert caught.value.kind is ErrorKind.TRANSIENT
    second.session.close()


def test_missing_column_in_quotes_is_no_text(engine):
    """Sqlite would take a double-quoted name for a literal, and the check would hold."""
    engine.session.execute("create table t as select 1 as a")
    with pytest.raises(EngineError) as caught:
        engine.session.query(check_query(Check("not_null", "t", "missing"), "t", engine.dialect))
    assert caught.value.kind is ErrorKind.MISSING_COLUMN


def test_syntax_error_points_at_its_token(engine):
    with pytest.raises(EngineError) as caught:
        engine.session.query("select 1,\n  2 frm 3")
    assert (caught.value.line, caught.value.column) == (2, 9)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("no such table: main.x", ErrorKind.MISSING_RELATION),
        ("table t has no column named x", ErrorKind.MISSING_COLUMN),
        ('near "x": syntax error', ErrorKind.SYNTAX),
        ("incomplete input", ErrorKind.SYNTAX),
        ("interrupted", ErrorKind.CANCELLED),
        ("database is locked", ErrorKind.TRANSIENT),
        ("unable to open database file", ErrorKind.UNREACHABLE),
        ("UNIQUE constraint failed: t.a", ErrorKind.DATA),
        ("something new", ErrorKind.UNKNOWN),
    ],
)
def test_messages_have_kinds(message, kind):
    assert kind_of(message) is kind


def test_lock_is_freed_when_its_holder_fails(engine):
    with pytest.raises(RuntimeError), engine.lock.hold(claim(0.1)):
        raise RuntimeError
    with engine.lock.hold(claim(0.1)):
        pass


def test_another_process_would_wait_for_the_lock(engine, tmp_path):
    with engine.lock.hold(claim(0.1)):
        other = sqlite3.connect(tmp_path / "t.db.lock", timeout=0.05, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("begin exclusive")
        other.close()


def test_frame_of_dicts_may_leave_values_out(engine):
    engine.frames.write("t", Frame(("a", "b"), [{"a": 1}, {"b": "x"}]))
    assert engine.frames.to_rows(engine.frames.read("t")) == Rows(("a", "b"), [(1, None), (None, "x")])


def test_frame_keeps_zones_and_bytes(engine):
    at = datetime(2024, 1, 2, 3, tzinfo=UTC)
    engine.frames.write("t", Frame(("at", "b", "d"), [{"at": at, "b": b"\0x", "d": date(2024, 1, 2)}]))
    assert engine.frames.read("t").rows == [{"at": at, "b": b"\0x", "d": date(2024, 1, 2)}]


@pytest.mark.parametrize(
    "rows",
    [[{"a": 1}, {"a": "x"}], [{"a": object()}], [{"a": 2**63}], [{"a": "\ud800"}], [{"z": 1}], [{"a": True}, {"a": 1}]],
    ids=["mixed", "object", "too-large", "surrogate", "unknown-column", "boolean-and-integer"],
)
def test_frame_that_cannot_be_stored_is_refused_and_the_old_table_stays(engine, rows):
    engine.session.execute("create table t as select 'old' as a")
    with pytest.raises(EngineError) as caught:
        engine.frames.write("t", Frame(("a",), rows))
    assert caught.value.kind is ErrorKind.DATA
    assert engine.session.query("select a from t").rows == [("old",)]


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["12345678901234567890"], ["12345678901234567890"]),
        (["0.5", "9007199254740993"], ["0.5", "9007199254740993"]),
        (["1e+3", "2"], [1000.0, 2.0]),
        (["1,5"], ["1,5"]),
        (["+1"], ["+1"]),
        ([".5"], [".5"]),
        (["1_000"], ["1_000"]),
        (["-007"], ["-007"]),
        (["nan", "inf"], ["nan", "inf"]),
        (["TRUE", "False"], [1, 0]),
        (["2024-02-30"], ["2024-02-30"]),
        (["2024-01-01", "2024-01-01T10:00"], ["2024-01-01 00:00:00", "2024-01-01 10:00:00"]),
        (["2024-01-01 10:00:00+02:00"], ["2024-01-01 10:00:00+02:00"]),
        (["", ""], [None, None]),
    ],
)
def test_seed_types_damage_nothing(load, texts, values):
    rows = "".join(f'{i},"{text}"\n' for i, text in enumerate(texts))
    assert load(f"n,v\n{rows}") == list(enumerate(values))


def test_declared_type_takes_what_inference_would_not(load):
    assert load("a,b\n007,5\n", column_types={"a": "INTEGER", "b": "decimal(10, 2)"}) == [(7, 5.0)]


def test_a_seed_is_read_by_the_rules_of_every_engine(engine, load, tmp_path):
    assert load("a;b\n1;2\n") == [(1, 2)], "the delimiter that stands in the header"
    assert load('a,b\nNA,x\n1,""\n', null="NA") == [(None, "x"), (1, "")], "instead of the empty value"
    packed = tmp_path / "s.csv.gz"
    packed.write_bytes(gzip.compress(b"a\n7\n"))
    engine.seeds.load(Seed("s", "csv", packed, "s", "seeds/s.csv.gz", SeedOptions()), "s")
    assert engine.session.query("select * from s").rows == [(7,)]


@pytest.mark.parametrize(
    ("text", "options", "line", "message"),
    [
        ("", {}, 0, "empty"),
        ("a,\n1,2\n", {}, 1, "has no name"),
        ("a,A\n1,2\n", {}, 1, "twice"),
        ("a,b\n1,2\n\n3\n", {}, 4, "Expected 2 values, as in the header, found 1"),
        ('a\n"open\n', {}, 2, "never ends"),
        ("a\n1\n2\r\n", {}, 3, "ends in another way"),
        ("a\n1\n", {"encoding": "no-such"}, 0, "no text encoding"),
        ("a\n1\n", {"delimiter": "||"}, 0, "one character"),
        ("a\nx\n", {"column_types": {"a": "date"}}, 2, "Column 'a' holds 'x', which is no date"),
        ("a\n9223372036854775808\n", {"column_types": {"a": "bigint"}}, 2, "which is no bigint"),
        ("a\n1\n", {"column_types": {"a": "geometry"}}, 0, "no type of sqlite"),
        ("a\n1\n", {"column_types": {"aa": "text"}}, 0, "Did you mean 'a'"),
    ],
)
def test_bad_seed_names_file_line_and_column(load, text, options, line, message):
    with pytest.raises(SeedError, match=message) as caught:
        load(text, **options)
    assert (caught.value.where.path, caught.value.where.line) == ("seeds/s.csv", line)


def test_seed_with_a_hostile_declared_type_runs_nothing(engine, load):
    engine.session.execute("create table tripwire as select 1 as a")
    load("a\n1\n", column_types={"a": "text); drop table tripwire; --"})
    assert set(engine.catalog.relations()) == {"tripwire", "s"}


def test_what_the_engine_does_not_call_deterministic_is_volatile(engine):
    # The others count, sort or search what they are given.
    inner = {"match", "offsets", "optimize", "snippet", "highlight", "bm25", "matchinfo"}
    query = "select distinct name from pragma_function_list where not flags & 2048 and type = 's'"
    names = {name for (name,) in engine.session.query(query).rows if not name.startswith(("fts", "rtree"))}
    assert {"random", "changes"} < names
    assert {name for name in names if not volatile_forms(DIALECT.volatile).fullmatch(f"{name}()")} <= inner


def test_query_that_is_executed_is_worked_out_to_its_last_row(engine):
    with pytest.raises(EngineError, match="JSON"):
        engine.session.execute("select json('{}') union all select json('{')")
