"""R1: what a run meets that is no kill, a disk that is really full or a model that raises, leaves whole tables too."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager

import pytest
from counts import FULL_DISKS
from kill_harness import ROWS, Ground, Harness, committed, duckdb_query, models_in

BUILD = "cast({{ env_var('BUILD') }} as integer) as build"
GROWING = "{{ config(materialized='incremental', unique_key='id') }}\nselect build, id from {{ ref('a') }}"
RAISES = """
import os
from flowforge import model


@model(deps=["merged"])
def p(df):
    if os.environ.get("RAISES"):
        raise ValueError("not today")
    return df[["build", "id"]]
"""
MODELS = {
    "a.ff.sql": f"select {BUILD}, range as id, repeat('x', 200) || range as text from range({ROWS})",
    "merged.ff.sql": GROWING,
    "p.ff.py": RAISES,
    "z.ff.sql": "select build, id, md5(id::text) || md5(build::text) as text from {{ ref('p') }}",
    "beside.ff.sql": "select build, id from {{ ref('a') }}",
}
# Megabytes; a build needs about a third of it beside the tables that are there.
DISK = 12


def shop(root):
    (root / "models").mkdir(parents=True)
    (root / "project.yml").write_text("name: shop\n")
    (root / "profiles.yml").write_text("default: {engine: duckdb, duckdb: {path: a.duckdb}}\n")
    for name, text in MODELS.items():
        (root / "models" / name).write_text(text)
    return Ground(root, "duckdb", duckdb_query(root / "a.duckdb"), ("a", "beside", "merged", "p", "z"))


@contextmanager
def small_disk(folder):
    """Give a disk of its own for a `with` block, where this machine lets us."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}m", "none", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@contextmanager
def left_of(disk, kilobytes):
    """Leave a disk so much room for a `with` block."""
    held = disk / "held"
    free = os.statvfs(disk)
    held.write_bytes(b"x" * max(0, free.f_bavail * free.f_frsize - (kilobytes << 10)))
    try:
        yield
    finally:
        held.unlink()


def files(folder):
    """Return the files below a folder but those in which runs are told of and sped up."""
    return {path for path in folder.rglob("*") if ".flowforge" not in path.parts}


def test_a_disk_that_is_full_leaves_whole_tables(flowforge, tmp_path, record_property):
    with small_disk(tmp_path / "disk") as disk:
        met = Harness(flowforge, shop(disk / "shop"), 0, tmp_path / "trials.jsonl")
        for _ in range(2):
            met.whole_run("run")
        before, failed = files(disk), 0
        for number in range(FULL_DISKS):
            with left_of(disk, kilobytes=number * 1_500 // FULL_DISKS):
                trial = met.attempt("run --jobs 1", "a full disk")
            assert trial.code in (0, 1), trial
            failed += trial.code
            met.finish("run")
        assert failed
        assert files(disk) == before
        record_property("trials", len(met.trials))


def test_a_python_model_that_raises_leaves_whole_tables(flowforge, tmp_path, record_property):
    met = Harness(flowforge, shop(tmp_path / "shop"), 0, tmp_path / "trials.jsonl")
    met.whole_run("run")
    for jobs in (1, 4):
        trial = met.attempt(f"run --jobs {jobs}", "an exception", RAISES="1")
        assert trial.code == 1
        new, old = met.build, met.build - 1
        assert trial.builds == {"a": new, "beside": new, "merged": new, "p": old, "z": old}
        assert committed(met.ground, trial.run) == {"a", "beside", "merged"}
        ended = met.finish("run --resume", trial)
        assert models_in(ended.out, "model_built") == {"p", "z"}
    record_property("trials", len(met.trials))
