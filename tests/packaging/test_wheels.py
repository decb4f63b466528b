"""What a stranger installs: every wheel builds, is complete, and the quickstart runs from the wheels alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest
from documented import steps

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS = sorted(p.parent.name for p in ROOT.glob("packages/*/pyproject.toml"))
BIN = "Scripts" if os.name == "nt" else "bin"

pytestmark = pytest.mark.packaging


def test_every_package_becomes_a_wheel_and_an_sdist(wheels):
    stems = [name.replace("-", "_") + "-" + version() for name in DISTRIBUTIONS]
    assert sorted(p.name for p in wheels.glob("*.whl")) == sorted(f"{stem}-py3-none-any.whl" for stem in stems)
    assert sorted(p.name for p in wheels.glob("*.tar.gz")) == sorted(f"{stem}.tar.gz" for stem in stems)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_wheel_carries_the_licence(wheels, distribution):
    assert metadata(wheels, distribution)["License-Expression"] == "Apache-2.0"
    with zipfile.ZipFile(wheel(wheels, distribution)) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/licenses/LICENSE"))
        assert archive.read(name) == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_wheel_is_typed_and_holds_its_own_package_alone(wheels, distribution):
    module = distribution.replace("-", "_")
    with zipfile.ZipFile(wheel(wheels, distribution)) as archive:
        names = archive.namelist()
    assert f"{module}/py.typed" in names
    assert {n.partition("/")[0] for n in names} == {module, f"{module}-{version()}.dist-info"}


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_wheel_holds_every_file_of_the_source(wheels, distribution):
    source = ROOT / "packages" / distribution / "src"
    files = {p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file() and p.suffix != ".pyc"}
    with zipfile.ZipFile(wheel(wheels, distribution)) as archive:
        assert files - set(archive.namelist()) == set()


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_versions_are_in_lockstep(wheels, distribution):
    described = metadata(wheels, distribution)
    required = [line.partition(";")[0].strip() for line in described.get_all("Requires-Dist", [])]
    siblings = [line for line in required if line.startswith("flowforge")]
    assert described["Version"] == version()
    assert [line for line in siblings if not line.endswith(f"=={version()}")] == []


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_wheel_introduces_itself(wheels, distribution):
    described = metadata(wheels, distribution)
    classifiers = described.get_all("Classifier")
    assert described["Summary"]
    assert described["Requires-Python"] == ">=3.11"
    assert {"Typing :: Typed", "Programming Language :: Python :: 3.13"} <= set(classifiers)
    assert described.get_payload().startswith(f"# {distribution}\n")


def test_twine_finds_nothing_to_complain_of(uv, wheels):
    files = [path for pattern in ("*.whl", "*.tar.gz") for path in sorted(wheels.glob(pattern))]
    # In an environment of its own: it wants a newer rich than BigQuery DataFrames allow.
    said = uv("tool", "run", "twine@7.0.0", "check", "--strict", *files)
    assert said.count("PASSED") == len(files) == 2 * len(DISTRIBUTIONS)


def test_the_readme_leads_a_newcomer_from_the_wheels_to_a_site(with_duckdb, tmp_path):
    path = os.pathsep.join([str(with_duckdb / BIN), "/usr/bin", "/bin"])
    env = {"PATH": path, "HOME": str(tmp_path), "PYTHONWARNINGS": "error", "LANG": "C.UTF-8"}
    done = steps((ROOT / "README.md").read_text("utf-8"))
    files = ["models/marts/big_customers.ff.sql", "models/marts/revenue_share.ff.py"]
    assert [kind for kind, _ in done] == ["bash", *files, "bash", "models/orders.ff.sql", "bash"]
    folder, shown, told = tmp_path, "", ""
    for kind, body in done:
        if kind == "bash":
            ran = subprocess.run(["bash", "-euc", body], cwd=folder, env=env, capture_output=True, text=True)
            assert ran.returncode == 0, ran.stdout + ran.stderr
            shown, told = shown + ran.stdout, told + ran.stderr
            folder = tmp_path / "shop"
        else:
            (folder / kind).write_text(body, "utf-8")
    assert "Acme Ltd" in shown
    assert told.startswith("! orders is built from scratch: orders was built as a table")
    assert told.count("\n") == 1
    assert "orders would be skipped: it is proved unchanged." in shown
    assert (folder / ".flowforge/docs/index.html").is_file()


def test_engine_alone_brings_the_command(with_duckdb, flowforge):
    answer = flowforge(with_duckdb, "--version")
    assert_clean(answer)
    assert version() in answer.stdout


def test_core_alone_knows_its_version(core_only, flowforge):
    answer = flowforge(core_only, "--version")
    assert_clean(answer)
    assert version() in answer.stdout


def test_core_alone_installs_no_engine(core_only):
    found = {p.name.partition("-")[0] for p in core_only.rglob("*.dist-info")}
    assert found & {"flowforge_duckdb", "flowforge_testkit", "duckdb", "pandas", "pyarrow", "numpy", "pytest"} == set()


def test_core_alone_names_the_missing_engine_in_one_line(core_only, flowforge, tmp_path):
    kept_out = shutil.ignore_patterns(".local", ".flowforge")
    shutil.copytree(ROOT / "examples/simple_duckdb", tmp_path / "shop", ignore=kept_out)
    answer = flowforge(core_only, "run", "shop", "--env", "dev")
    said = (answer.stdout + answer.stderr).strip()
    assert (answer.returncode, said.count("\n")) == (1, 0), said
    assert 'pip install "flowforge[duckdb]"' in said


def assert_clean(answer):
    assert (answer.returncode, answer.stderr) == (0, ""), f"{answer.args}\n{answer.stdout}\n{answer.stderr}"


def version() -> str:
    described = (ROOT / "packages/flowforge/pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(described)["project"]["version"]


def wheel(wheels: Path, distribution: str) -> Path:
    return wheels / f"{distribution.replace('-', '_')}-{version()}-py3-none-any.whl"


def metadata(wheels: Path, distribution: str) -> Message:
    with zipfile.ZipFile(wheel(wheels, distribution)) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return message_from_string(archive.read(name).decode())
