"""Wheels of every package, empty venvs that hold nothing else, and the command as a user runs it there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]
BIN = "Scripts" if os.name == "nt" else "bin"


@pytest.fixture(scope="session")
def uv():
    own = ROOT / ".uv" / ("uv.exe" if os.name == "nt" else "uv")
    found = os.environ.get("UV") or (str(own) if own.exists() else shutil.which("uv"))
    if not found:
        pytest.fail("uv is needed to build the wheels. Fix: python3 tools/bootstrap_uv.py")

    def run(*arguments, cwd=ROOT, **variables):
        outside = {k: v for k, v in os.environ.items() if k not in {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}}
        environment = {**outside, **variables}
        answer = subprocess.run([found, *map(str, arguments)], cwd=cwd, env=environment, capture_output=True, text=True)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    return run


@pytest.fixture(scope="session")
def wheels(uv, tmp_path_factory):
    """All wheels and sdists, built once for all workers of a session: the first that asks builds, the others wait."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "dist"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            made = folder.with_suffix(".part")
            uv("build", "--all-packages", "--out-dir", made)
            made.rename(folder)
    return folder


@pytest.fixture(scope="session")
def install(uv, wheels, tmp_path_factory):
    """Return a function that installs one distribution into an empty venv, its siblings from the wheels alone.

    Third-party libraries come first, as locked: with no index left, a sibling can only come from our own folder,
    never from a stranger's project of the same name.
    """

    def into_empty_venv(distribution, *more, group=None):
        """Install it, and `more` wheels, whose libraries are those of a dependency group of the workspace."""
        venv = tmp_path_factory.mktemp("venv") / "venv"
        uv("venv", "--python", sys.executable, venv)
        # By `sync`, which asks no index: an index that forgets what it sent has half a gigabyte of Spark sent again.
        locked = ("sync", "--frozen", "--inexact", "--python", venv / BIN / "python")
        into = {"UV_PROJECT_ENVIRONMENT": str(venv)}
        uv(*locked, "--no-default-groups", "--no-install-workspace", "--package", distribution, **into)
        if group:
            uv(*locked, "--only-group", group, **into)
        own = ("--no-index", "--find-links", wheels, distribution, *more)
        uv("pip", "install", "--python", venv / BIN / "python", *own)
        return venv

    return into_empty_venv


@pytest.fixture(scope="session")
def with_duckdb(install):
    return install("flowforge-duckdb")


@pytest.fixture(scope="session")
def core_only(install):
    return install("flowforge")


@pytest.fixture
def flowforge(tmp_path):
    """Return a function that runs the installed command like a user does, in an empty folder and an empty home."""

    def run(venv, *arguments, **variables):
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        # The machine's own commands, which Spark starts with, and nothing of the environment that the tests run in.
        path = os.pathsep.join([str(venv / BIN), os.defpath])
        env = {"PATH": path, "HOME": str(home), "PYTHONWARNINGS": "error", "LANG": "C.UTF-8", **variables}
        if os.name == "nt":
            env["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
        command = [str(venv / BIN / "flowforge"), *arguments]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)

    return run
