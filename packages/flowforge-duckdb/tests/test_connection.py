"""Opening a database: where it lies, what it is made of, who holds it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import pytest

from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.holder import holder_text, read_holder
from flowforge_duckdb.connection import _holder
from flowforge_duckdb.lock import opening
from flowforge_testkit.fakes import claim

HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
RUN = """
import os, sys
from pathlib import Path
from flowforge_domain.holder import Claim, Holder
from flowforge_duckdb.engine import open_engine
from flowforge_duckdb.settings import DuckDBProfile
claim = Claim(Holder("1f57", os.getpid(), "elsewhere", "2024-01-01T00:00:00+00:00"))
profile = DuckDBProfile.model_validate({"engine": "duckdb", "duckdb": {"path": sys.argv[1]}})
engine = open_engine(profile, Path(), claim)
with engine.lock.hold(claim):
    print("held", flush=True)
    sys.stdin.read()
engine.session.close()
"""
# Whoever does not know of FlowForge.
WRITE = """
import duckdb, sys
with duckdb.connect(sys.argv[1]) as connection:
    connection.execute("create table t as select 1 as a")
"""


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


def test_new_file_has_small_blocks_and_only_its_locks_lie_beside_it(open_at, tmp_path):
    assert block_size(open_at("x.duckdb")) == 65536
    assert {path.name for path in tmp_path.iterdir()} == {"x.duckdb", "x.duckdb.lock", "x.duckdb.open"}


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


@contextmanager
def held(script, path):
    """Have another process keep the database open for a block."""
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.stdin.close()


def test_file_held_by_a_stranger_names_that_process(open_at, tmp_path):
    with held(HOLD, tmp_path / "x.duckdb") as process, pytest.raises(EngineError) as caught:
        open_at("x.duckdb", wait=0)
    assert caught.value.kind is ErrorKind.CONFLICT
    assert caught.value.message.startswith(f"x.duckdb is in use by process {process.pid} (")
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value.__cause__, duckdb.IOException)
    open_at("x.duckdb")


@pytest.mark.parametrize("wait", [0.3, 5])
def test_file_held_by_a_run_names_run_process_and_host_after_the_time_that_was_told(open_at, tmp_path, wait):
    with held(RUN, tmp_path / "x.duckdb") as process:
        started = time.monotonic()
        with pytest.raises(EngineError) as caught:
            open_at("x.duckdb", wait=wait)
        assert wait - 0.05 < time.monotonic() - started < wait + 1
    assert str(caught.value) == (
        f"x.duckdb is in use by run 1f57, process {process.pid} on elsewhere, since 2024-01-01T00:00:00Z; "
        f"waited {wait} s. Wait longer with --wait SECONDS."
    )


def test_whoever_waits_gets_the_file_when_it_is_free(open_at, tmp_path):
    with held(RUN, tmp_path / "x.duckdb") as process:
        threading.Timer(0.3, process.stdin.close).start()
        open_at("x.duckdb", wait=20)


def test_nobody_opens_while_another_opens_or_closes(open_at, tmp_path):
    open_at("x.duckdb").session.close()
    with opening(tmp_path / "x.duckdb"), pytest.raises(EngineError) as caught:
        open_at("x.duckdb", wait=0)
    assert caught.value.kind is ErrorKind.CONFLICT
    open_at("x.duckdb", wait=0)


def test_nobody_closes_while_another_opens(open_at, tmp_path):
    closing_it = threading.Thread(target=open_at("x.duckdb").session.close)
    with opening(tmp_path / "x.duckdb"):
        closing_it.start()
        closing_it.join(0.3)
        assert closing_it.is_alive()
    closing_it.join(10)
    assert not closing_it.is_alive()


def test_file_that_others_wrote_to_while_it_was_opened_is_opened_again(open_at, tmp_path, monkeypatch):
    connect, opened = duckdb.connect, []

    def after_another(path, **options):
        if not opened:
            subprocess.run([sys.executable, "-c", WRITE, path], check=True)
        opened.append(path)
        return connect(path, **options)

    open_at("x.duckdb").session.close()
    monkeypatch.setattr(duckdb, "connect", after_another)
    assert open_at("x.duckdb").session.query("select a from t").rows == [(1,)]
    assert len(opened) == 2


def test_file_of_a_run_that_was_killed_is_free_at_once(open_at, tmp_path):
    with held(RUN, tmp_path / "x.duckdb") as process:
        process.kill()
        process.wait()
    assert read_holder((tmp_path / "x.duckdb.lock").read_text()).run == "1f57"
    started = time.monotonic()
    open_at("x.duckdb", wait=5)
    assert time.monotonic() - started < 2


def test_note_of_the_dead_is_not_taken_for_a_stranger_that_holds_the_file(open_at, tmp_path):
    open_at("x.duckdb").session.close()
    with held(HOLD, tmp_path / "x.duckdb") as process, pytest.raises(EngineError) as caught:
        open_at("x.duckdb", wait=0)
    assert f"in use by process {process.pid} (" in str(caught.value)


def test_holder_without_a_number_is_told_by_the_lock_file(tmp_path):
    path, said = tmp_path / "x.duckdb", 'Could not set lock on file "x.duckdb": Resource busy'
    assert _holder(said, path) == ("", "another process")
    path.with_name("x.duckdb.lock").write_text(holder_text(claim().holder))
    assert _holder(said, path) == (str(claim().holder), "another process")


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


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no folder in which no file can be made")
def test_a_folder_in_which_no_file_can_be_made_is_in_nobodys_use(open_at):
    began = time.monotonic()
    with pytest.raises(EngineError, match="cannot be opened") as caught:
        open_at("/proc/x.duckdb", wait=10)
    assert time.monotonic() - began < 5
    assert caught.value.kind is ErrorKind.UNREACHABLE


def test_limits_of_a_second_engine_do_not_keep_it_from_opening(open_at):
    first = open_at("x.duckdb", threads=1)
    second = open_at("x.duckdb", threads=2, memory_limit="400MB")
    first.session.execute("create table t as select 1 as a")
    assert second.session.query("select a from t").rows == [(1,)]
