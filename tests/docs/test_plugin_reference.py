"""The page of an engine's words names each of them, with its default, and cases that there are."""

from __future__ import annotations

import ast
import re
from dataclasses import MISSING, fields
from importlib import import_module
from inspect import getsource
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from documented import blocks

from flowforge_domain import schema_change
from flowforge_domain.dialect import VOLATILE, Dialect, NeutralType
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.holder import Claim
from flowforge_domain.schema_change import holds, type_name
from flowforge_testkit.conformance import EngineConformance, PluginConformance
from flowforge_testkit.fakes import claim

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "plugins.md").read_text("utf-8")


def table(title: str) -> list[list[str]]:
    """Return the cells of the rows of the table whose first column is called so."""
    _, _, after = PAGE.partition(f"\n| {title} |")
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in after.split("\n\n")[0].splitlines()[2:]]


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def shown(default: object) -> str:
    """Return how the page shows a field's default."""
    if default is MISSING:
        return "needed"
    if default is VOLATILE:
        return "`VOLATILE`"
    if isinstance(default, bool):
        return "yes" if default else "no"
    listed = sorted(default) if isinstance(default, tuple | frozenset) else [str(default)]
    return ", ".join(f"`{word}`" for word in listed if word) or "none"


def test_every_field_of_a_dialect_stands_there_with_its_default():
    told = [(words(name)[0], default) for name, default, _, _ in table("field")]
    assert told == [(field.name, shown(field.default)) for field in fields(Dialect)]


def test_a_field_of_a_dialect_means_what_the_code_says():
    """Who has the wheels only reads it there."""
    [body] = [node.body for node in ast.parse(getsource(Dialect)).body if isinstance(node, ast.ClassDef)]
    said = {
        field.target.id: " ".join(text.value.value.split()).removesuffix(".")
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
    }
    for name, _, told, _ in table("field"):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", told)
        assert said[words(name)[0]] == plain[0].upper() + plain[1:]


def test_its_cases_are_cases_of_the_kit():
    named = {word for _, _, _, cases in table("field") for word in words(cases)}
    assert named - EngineConformance.standard.keys() - PluginConformance.standard.keys() == set()


def test_every_kind_of_error_stands_there():
    assert [words(kind)[0] for kind, _, _ in table("kind")] == [kind.name for kind in ErrorKind]


def test_every_neutral_type_stands_there():
    assert [words(kind)[0] for kind, _ in table("neutral type")] == list(get_args(NeutralType))


@pytest.mark.parametrize("row", table("word"), ids=lambda row: row[0])
def test_a_word_of_types_means_what_the_page_says(row):
    [word], same, held = map(words, row)
    every = [words(other[0])[0] for other in table("word")]
    assert [type_name(one) for one in same] == [word] * len(same)
    assert [one for one in every if one != word and holds(word, one)] == held


def test_every_word_of_types_stands_there():
    told = {word for row in table("word") for cell in row[:2] for word in words(cell)}
    assert schema_change._SAME.keys() | schema_change._INTEGERS.keys() | schema_change._EXACT_IN.keys() <= told


def test_its_lock_names_who_holds_it_and_lets_go(tmp_path, monkeypatch):
    (tmp_path / "lock_of_the_page.py").write_text(blocks(PAGE, "python")[0], "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    lock = import_module("lock_of_the_page").Lock
    one, other = (lock(tmp_path / "target.lock", "target") for _ in "ab")
    with one.hold(claim()), pytest.raises(EngineError, match=f"in use by run {claim().holder.run}") as caught:
        other.hold(Claim(claim().holder, wait=0.1)).__enter__()
    assert caught.value.kind is ErrorKind.CONFLICT
    with other.hold(claim()):
        pass
