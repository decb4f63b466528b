"""Commands in hints: whoever pastes one works on the project, profile and variables that he was working on."""

from __future__ import annotations

import inspect
import re
import shlex

import pytest

from flowforge_cli import main as entry
from flowforge_cli.again import TAKES, given


@pytest.fixture
def folder(shop):
    """A project whose folder's name has a space, with a second profile whose target is empty."""
    moved = shop.rename(shop.with_name("my shop"))
    profile = (moved / "profiles.yml").read_text()
    dev = profile[profile.index("default:") :].replace("default:", "dev:", 1)
    (moved / "profiles.yml").write_text(profile + "\n" + re.sub(r"path: \S+", "path: .local/dev.sqlite", dev))
    (moved / "models/started.ff.sql").write_text("select {{ var('start') }} as n\n")
    return moved.name


def pasted(flowforge, text):
    """Run the command that a hint tells."""
    (command,) = re.findall(r": flowforge (.+)$", text, re.MULTILINE)
    return flowforge(*shlex.split(command)), command


def test_what_is_missing_is_made_where_it_is_missing(flowforge, folder):
    seeded, command = pasted(flowforge, flowforge("run", folder, "--env", "dev", "-s", "customers").out)
    assert (seeded.code, command) == (0, "seed 'my shop' --env dev")
    built, command = pasted(flowforge, flowforge("show", "orders", folder, "--env", "dev").err)
    assert (built.code, command) == (0, "run --select +orders 'my shop' --env dev")
    assert flowforge("show", "orders", folder, "--env", "dev").code == 0


def test_names_that_a_shell_would_part_are_quoted(flowforge, shop, monkeypatch):
    monkeypatch.chdir(shop)
    (shop / "models/in $two parts.ff.sql").write_text("select 1 as n\n")
    built, command = pasted(flowforge, flowforge("show", "in $two parts").err)
    assert (built.code, command) == (0, "run --select '+in $two parts'")
    assert flowforge("show", "in $two parts").code == 0


def test_variables_are_said_again(flowforge, folder, shop):
    reads = "select {{ var('start') }} as n from {{ ref('customers') }}\n"
    (shop.with_name(folder) / "models/started.ff.sql").write_text(reads)
    assert flowforge("seed", folder, "--env", "dev").code == 0
    answer = flowforge("run", folder, "--env", "dev", "--vars", "{start: 1}", "-s", "started")
    built, command = pasted(flowforge, answer.out)
    assert (built.code, command) == (0, "run --select +started 'my shop' --env dev --vars '{start: 1}'")


def test_a_build_is_told_to_build_again(flowforge, folder, shop):
    missing = "select * from {{ ref('orders') }}\n"
    (shop.with_name(folder) / "models/late.ff.sql").write_text(missing)
    answer = flowforge("build", folder, "--env", "dev", "-s", "late")
    (built, command) = pasted(flowforge, answer.out)
    assert (built.code, command) == (0, "build --select +late 'my shop' --env dev")
    assert flowforge("build", folder, "--env", "dev", "-s", "late").code == 0


def test_tests_json_and_notices_say_it_too(flowforge, folder):
    said = flowforge("test", folder, "--env", "dev").out
    assert "Build it first: flowforge run 'my shop' --env dev" in said
    events = flowforge("test", folder, "--env", "dev", "--log-format", "json").events
    assert {e["data"]["hint"] for e in events if e["event"] == "check_errors"} <= {
        "Build it first: flowforge run 'my shop' --env dev"
    }


def test_from_its_folder_nothing_is_added(flowforge, shop, monkeypatch):
    monkeypatch.chdir(shop)
    (shop / ".local").rename(shop / "gone")
    assert "Load the seeds first: flowforge seed\n" in flowforge("run", "-s", "customers").out


@pytest.mark.parametrize(
    ("hint", "completed"),
    [
        (
            "Write it again with this version: flowforge run.",
            "Write it again with this version: flowforge run p --env dev.",
        ),
        ("`flowforge debug` lists it.", "`flowforge debug p --env dev` lists it."),
        ("Give more of the id: flowforge runs list", "Give more of the id: flowforge runs list p"),
        ("Name it: flowforge run PATH. To pick a model: --select NAME.",) * 2,
        ("Start one with: flowforge init PATH",) * 2,
        ("Read flowforge run in the guide, it helps",) * 2,
    ],
)
def test_hints_of_other_forms(hint, completed):
    asked = given("p", "dev", None)
    assert asked.told(hint) == asked.told(asked.told(hint)) == completed


def test_each_command_takes_what_is_said_of_it():
    options = {"env": "--env", "engine": "--engine", "variables": "--vars"}
    groups = [("", entry.app.registered_commands), ("runs ", entry.runs_app.registered_commands)]
    commands = {
        f"{prefix}{one.name}": inspect.signature(one.callback).parameters for prefix, of in groups for one in of
    }
    takes = {
        name: {options[p] for p in found if p in options} for name, found in commands.items() if "project" in found
    }
    assert takes == {name: set(listed) for name, listed in TAKES.items()}
