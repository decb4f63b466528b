"""`flowforge debug` beside somebody who works on the target."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def held(example):
    """Hold the example's database for a test, as another process does."""
    command = [sys.executable, "-c", HOLD, str(example / ".local/demo.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        yield example
        holder.stdin.close()


def test_who_works_there_is_waited_for_as_long_as_is_said(held, in_shell):
    for wait in (0, 2):
        started = time.monotonic()
        answer = in_shell(f"flowforge debug --wait {wait}", held)
        assert answer.returncode == 1
        assert f"waited {wait} s. Wait longer with --wait SECONDS." in answer.stdout
        assert time.monotonic() - started > wait
