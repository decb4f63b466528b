"""Who listens, and how, changes nothing about what is built."""

from __future__ import annotations

import io
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from flowforge_cli.main import main
from flowforge_cli.streams import SteadyStream

from .conftest import FLOWFORGE


def built(shop):
    connection = sqlite3.connect(shop / ".local" / "data.sqlite")
    try:
        return [
            name
            for (name,) in connection.execute(
                "select state ->> '$.model' from _flowforge_state where state ->> '$.inputs.text' <> '' order by 1"
            )
        ]
    finally:
        connection.close()


@pytest.fixture
def fresh(shop):
    for path in (shop / ".local").iterdir():
        path.unlink()
    assert main(["seed", str(shop), "-q"]) == 0
    return shop


ALL = ["customers", "orders", "revenue_by_customer"]


def shell(command, shop, **more):
    full = command.replace("flowforge", " ".join(FLOWFORGE)).replace("SHOP", str(shop))
    return subprocess.run(["bash", "-o", "pipefail", "-c", full], capture_output=True, text=True, **more)


class TestProcess:
    def test_a_reader_who_goes_away(self, fresh):
        answer = shell("flowforge run SHOP | head -n 1", fresh)
        assert (answer.returncode, answer.stderr) == (0, "")
        assert answer.stdout == "Running 3 models on sqlite (.local/data.sqlite)\n"
        assert built(fresh) == ALL

    @pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", ">&- 2>&- <&-"])
    def test_closed_streams(self, fresh, closed):
        answer = shell(f"flowforge run SHOP {closed}", fresh)
        assert (answer.returncode, answer.stderr) == (0, "")
        assert built(fresh) == ALL

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
    def test_a_full_disk_is_said_and_everything_is_built(self, fresh):
        answer = shell("flowforge run SHOP > /dev/full", fresh)
        assert answer.returncode == 1
        assert answer.stderr == "✗ The output could not be written: No space left on device.\n"
        assert built(fresh) == ALL

    @pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "LANG": "C"}])
    def test_poor_encodings(self, shop, environment):
        answer = shell("flowforge test SHOP", shop, env={**os.environ, **environment}, encoding="utf-8")
        assert (answer.returncode, answer.stderr) == (0, "")
        assert "unique             customers.customer_id" in answer.stdout


class TestStream:
    def test_marks_become_plainer_where_they_must(self):
        raw = io.BytesIO()
        stream = SteadyStream(io.TextIOWrapper(raw, encoding="ascii"))
        stream.write("✅ ❌ ✓ ✗ ↷ ── ü\n")
        stream.flush()
        assert raw.getvalue() == b"+ x + x ~ -- ?\n"

    def test_after_a_failure_everything_is_dropped(self):
        class Full(io.StringIO):
            def write(self, text):
                raise OSError(28, "No space left on device")

        stream = SteadyStream(Full())
        assert stream.write("text") == 4
        assert stream.lost.errno == 28
        stream.flush()
        stream.write("more")

    def test_the_progress_line_is_gone_before_anything_else(self):
        below = io.StringIO()
        out = SteadyStream(below)
        error = SteadyStream(below, beside=out)
        out.progress("… 1/2 a")
        error.write("careful\n")
        out.progress("… 2/2 b")
        out.write("done\n")
        assert below.getvalue() == "\r\x1b[2K… 1/2 a\r\x1b[2Kcareful\n\r\x1b[2K… 2/2 b\r\x1b[2Kdone\n"

    def test_it_is_cut_to_the_terminal(self, monkeypatch):
        monkeypatch.setenv("COLUMNS", "10")
        below = io.StringIO()
        SteadyStream(below).progress("x" * 50)
        assert below.getvalue() == "\r\x1b[2K" + "x" * 9

    def test_everything_else_is_the_stream_itself(self):
        assert SteadyStream(io.StringIO()).isatty() is False
