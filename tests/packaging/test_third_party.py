"""The example of a third party's engine: built, installed beside the wheels in an empty venv, listed, and proved."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "third_party_adapter"
BIN = "Scripts" if os.name == "nt" else "bin"
# Half a minute alone on two cores.
KIT_SECONDS = 200

pytestmark = pytest.mark.packaging


@pytest.fixture(scope="module")
def venv(uv, install, tmp_path_factory):
    source = tmp_path_factory.mktemp("source") / "adapter"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("dist", "__pycache__"))
    uv("build", "--wheel", source, "--out-dir", source / "dist")
    [wheel] = (source / "dist").glob("*.whl")
    return install("flowforge-testkit", wheel, group="third-party")


def test_it_is_one_module_under_250_lines():
    [module] = EXAMPLE.glob("*.py")
    assert len(module.read_text("utf-8").splitlines()) < 250


def test_it_is_listed(venv, flowforge):
    answer = flowforge(venv, "engines")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "datafusion    flowforge-datafusion 0.1.0" in answer.stdout
    assert "  can         Python models" in answer.stdout.splitlines()


def test_it_passes_the_kit(venv, tmp_path):
    report = tmp_path / "report.md"
    # With names, and the stacks of what hangs: that is told below before the limit of this test ends it without a word.
    told = ["-v", "-o", "faulthandler_timeout=60"]
    command = [venv / BIN / "pytest", *told, "-p", "no:cacheprovider", EXAMPLE, "--flowforge-report", report]
    said = tmp_path / "said.txt"
    with said.open("w") as out:
        try:
            done = subprocess.run(list(map(str, command)), cwd=tmp_path, stdout=out, stderr=out, timeout=KIT_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the kit went on for over {KIT_SECONDS} s. It said:\n{said.read_text('utf-8')}")
    assert done.returncode == 0, said.read_text("utf-8")
    written = report.read_text("utf-8")
    assert "- engine: datafusion, flowforge-datafusion 0.1.0" in written
    assert "| `test_python_model_runs` | proved |  |" in written
    assert "| failed |" not in written
