"""The repository's examples, copied, and a shell in which `flowforge` is the one under test.

What a shell starts there is a fork of a process that has imported all; a process of its own is what is to be
interrupted, and what tests/packaging starts, from the wheels.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MADE = shutil.ignore_patterns(".flowforge", ".local")
OVERRIDES = {"FF_ENGINE", "FF_DUCKDB_PATH", "FF_SQLITE_PATH", "FLOWFORGE_TRACE", "NO_COLOR"}


@pytest.fixture(scope="session")
def environment():
    """The variables of a user's shell: no settings of ours, and the tested command first on the path."""
    plain = {name: value for name, value in os.environ.items() if name not in OVERRIDES}
    return {**plain, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture(scope="session")
def warm_environment(environment, warm):
    """The same, with a command that starts in no time."""
    return {**environment, "PATH": f"{warm}{os.pathsep}{environment['PATH']}"}


@pytest.fixture(scope="session")
def in_shell(warm_environment):
    """Run a shell command in a folder; the answer has `returncode`, `stdout` and `stderr`."""

    def run(command, folder, **variables):
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=folder,
            env={**warm_environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def new_project(tmp_path):
    """Write files into an empty folder, beside a profile for a DuckDB file, and return the folder."""

    def written(files):
        profile = "default: {engine: duckdb, duckdb: {path: shop.duckdb}}\n"
        for name, text in {"project.yml": "name: shop\n", "profiles.yml": profile, **files}.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return written


@pytest.fixture
def hearing_ctrl_c(environment):
    """Start a shell command in a folder as a process that hears Ctrl-C; one in a shell's background would not."""
    # As conftest.py of all tests sees to: by `preexec_fn` the child would be a fork that runs Python first, in which
    # gRPC's threads of earlier tests are missing, and it aborts. Only what is ignored stays so in a new process.
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN

    def start(command, folder):
        return subprocess.Popen(
            ["bash", "-c", command],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture(scope="session")
def built_tree(tmp_path_factory, in_shell):
    """A folder that holds `examples/simple_duckdb`, seeded and run."""
    tree = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "examples", tree / "examples", ignore=MADE)
    for command in ("seed", "run"):
        assert in_shell(f"flowforge {command} examples/simple_duckdb", tree).returncode == 0
    return tree


@pytest.fixture
def tree(built_tree, tmp_path):
    """A copy of the built folder, to be changed at will."""
    return shutil.copytree(built_tree, tmp_path / "tree")


@pytest.fixture
def fresh_tree(tmp_path):
    """The examples as a clone has them."""
    shutil.copytree(ROOT / "examples", tmp_path / "tree" / "examples", ignore=MADE)
    return tmp_path / "tree"


@pytest.fixture
def example(tree):
    return tree / "examples" / "simple_duckdb"
