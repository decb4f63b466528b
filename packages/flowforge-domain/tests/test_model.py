"""Nodes, the `@model` marker, and names in every accepted spelling."""

from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from flowforge_domain.config import ModelConfig
from flowforge_domain.fingerprint import fingerprint
from flowforge_domain.manifest import relation_for
from flowforge_domain.model import ModelSpec, Node, Seed, SeedOptions, model, node_name
from flowforge_domain.source import SourceRef, source
from flowforge_domain.text import Location


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("users", "users"),
        ("users.ff", "users"),
        ("users.ff.sql", "users"),
        ("users.ff.py", "users"),
        (".ff", ".ff"),
        ("a.b", "a.b"),
        ("users.sql", "users.sql"),
    ],
)
def test_spellings_of_a_name(spelling, name):
    assert node_name(spelling) == name


def test_node_writes_its_name_unless_told_otherwise():
    assert Node("users", "sql", Path("users.ff.sql")).relation == "users"
    assert Node("my users", "sql", Path("x")).relation == '"my users"'
    assert Node("users", "sql", Path("x"), relation="mart").relation == "mart"


def test_node_knows_where_its_references_stand():
    node = Node("a", "sql", Path("/p/models/a.ff.sql"), ["b"], file="models/a.ff.sql", lines={"b": 4})
    assert node.where("b") == Location("models/a.ff.sql", 4)
    assert node.where() == Location("models/a.ff.sql", 0)


@pytest.mark.parametrize("value", [Node("a", "sql", Path("a")), ModelConfig(), ModelSpec(), SeedOptions()])
def test_records_are_frozen_and_can_be_copied(value):
    with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
        value.name = "other"
    assert copy.deepcopy(value) == copy.copy(value) == value


def test_records_of_two_objects_share_no_default():
    assert ModelConfig().meta is not ModelConfig().meta or not ModelConfig().meta


def test_marked_function_stays_what_it_is():
    def users(df):
        return df

    marked = model(name="users.ff", deps=["raw.ff", source("crm", "people")], requires={"raw": ["id"]}, owner="me")(
        users
    )
    assert marked is users
    assert users.__flowforge_model__ == ModelSpec(
        "users", ("raw",), (("crm", "people"),), {"raw": frozenset({"id"})}, {"owner": "me"}
    )


def test_marker_needs_no_arguments():
    assert model()(lambda: None).__flowforge_model__ == ModelSpec()


def test_source_is_its_name_and_both_parts():
    named = source("crm.eu", "people")
    assert named == "crm.eu.people"
    assert isinstance(named, SourceRef)
    assert named.key == ("crm.eu", "people")


def test_relation_for_takes_every_spelling():
    nodes = {"daily": Node("daily", "sql", Path("x"), relation="mart_users")}
    assert (
        relation_for("daily", nodes)
        == relation_for("daily.ff", nodes)
        == relation_for("daily.ff.sql", nodes)
        == "mart_users"
    )
    assert relation_for("raw_users", nodes) == "raw_users"


def test_seed_has_options_of_its_own():
    seed = Seed("s", "csv", Path("s.csv"), "s")
    assert seed.options == SeedOptions()


def test_fingerprint_counts_the_borders_between_parts():
    assert fingerprint("ab", "c") != fingerprint("a", "bc") != fingerprint("abc")
    assert fingerprint("a", "") != fingerprint("a")
    assert fingerprint("ü", "\ud800") == fingerprint("ü", "\ud800")
    assert len(fingerprint()) == 64
