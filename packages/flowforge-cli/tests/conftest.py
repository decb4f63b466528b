"""A built project on the sqlite reference engine, and the command run inside this process."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from dataclasses import dataclass

import pytest

from flowforge_cli.main import main

FLOWFORGE = [sys.executable, "-m", "flowforge"]


@dataclass(frozen=True)
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def events(self) -> list[dict]:
        """Every line of standard output as JSON; fails where one is not."""
        return [json.loads(line) for line in self.lines]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("FF_ENGINE", "FF_SQLITE_PATH", "FLOWFORGE_TRACE", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def flowforge(capsys):
    def run(*arguments):
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def built_shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built") / "shop"
    assert main(["init", str(folder), "--engine", "sqlite"]) == 0
    assert main(["seed", str(folder), "-q"]) == 0
    assert main(["run", str(folder), "-q"]) == 0
    return folder


@pytest.fixture
def shop(built_shop, tmp_path, monkeypatch):
    """Copy the built project to `shop` below the current folder."""
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(built_shop, tmp_path / "shop")


@pytest.fixture
def process():
    """Run the command in a process of its own."""

    def run(*arguments, **more):
        return subprocess.run([*FLOWFORGE, *map(str, arguments)], capture_output=True, text=True, **more)

    return run


@pytest.fixture
def terminal():
    """Run the command on a terminal of its own and return everything that was written to it."""

    def run(*arguments, **environment):
        ours, theirs = pty.openpty()
        variables = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environment}
        with subprocess.Popen(
            [*FLOWFORGE, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs, env=variables
        ) as running:
            os.close(theirs)
            written = b""
            try:
                while chunk := os.read(ours, 65_536):
                    written += chunk
            except OSError:
                pass  # how Linux says that the other end has closed
        os.close(ours)
        return Answer(running.returncode, written.decode(), "")

    return run
