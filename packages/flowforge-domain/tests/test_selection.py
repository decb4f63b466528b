"""Selections: names, tags, paths and the graph operators."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_domain.config import ModelConfig
from flowforge_domain.dag import downstream, upstream
from flowforge_domain.errors import SelectionError
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node
from flowforge_domain.selection import EVERYTHING, Selection, select, selectable_nodes, selection

#   a → b → c → d → e, and b → x
EDGES = {"a": [], "b": ["a"], "c": ["b"], "d": ["c"], "e": ["d"], "x": ["b"]}
TAGS = {"a": ("batch",), "b": ("batch", "x"), "c": ("streaming",), "e": ("a+b",)}
FILES = {"a": "models/staging/a.ff.sql", "b": "models/staging/b.ff.sql", "c": "models/marts/c.ff.py"}
NODES = {
    name: Node(
        name,
        "sql",
        Path(name),
        deps,
        config=ModelConfig(tags=TAGS.get(name, ())),
        file=FILES.get(name, f"models/{name}.ff.sql"),
    )
    for name, deps in EDGES.items()
}
ITEMS = selectable_nodes(NODES)
PROJECT = Manifest("memory", Path(), NODES)


def chosen(include=None, exclude=None):
    return "".join(sorted(select(ITEMS, selection(include, exclude), PROJECT)))


@pytest.mark.parametrize(
    ("include", "names"),
    [
        (None, "abcdex"),
        ("a", "a"),
        ("c.ff", "c"),
        ("c.ff.sql", "c"),
        ("batch", "ab"),
        ("x", "x"),  # a name wins over a tag
        ("a d", "ad"),
        (["a", "d e"], "ade"),
        ("staging", "ab"),
        ("models/staging", "ab"),
        ("./models/staging/", "ab"),
        ("models/*/c.ff.py", "c"),
        ("staging/*", "ab"),
        ("models/staging/a.ff.sql", "a"),
        ("+c", "abc"),
        ("c+", "cde"),
        ("+c+", "abcde"),
        ("1+c", "bc"),
        ("2+c", "abc"),
        ("0+c", "c"),
        ("c+1", "cd"),
        ("1+c+1", "bcd"),
        ("+batch", "ab"),
        ("batch+", "abcdex"),
        ("1+streaming", "bc"),
        ("a+b", "e"),
        ("staging+1", "abcx"),
        ("models/**/*.ff.sql", "abdex"),
        ("models/**/a.ff.sql", "a"),
        ("models/**/**/d.ff.sql", "d"),
        ("**/staging/**/*", "ab"),
        ("**/d.ff.sql", "d"),
        ("models/**/marts/**/c.ff.*", "c"),
    ],
)
def test_terms(include, names):
    assert chosen(include) == names


@pytest.mark.parametrize(
    ("include", "exclude", "names"),
    [(None, "batch", "cdex"), ("+e", "b", "acde"), ("+e", "+b", "cde"), (None, ["a", "x e"], "bcd"), ("a+", "b+", "a")],
)
def test_exclusion_takes_away(include, exclude, names):
    assert chosen(include, exclude) == names


@pytest.mark.parametrize("term", ["nope", "+nope", "bach", "models/none/*", "2+"])
def test_term_that_names_nothing_is_an_error(term):
    with pytest.raises(SelectionError):
        chosen(term)


def test_error_tells_what_was_meant():
    with pytest.raises(SelectionError) as caught:
        chosen("streeming")
    assert str(caught.value) == "No model matches 'streeming'.\nDid you mean 'streaming'?"


@pytest.mark.parametrize("term", ["+", "++", "1+"])
def test_operator_without_a_name_is_an_error(term):
    with pytest.raises(SelectionError):
        chosen(term)


def test_selection_that_leaves_nothing_is_an_error():
    with pytest.raises(SelectionError, match="leaves no model"):
        chosen("a", "a")


def test_everything_of_an_empty_project_is_nothing():
    assert select({}, Selection(), Manifest("empty", Path())) == set()


def test_mistyped_exclusion_is_an_error_too():
    with pytest.raises(SelectionError, match="nope"):
        chosen(None, "nope")


NAMES = st.sampled_from(sorted(NODES))


@given(NAMES, st.none() | st.integers(0, 5), st.none() | st.integers(0, 5))
def test_operators_follow_the_graph(name, up, down):
    before, after = "" if up is None else f"{up}+", "" if down is None else f"+{down}"
    expected = upstream(NODES, [name], up or 0) | downstream(NODES, [name], down or 0)
    assert chosen(f"{before}{name}{after}") == "".join(sorted(expected))


@given(st.lists(NAMES, min_size=1), st.lists(NAMES))
def test_terms_are_united_and_exclusions_taken_away(include, exclude):
    left = set(include) - set(exclude)
    if left:
        assert chosen(include, exclude) == "".join(sorted(left))
    else:
        with pytest.raises(SelectionError):
            chosen(include, exclude)


@given(st.text(max_size=15))
def test_any_text_selects_or_is_refused(text):
    try:
        assert select(ITEMS, selection(text), PROJECT) <= set(NODES)
    except SelectionError as error:
        assert len(str(error).splitlines()) <= 15


def test_stars_between_slashes_stand_for_whole_folders():
    for wrong in ("models/**/f.sql", "mod**/a.ff.sql/**/x"):
        with pytest.raises(SelectionError, match="No model"):
            chosen(wrong)


@pytest.mark.parametrize("nothing", ["", " ", ["", "\t"]])
def test_a_selection_that_says_nothing_is_an_error_not_everything(nothing):
    with pytest.raises(SelectionError, match="The selection is empty"):
        selection(nothing)
    assert selection("a", nothing) == selection("a")
    assert selection([]) == selection(()) == selection(None) == EVERYTHING


@pytest.mark.parametrize(
    ("include", "names"),
    [
        ("sp ace", {"sp ace"}),
        (" sp ace.ff ", {"sp ace"}),
        ("+sp ace", {"a", "sp ace"}),
        ("1+sp ace+", {"a", "sp ace", "z"}),
        (["sp ace", "a z"], {"sp ace", "a", "z"}),
    ],
)
def test_a_name_with_a_space_is_a_name(include, names):
    edges = {"a": [], "sp ace": ["a"], "z": ["sp ace"]}
    nodes = {name: Node(name, "sql", Path(name), deps) for name, deps in edges.items()}
    assert select(selectable_nodes(nodes), selection(include), Manifest("spaces", Path(), nodes)) == names


RUNS = ["+", "1+", "+a", "a+", "1+a", "*", "*a", "**/", "/", "[", "?", "@", ":", "tag:", ",", "9"]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("run", RUNS)
def test_no_run_of_equal_pieces_takes_long(run):
    with suppress(SelectionError):
        chosen(run * 2_000)
