"""Opening a database: where it lies, what it is made of, who holds it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import duckdb
import pytest

from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_duckdb.database import _refusal

HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


def block_size(engine):
    return engine.session.query("select block_size from pragma_database_size()").rows[0][0]


def test_relative_path_lies_in_the_project_and_its_folders_are_made(open_at, tmp_path):
    engine = open_at("target/deep/demo.duckdb")
    assert (tmp_path / "target/deep/demo.duckdb").is_file()
    assert (engine.target, engine.keeps) == ("target/deep/demo.duckdb", True)


def test_absolute_path_is_shown_as_the_user_knows_it(open_at, tmp_path, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "x.duckdb"
    assert open_at(str(elsewhere)).target == str(elsewhere)
    assert open_at(str(tmp_path / "inside.duckdb")).target == "inside.duckdb"


def test_memory_keeps_nothing(open_at):
    first, second = open_at(), open_at()
    first.session.execute("create table t (a int)")
    assert (first.target, first.keeps) == (":memory:", False)
    assert second.catalog.relations() == {}


def test_content_is_there_after_closing(open_at):
    first = open_at("x.duckdb")
    first.session.execute("create table t as select 1 as a")
    first.session.close()
    assert open_at("x.duckdb").session.query("select a from t").rows == [(1,)]


def test_new_file_has_small_blocks_and_nothing_lies_beside_it(open_at, tmp_path):
    assert block_size(open_at("x.duckdb")) == 65536
    assert [path.name for path in tmp_path.iterdir()] == ["x.duckdb"]


@pytest.mark.parametrize("size", [16384, 65536, 262144])
def test_existing_file_keeps_its_blocks(open_at, tmp_path, size):
    duckdb.connect(str(tmp_path / "x.duckdb"), config={"default_block_size": str(size)}).close()
    assert block_size(open_at("x.duckdb")) == size


def test_engines_that_start_together_make_one_file(open_at):
    engines, threads = [], []
    for _ in range(4):
        threads.append(threading.Thread(target=lambda: engines.append(open_at("new/x.duckdb"))))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert len(engines) == 4
    engines[0].session.execute("create table t as select 1 as a")
    assert [engine.session.query("select a from t").rows for engine in engines] == [[(1,)]] * 4


def test_a_users_own_connection_in_this_process_shares_the_file(open_at, tmp_path):
    engine = open_at("x.duckdb")
    engine.session.execute("create table t as select 1 as a")
    with duckdb.connect(str(tmp_path / "x.duckdb")) as own:
        assert own.execute("select a from t").fetchall() == [(1,)]
        with pytest.raises(duckdb.ParserException, match='near "selec"'):
            own.execute("selec")


def test_engine_opens_beside_a_users_own_connection(open_at, tmp_path):
    with duckdb.connect(str(tmp_path / "x.duckdb")) as own:
        own.execute("create table t as select 1 as a")
        assert open_at("x.duckdb").session.query("select a from t").rows == [(1,)]


def test_no_extension_is_downloaded(engine):
    with pytest.raises(EngineError, match="httpfs") as caught:
        engine.session.query("select * from read_parquet('s3://bucket/x.parquet')")
    assert "download" not in str(caught.value).lower()


def test_file_held_by_another_process_names_that_process(open_at, tmp_path):
    path = tmp_path / "x.duckdb"
    held = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert held.stdout.readline() == "held\n"
        with pytest.raises(EngineError) as caught:
            open_at("x.duckdb")
    finally:
        held.communicate("")
    assert caught.value.kind is ErrorKind.UNREACHABLE
    assert caught.value.message.startswith(f"x.duckdb is in use by process {held.pid} (")
    assert "\n" not in caught.value.message
    assert isinstance(caught.value.__cause__, duckdb.IOException)
    open_at("x.duckdb")


def test_holder_without_a_number_is_another_process():
    error = duckdb.IOException('IO Error: Could not set lock on file "x.duckdb": Resource busy')
    assert _refusal(error, "x.duckdb").message == "x.duckdb is in use by another process."


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.duckdb", b""),
        ("x.txt", b"a,b\n1,2\n" * 5000),
        ("x.csv", b""),
        ("x.csv", b"a,b\n1,2\n"),
        ("x.json", b'[{"a": 1}]'),
    ],
)
def test_what_is_no_database_is_left_alone(open_at, tmp_path, name, content):
    """DuckDB opens a CSV or JSON file as views in memory: a run there would keep nothing."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EngineError) as caught:
        open_at(name)
    assert caught.value.message == f"{name} is not a DuckDB database."
    assert caught.value.kind is ErrorKind.UNREACHABLE
    assert (tmp_path / name).read_bytes() == content


def test_database_of_sqlite_is_refused(open_at, tmp_path):
    with closing(sqlite3.connect(tmp_path / "x.sqlite")) as own:
        own.execute("create table t (a)")
        own.commit()
    with pytest.raises(EngineError, match=r"x\.sqlite is not a DuckDB database"):
        open_at("x.sqlite")


@pytest.mark.parametrize(
    ("path", "reason"), [("folder", "Is a directory"), ("file/x.duckdb", "file"), ("gone/../folder", "directory")]
)
def test_paths_that_cannot_be(open_at, tmp_path, path, reason):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(EngineError, match=reason) as caught:
        open_at(path)
    assert caught.value.kind is ErrorKind.UNREACHABLE
    assert caught.value.hint


def test_limits_of_a_second_engine_do_not_keep_it_from_opening(open_at):
    first = open_at("x.duckdb", threads=1)
    second = open_at("x.duckdb", threads=2, memory_limit="400MB")
    first.session.execute("create table t as select 1 as a")
    assert second.session.query("select a from t").rows == [(1,)]
