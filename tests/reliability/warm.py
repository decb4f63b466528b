"""`flowforge` as real processes that start in milliseconds: one process imports everything once and forks the others.

    with WarmFlowForge() as flowforge:
        ended = flowforge.run(["run", "shop"], cwd=folder)
        started = flowforge.start([Command(["run", "shop"], folder)])
        os.kill(started.pid, signal.SIGKILL)
        (ended,) = flowforge.ended(started)

A process may be given several commands, for speed; it has limits of its own, and shares with others nothing but the
modules that were imported.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 60.0
KEPT = ("PATH", "HOME", "TMPDIR", "PYTHONHASHSEED")

# What commands import where they need it, the compilers of SQL that engines and their analysis ask for by name too.
LIBRARIES = """
import dependency_injector.containers, dependency_injector.providers, dotenv, duckdb, filelock, jinja2.debug
import jinja2.sandbox, pandas
import numpy.rec, pluggy, psycopg, pyarrow.pandas_compat, pydantic.main, pydantic.plugin._loader, pydantic.type_adapter
import encodings.unicode_escape, encodings.utf_8_sig, getpass, glob, pyarrow.vendored.version, pydantic.root_model
import rich.console, rich.table, sqlalchemy.dialects.postgresql.psycopg
import sqlglot.dialects.duckdb, sqlglot.dialects.postgres
import typer._adapters, typer._click.decorators, typer.exceptions, yaml
"""
# All that is ours, but for the engines whose drivers take long and no test is about.
OURS = """
import importlib, pkgutil, flowforge.core
import flowforge_bigframes.plugin, flowforge_bigquery.dialect, flowforge_databricks.dialect, flowforge_snowflake.dialect
import flowforge_databricks.plugin, flowforge_snowflake.plugin, flowforge_testkit.sqlite.plugin
for name in "domain ports app sql project duckdb postgres docs_html bootstrap cli".split():
    for found in pkgutil.iter_modules(importlib.import_module(f"flowforge_{name}").__path__, f"flowforge_{name}."):
        importlib.import_module(found.name)
"""
SERVER = """
import atexit, gc, json, os, resource, sys, time
from flowforge_bootstrap import plugins
from flowforge_ports import failpoint as points

def put(name, old, new):
    # As if all that is ours had imported another one by this name.
    for module in [module for of, module in sys.modules.items() if of.startswith("flowforge_")]:
        if vars(module).get(name) is old:
            setattr(module, name, new)

# What is installed stays as it is: to look it up again would be a fifth of a command that reads a small project.
installed = plugins.load_plugins()
put("load_plugins", plugins.load_plugins, lambda: installed)

def run(command, status):
    os.environ.clear()
    os.environ.update(command["environment"])
    os.chdir(command["cwd"].encode("utf-8", "surrogateescape"))
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(command[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    began = time.monotonic()
    put("failpoint", points.failpoint, points.armed(os.environ))
    from flowforge_cli.main import main
    code = main(command["arguments"])
    sys.stdout.flush()
    sys.stderr.flush()
    status.write(f"{code} {time.monotonic() - began}\\n")
    status.flush()
    return code

gc.freeze()
for line in sys.stdin:
    asked = json.loads(line)
    pid = os.fork()
    if not pid:
        os.setsid()
        limit = asked["megabytes"] << 20
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        with open(asked["status"], "w") as status:
            codes = [run(command, status) for command in asked["commands"]]
        # What Python does at its end, but for taking down a quarter of a second of modules that were never its own.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(codes[-1])
    print(pid, flush=True)
    _, status, used = os.wait4(pid, 0)
    print(os.waitstatus_to_exitcode(status), used.ru_maxrss, flush=True)
os._exit(0)
"""


@dataclass(frozen=True)
class Command:
    """What a user types, where, and the variables of the shell."""

    arguments: list[str]
    cwd: Path
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Started:
    """A process that runs commands."""

    pid: int
    files: list[tuple[Path, Path]]
    status: Path


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, negative for a signal, what it said, and what it used.

    `peak` is of the whole process, in megabytes.
    """

    code: int
    out: str
    err: str
    seconds: float
    peak: int

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass
class WarmFlowForge:
    """Starts processes, one at a time."""

    megabytes: int = 4096

    def __enter__(self) -> WarmFlowForge:
        self.folder = tempfile.TemporaryDirectory(prefix="flowforge-warm-")
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", LIBRARIES + OURS + SERVER]
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stdin.close()
        self.server.wait(timeout=SECONDS)
        self.server.stdout.close()
        self.folder.cleanup()

    def within(self, megabytes: int) -> WarmFlowForge:
        """Return the same server, with another limit to what its processes may take."""
        other = copy(self)
        other.megabytes = megabytes
        return other

    def start(self, commands: list[Command]) -> Started:
        """Start one process; the next one only after `ended`."""
        folder = Path(self.folder.name)
        files = [(folder / f"out{i}", folder / f"err{i}") for i in range(len(commands))]
        status = folder / "status"
        for path in (*(path for pair in files for path in pair), status):
            path.write_bytes(b"")
        kept = {"NO_COLOR": "1", **{name: os.environ[name] for name in KEPT if name in os.environ}}
        asked = [
            {
                "arguments": command.arguments,
                "cwd": str(command.cwd),
                "environment": {**kept, **command.environment},
                "out": str(out),
                "err": str(err),
            }
            for command, (out, err) in zip(commands, files, strict=True)
        ]
        request = {"commands": asked, "megabytes": self.megabytes, "status": str(status)}
        self.server.stdin.write(json.dumps(request) + "\n")
        self.server.stdin.flush()
        return Started(int(self.server.stdout.readline()), files, status)

    def ended(self, started: Started) -> list[Ended]:
        """Wait for a process's end; the last command told is the one that it died of, if it died."""
        code, peak = map(int, self.server.stdout.readline().split())
        told = [line.split() for line in started.status.read_text("utf-8").splitlines()]
        done = [(int(exit_code), float(seconds)) for exit_code, seconds in told]
        if len(done) < len(started.files):
            done.append((code, 0.0))
        said = (
            [path.read_bytes().decode("utf-8", "replace") for path in pair]
            for pair, _ in zip(started.files, done, strict=False)
        )
        return [
            Ended(code, out, err, seconds, peak >> 10) for (code, seconds), (out, err) in zip(done, said, strict=True)
        ]

    def run_all(self, commands: list[Command], seconds: float = SECONDS) -> list[Ended]:
        """Run commands in one process to their ends; one that takes longer than `seconds` is killed."""
        started = self.start(commands)
        alarm = threading.Timer(seconds, os.kill, (started.pid, signal.SIGKILL))
        alarm.start()
        try:
            return self.ended(started)
        finally:
            alarm.cancel()

    def run(self, arguments: list[str], cwd: Path, seconds: float = SECONDS, **environment: str) -> Ended:
        """Run one command in a process of its own."""
        return self.run_all([Command(arguments, cwd, environment)], seconds)[0]
