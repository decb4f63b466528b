from __future__ import annotations

from importlib.metadata import metadata

from flowforge_bootstrap.diagnose import diagnose
from flowforge_bootstrap.inventory import described, faults, installed, libraries, missing, versioned
from flowforge_bootstrap.plugins import Plugins, load_plugins
from flowforge_domain.capability import GUARANTEES, Capability

ENGINE = """
from dataclasses import replace
from flowforge_ports.hooks import hookimpl
from flowforge_testkit.sqlite.plugin import SPEC

@hookimpl
def flowforge_engines():
    return [replace(SPEC, name="same")]
"""

PROFILE = """
from typing import Literal
from pydantic import BaseModel

class Profile(BaseModel):
    engine: Literal["same"]
"""


def test_every_engine_is_listed_with_what_it_stands_on():
    found = {one.name: one for one in installed(load_plugins())}
    assert list(found) == sorted(found)
    assert found["sqlite"].distribution == "flowforge-testkit 0.1.0"
    assert found["duckdb"].libraries.startswith("duckdb ")
    assert found["sqlite"].abilities["cannot"] == ["Parquet seeds"]


def test_what_was_never_tried_is_told_of_the_engines_that_nobody_had_here():
    found = {one.name: one.unproved for one in installed(load_plugins())}
    assert {name for name, unproved in found.items() if not unproved} == {"duckdb", "postgres", "sqlite"}
    assert "no statement was run" in found["databricks_spark+delta"]


def test_what_does_not_hold_of_an_engine_is_told(install, shop):
    said = "profile='flowforge_mine_plugin:Profile', limits='emoji in names'"
    install("flowforge-mine", "mine", PROFILE + ENGINE.replace('name="same"', f'name="same", {said}'))
    assert {one.name: one.limits for one in installed(load_plugins()) if one.limits} == {"same": "emoji in names"}
    (shop / "profiles.yml").write_text("default: {engine: same}")
    profile = next(one for one in diagnose(str(shop), None, None) if one.subject == "profile")
    assert profile.detail.splitlines()[-1] == "limits: emoji in names"


def test_each_capability_is_told_once():
    for can in (frozenset(), frozenset(Capability), GUARANTEES):
        told = [word for listed in described(can).values() for word in listed]
        assert sorted(told) == sorted(one.value for one in Capability)


def test_a_name_that_two_claim_is_a_fault_and_no_engine(install):
    install("one-engine", "one", ENGINE)
    install("other-engine", "other", ENGINE)
    plugins = load_plugins()
    assert "same" not in [one.name for one in installed(plugins)]
    [fault] = faults(plugins)
    assert str(fault) == "Engine 'same' is claimed by one-engine 1.0 and other-engine 1.0.\nUninstall one of them."


def test_engines_of_ours_that_are_missing():
    extras = metadata("flowforge").get_all("Provides-Extra")
    commands = [f'pip install "flowforge[{extra}]"' for extra in extras if extra != "all"]
    assert sorted(missing(Plugins()).values()) == sorted(commands)
    assert "duckdb" not in missing(load_plugins())


def test_a_distribution_that_is_not_installed_has_no_version():
    assert (versioned("no-such-thing"), libraries("no-such-thing")) == ("no-such-thing", "")
