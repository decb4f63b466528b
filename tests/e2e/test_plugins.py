"""Plugins that cannot be used, as real distributions: one clear line each, and every other command works."""

from __future__ import annotations

import pytest

ENGINE = """
from dataclasses import replace
from flowforge_ports.hooks import hookimpl
from flowforge_testkit.sqlite.plugin import SPEC

@hookimpl
def flowforge_engines():
    return [replace(SPEC, name={name!r}, distribution={distribution!r}, api={api})]
"""


@pytest.fixture
def site(tmp_path):
    """Return a function that installs a distribution into a folder, and the folder."""
    folder = tmp_path / "site"
    folder.mkdir()

    def install(distribution, entry, code):
        module = distribution.replace("-", "_")
        (folder / f"{module}_plugin.py").write_text(code)
        info = folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[flowforge]\n{entry} = {module}_plugin\n")
        return str(folder)

    return install


def sound(name, distribution, api=1):
    return ENGINE.format(name=name, distribution=distribution, api=api)


CASES = {
    "broken": (
        [("bad-engine", "bad", "import no_such_driver")],
        "bad of bad-engine 1.0 cannot be used: ModuleNotFoundError: No module named 'no_such_driver'",
        "Install the package that gives the module 'no_such_driver'.",
    ),
    "newer": (
        [("new-engine", "new", sound("new", "new-engine", api=99))],
        "new of new-engine 1.0 cannot be used: it is written for version 99 of FlowForge's ports",
        "Upgrade FlowForge: pip install --upgrade flowforge",
    ),
    "two": (
        [("a-engine", "same", sound("same", "a-engine")), ("b-engine", "same", sound("same", "b-engine"))],
        "Engine 'same' is claimed by a-engine 1.0 and b-engine 1.0.",
        "Uninstall one of them.",
    ),
}


@pytest.mark.parametrize(("distributions", "says", "fix"), CASES.values(), ids=CASES)
def test_it_is_told_in_one_line_and_everything_else_works(site, in_shell, tree, distributions, says, fix):
    for one in distributions:
        path = site(*one)
    for command in ("engines", "debug examples/simple_duckdb"):
        said = in_shell(f"flowforge {command}", tree, PYTHONPATH=path)
        assert says in said.stdout
        assert fix in said.stdout
        assert "Traceback" not in said.stdout + said.stderr
    for command in ("seed", "run", "test", "dag --html", "compile", "show users"):
        done = in_shell(f"flowforge {command} examples/simple_duckdb", tree, PYTHONPATH=path)
        assert (done.returncode, done.stderr) == (0, ""), command


@pytest.mark.parametrize(("distributions", "says", "fix"), CASES.values(), ids=CASES)
def test_asking_for_it_is_an_error_of_the_users(site, in_shell, tree, distributions, says, fix):
    for one in distributions:
        path = site(*one)
    engine = distributions[0][1]
    (tree / "examples/simple_duckdb/profiles.yml").write_text(f"default: {{engine: {engine}}}\n")
    done = in_shell("flowforge run examples/simple_duckdb", tree, PYTHONPATH=path)
    assert done.returncode == 1
    assert repr(engine) in done.stderr
    assert fix in done.stderr
    assert "Traceback" not in done.stderr


def test_a_new_project_names_only_commands_that_its_engine_can_do(site, in_shell, tmp_path):
    bare = sound("bare", "bare-engine").replace("api=1", "capabilities=SPEC.capabilities - {Capability.CSV_SEEDS}")
    path = site("bare-engine", "bare", f"from flowforge_domain.capability import Capability\n{bare}")
    made = in_shell("flowforge init 'my shop' --engine bare", tmp_path, PYTHONPATH=path)
    assert (made.returncode, made.stderr) == (0, "")
    assert "flowforge seed" not in made.stdout
    assert "bare loads no CSV files: make the tables of seeds/ by other means, then run:" in made.stdout
    made = in_shell("flowforge init 'our shop'", tmp_path)
    commands = [line.strip() for line in made.stdout.splitlines() if line.startswith("  flowforge ")]
    assert commands[0] == "flowforge seed 'our shop'"
    for command in commands:
        assert in_shell(command, tmp_path).returncode == 0


def test_a_sound_one_is_listed_and_used(site, in_shell, tree):
    path = site("good-engine", "good", sound("sqlite2", "good-engine"))
    listed = in_shell("flowforge engines", tree, PYTHONPATH=path)
    assert "sqlite2       good-engine 1.0" in listed.stdout
    assert listed.returncode == 0
