"""Errors that Spark really raises, made by what it does not come to in the conformance suite."""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager

import pytest
from pyspark.sql import functions as f

from flowforge_domain.errors import EngineError, ErrorKind


@pytest.mark.parametrize("said", ["order 503 has no customer", "customer 401\n  has no name"])
def test_error_of_a_users_own_function_is_told_in_its_own_words(engine, said):
    def broken(_value):
        try:
            raise KeyError("UNAVAILABLE")
        except KeyError as error:
            raise ValueError(said) from error

    frame = engine.session.spark.range(1).select(f.udf(broken)("id").alias("a"))
    for call in (lambda: engine.frames.write("ff_t", frame), lambda: engine.frames.to_rows(frame)):
        with pytest.raises(EngineError) as caught:
            call()
        assert caught.value.kind is ErrorKind.DATA
        assert re.fullmatch(
            rf"ValueError: {re.escape(said)} \(line \d+ of {re.escape(__file__)}\)", caught.value.message
        )
    assert engine.catalog.relations() == {}


def test_full_disk_is_told(engine, tmp_path):
    with small_disk(tmp_path / "disk") as disk, pytest.raises(EngineError, match="No space left on device") as caught:
        engine.session.execute(f"create table ff_t location '{disk}/t' as select id, uuid() as a from range(100000)")
    assert caught.value.kind is ErrorKind.SPACE
    assert engine.catalog.relations() == {}


def test_folder_that_may_not_be_written_to_is_told(engine):
    # Not even root makes a folder there.
    with pytest.raises(EngineError, match=r"^Mkdirs failed to create file:/proc/self/t") as caught:
        engine.session.execute("create table ff_t location '/proc/self/t' as select 1 as a")
    assert caught.value.kind is ErrorKind.PERMISSION
    assert "warehouse" in caught.value.hint


@contextmanager
def small_disk(folder):
    """Give a disk of its own for a `with` block, where this machine lets us."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
