"""R2: what FlowForge writes of a project is the same to the byte, on any machine, in any folder and order.

What a killed run leaves of it is compared in `test_kills.py`.
"""

from __future__ import annotations

import json
import os
import random

import pytest
from fuzz.ground import files, fingerprints
from kill_harness import duckdb_query
from warm import Command, WarmFlowForge

# Where the project lies, and the shell: what an interpreter learns at its start, and what a process is told.
MACHINES = {
    "home/ann/shop": ({"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}, {"TZ": "UTC", "HOME": "/home/ann"}),
    "Über all/b'o %s {{ x }}/shop": (
        {"PYTHONHASHSEED": "7", "LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"TZ": "Asia/Kolkata", "HOME": "/nowhere", "COLUMNS": "200", "USER": "bob"},
    ),
}
COMMANDS = ("build", "run --no-cache --jobs 1", "dag --html", "ls --output json --resource model --resource source")
# What one run is called, where and when it went on.
OF_ONE_RUN = {"run", "pid", "host", "at", "started", "seconds"}
ZONE = "TimeZone of the session"
OF_A_MACHINE = {ZONE, "local time zone"}

STATE = "select relation, state from _flowforge_state order by relation"


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    """Give what each machine has made of the same project: its folder and what it said."""
    base, made = tmp_path_factory.mktemp("machines"), []
    for number, (name, (interpreter, shell)) in enumerate(MACHINES.items()):
        content = list(files().items())
        random.Random(number).shuffle(content)
        for file, data in content:
            (base / name / file).parent.mkdir(parents=True, exist_ok=True)
            (base / name / file).write_bytes(data)
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in interpreter.items():
                patch.setenv(variable, value)
            with WarmFlowForge() as flowforge:
                ended = flowforge.run_all([Command(command.split(), base / name, shell) for command in COMMANDS])
        assert [(one.code, one.err) for one in ended] == [(0, "")] * len(COMMANDS), [one.said for one in ended]
        made.append((base / name, ended[-1].out))
    return made


def without_the_run(facts):
    """Return facts, at whatever depth, without what tells one run from another."""
    if isinstance(facts, dict):
        return {key: without_the_run(value) for key, value in facts.items() if key not in OF_ONE_RUN}
    return [without_the_run(each) for each in facts] if isinstance(facts, list) else facts


def test_manifest_sql_and_site_are_the_same_to_the_byte(machines):
    one, other = (
        {name: f for name, f in found.items() if name.startswith(("manifest", "compiled/", "docs/"))}
        for found in (fingerprints(root / ".flowforge") for root, _ in machines)
    )
    assert len(one) > 15
    assert one == other


def test_results_and_journals_differ_in_what_is_of_one_run(machines):
    told = []
    for root, listed in machines:
        folder = root / ".flowforge"
        journals = [path.read_text("utf-8") for path in sorted((folder / "runs").glob("*.jsonl"))]
        entries = [[json.loads(line.partition(" ")[2]) for line in journal.splitlines()] for journal in journals]
        results = json.loads((folder / "run_results.json").read_text("utf-8"))
        # Models that build side by side end in any order.
        build, run = (sorted(map(json.dumps, without_the_run(each))) for each in entries)
        told.append((build, run, without_the_run(results), listed))
    assert told[0] == told[1]


def test_the_targets_tell_the_same_of_what_was_run(machines):
    one, other = (
        {name: json.loads(state) for name, state in duckdb_query(root / "a.duckdb")(STATE) if name != "*"}
        for root, _ in machines
    )
    assert len(one) > 5
    same = ("model", "rows", "version", "project")
    assert [state[key] for state in one.values() for key in same] == [
        state[key] for state in other.values() for key in same
    ]
    # What a model reads has a version of its own with every build, a session the zone of its machine; all else is the
    # project's.
    assert [of_the_project(state["inputs"]) for state in one.values()] == [
        of_the_project(state["inputs"]) for state in other.values()
    ]
    zones = [{state["inputs"].get("settings", {}).get(ZONE) for state in each.values()} for each in (one, other)]
    assert zones == [{None, "UTC"}, {None, "Asia/Kolkata"}]


def of_the_project(inputs):
    settings = {name: value for name, value in inputs.get("settings", {}).items() if name not in OF_A_MACHINE}
    return {**{name: part for name, part in inputs.items() if name != "upstream"}, "settings": settings}


def test_a_folder_whose_name_is_no_text_is_refused(flowforge, tmp_path):
    root = tmp_path / os.fsdecode(b"caf\xe9")
    for file, data in files().items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(data)
    ended = flowforge.run(["seed"], root)
    assert ended.code == 1
    assert ended.err == (
        "✗ profiles.yml:3: a.duckdb cannot be opened: the name of a folder on the way is not UTF-8.\n"
        "Check the `path` and who may write there.\n"
    )
