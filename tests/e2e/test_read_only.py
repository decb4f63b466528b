"""A database that nobody may write to: what only reads works on it, and what writes says so before it begins."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest
from warm_shell import warm_command

# Root may write to any file; what it starts without CAP_DAC_OVERRIDE in its bounding set may not.
PLAIN = "import ctypes, os, sys; ctypes.CDLL(None).prctl(24, 1, 0, 0, 0); os.execvp(sys.argv[1], sys.argv[1:])"
HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"

pytestmark = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "prctl"), reason="needs Linux to lay down root's rights")


@pytest.fixture(scope="module")
def bound():
    """A folder whose `flowforge` works as somebody whom the permissions of files bind."""
    with warm_command((sys.executable, "-c", PLAIN)) as folder:
        yield folder


@pytest.fixture
def answer(bound, example, environment, in_shell):
    """Run a command on the example with no more rights than the permissions of files give."""

    def run(command):
        return in_shell(command, example, PATH=f"{bound}{os.pathsep}{environment['PATH']}")

    return run


@pytest.fixture(params=["file", "folder"])
def read_only(request, example):
    """Take away the right to write to the example's database, or to its folder as well."""
    folder, file = example / ".local", example / ".local/demo.duckdb"
    file.chmod(0o444)
    if request.param == "folder":
        (folder / "demo.duckdb.lock").unlink()
        folder.chmod(0o555)
    yield file
    folder.chmod(0o755)


def test_what_reads_works(read_only, answer):
    content = read_only.read_bytes()
    shown, tested, why = answer("flowforge show users"), answer("flowforge test"), answer("flowforge why users")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "3 rows" in shown.stdout
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "could not run" not in tested.stdout
    assert why.returncode == 0, why.stderr
    assert read_only.read_bytes() == content


@pytest.mark.parametrize("command", ["run", "seed", "build", "clean", "run --no-cache --select users"])
def test_what_writes_is_refused_before_it_begins(read_only, answer, command):
    refused = answer(f"flowforge {command}")
    assert refused.returncode == 1
    assert refused.stderr == (
        "✗ profiles.yml:3: .local/demo.duckdb may not be written.\n"
        "Check who may write there, or give another `path`; `show` and `test` only read.\n"
    )
    assert "✓" not in refused.stdout


def test_debug_says_that_a_run_could_not_write(read_only, answer):
    said = answer("flowforge debug")
    assert said.returncode == 1
    assert "✓ target" in said.stdout
    assert "✗ create" in said.stdout
    assert "read-only mode" in said.stdout
    assert "Ask for the right to create and drop tables there" in said.stdout


@pytest.mark.parametrize("command", ["show users", "test", "why users"])
def test_who_holds_it_is_told_to_those_who_read_as_well(example, answer, command):
    file = example / ".local/demo.duckdb"
    holding = [sys.executable, "-c", HOLD, str(file)]
    with subprocess.Popen(holding, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        file.chmod(0o444)
        said = answer(f"flowforge {command} --wait 0").stderr
        holder.stdin.close()
    assert f".local/demo.duckdb is in use by process {holder.pid} (" in said
    assert "waited 0 s. Wait longer with --wait SECONDS." in said
