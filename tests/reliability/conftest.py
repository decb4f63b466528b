"""A project on a real PostgreSQL, and `flowforge`: as processes that can be killed while they work, or as warm ones."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import postgres_server
import pytest
from warm import WarmFlowForge

PATIENCE = 60


@dataclass(frozen=True)
class Shop:
    """A project folder and its database."""

    root: Path
    dsn: str
    # Where the command is that starts in no time, and takes no signals.
    warm: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def write(self, models):
        for name, text in models.items():
            (self.root / "models" / name).write_text(text, encoding="utf-8")

    def start(self, *arguments):
        """Start `flowforge` and return the process."""
        return self._start([sys.executable, "-m", "flowforge", *arguments])

    def start_warm(self, *arguments):
        """Start `flowforge` as a fork of a warm process, which gets no signal that the one returned gets."""
        return self._start([self.warm / "flowforge", *arguments])

    def _start(self, command):
        environment = {**os.environ, "FF_PG_DSN": self.dsn, "NO_COLOR": "1"}
        process = subprocess.Popen(
            command, cwd=self.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.started.append(process)
        return process

    def run(self, *arguments, code=0):
        """Run `flowforge` to its end and return what it said."""
        return self.ended(self.start_warm(*arguments), code)

    def ended(self, process, code=0):
        """Wait for a process, and return what it said; a traceback is never right."""
        said, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == code, said
        assert "Traceback" not in said
        return said

    def sql(self, statement):
        return postgres_server.run(statement, self.dsn)

    def await_backend(self):
        """Wait until a statement of FlowForge is at work, and return its server process."""
        return self._await_process("state = 'active'")

    def await_sleeper(self):
        """Wait until a statement of FlowForge, parsed and begun, sleeps in the server, and return its process."""
        return self._await_process("wait_event = 'PgSleep'")

    def _await_process(self, doing):
        ours = "datname = current_database() and application_name like 'flowforge%'"
        return self.await_row(f"select pid from pg_stat_activity where {ours} and {doing}")[0]

    def await_row(self, query):
        """Ask until there is a row, and return the first."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if found := self.sql(query):
                return found[0]
        pytest.fail(f"there is no row of: {query}")

    def helpers(self):
        """Return the tables that FlowForge made for itself, other than its state."""
        return self.sql(
            "select relname from pg_class where relname like '\\_flowforge\\_%' and relname <> '_flowforge_state'"
        )


@pytest.fixture(scope="session")
def flowforge():
    """`flowforge` as real processes that start in milliseconds: one server for all files of a worker."""
    with WarmFlowForge() as server:
        yield server


@pytest.fixture
def shop(warm, tmp_path):
    dsn = postgres_server.new_database()
    profile = "default: {engine: postgres, postgres: {dsn: \"{{ env_var('FF_PG_DSN') }}\", connect_timeout: 5}}\n"
    (tmp_path / "models").mkdir()
    (tmp_path / "project.yml").write_text("name: shop\n", encoding="utf-8")
    (tmp_path / "profiles.yml").write_text(profile, encoding="utf-8")
    made = Shop(tmp_path, dsn, warm)
    yield made
    for process in made.started:
        process.kill()
        process.wait()
        process.stdout.close()
    postgres_server.drop_database(dsn)
