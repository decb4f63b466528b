"""The ports keep their shape: small protocols without bodies, every member documented, every hook announced."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from dataclasses import FrozenInstanceError, fields, is_dataclass
from pathlib import Path

import pluggy
import pytest

import flowforge_ports
from flowforge_ports import hooks

MODULES = [importlib.import_module(f"flowforge_ports.{m.name}") for m in pkgutil.iter_modules(flowforge_ports.__path__)]
CLASSES = [
    thing
    for module in MODULES
    for _, thing in inspect.getmembers(module, inspect.isclass)
    if thing.__module__ == module.__name__
]
PROTOCOLS = [thing for thing in CLASSES if getattr(thing, "_is_protocol", False)]
RECORDS = [thing for thing in CLASSES if is_dataclass(thing)]


def test_there_are_ports_and_records():
    assert {p.__name__ for p in PROTOCOLS} >= {"Session", "Catalog", "Frames", "SeedLoader", "Lock", "ProjectReader"}
    assert {r.__name__ for r in RECORDS} >= {"Engine", "EngineSpec", "ProjectPorts", "RunStarted"}
    assert all(p in PROTOCOLS or p in RECORDS for p in CLASSES)


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda p: p.__name__)
def test_port_has_at_most_eight_members(protocol):
    assert 1 <= len(public(protocol)) <= 8


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda p: p.__name__)
def test_every_member_is_one_documented_sentence_and_no_body(protocol):
    assert inspect.getdoc(protocol)
    tree = ast.parse(Path(inspect.getfile(protocol)).read_text(encoding="utf-8"))
    (definition,) = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == protocol.__name__]
    for member in (n for n in definition.body if isinstance(n, ast.FunctionDef)):
        assert ast.get_docstring(member), f"{protocol.__name__}.{member.name} says nothing"
        assert len(member.body) == 1, f"{protocol.__name__}.{member.name} has a body"


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.__name__)
def test_record_is_frozen_and_documented(record):
    assert inspect.getdoc(record)
    made = object.__new__(record)
    with pytest.raises((FrozenInstanceError, TypeError)):
        setattr(made, fields(record)[0].name, None)


def test_every_hook_is_documented_and_known_to_pluggy():
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    found = {name: thing for name, thing in vars(hooks).items() if name.startswith("flowforge_") and callable(thing)}
    assert len(found) >= 4
    for name, hook in found.items():
        assert inspect.getdoc(hook)
        assert getattr(manager.hook, name)() == []


def test_an_announced_spec_comes_back():
    class Plugin:
        @hooks.hookimpl
        def flowforge_engines(self):
            return ["spec"]

    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    manager.register(Plugin())
    manager.check_pending()
    assert manager.hook.flowforge_engines() == [["spec"]]


def public(protocol):
    return [name for name in vars(protocol) if not name.startswith("_") or name == "__call__"]
