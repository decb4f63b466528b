"""The Mermaid export: deterministic, complete, and closed to hostile names."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from flowforge_domain.mermaid import flowchart as mermaid
from flowforge_domain.model import Node

LINE = re.compile(
    r"""flowchart\ LR
    | \ \ [nxs]\d+\[\("LABEL"\)\]:::(?:source|seed)
    | \ \ n\d+\["LABEL"\]:::sql
    | \ \ n\d+\(\["LABEL"\]\):::python
    | \ \ [nxs]\d+\ -->\ n\d+
    | \ \ classDef\ (?:sql|python|source|seed)\ fill:\#[0-9a-f]{6},stroke:\#[0-9a-f]{6},color:\#[0-9a-f]{6}
    """.replace("LABEL", r"(?:[^\W]|[\ .-]|\#\d+;)*"),
    re.VERBOSE,
)


def node(name, *deps, kind="sql", sources=()):
    return Node(name, kind, Path("x.ff.sql"), deps, tuple(sources))


def test_graph_with_everything_in_it():
    nodes = {
        "users": node("users", sources=[("crm", "people")]),
        "mart": node("mart", "users", "countries", kind="python"),
    }
    assert mermaid(nodes).splitlines()[:8] == [
        "flowchart LR",
        '  s0[("crm.people")]:::source',
        '  x0[("countries")]:::seed',
        '  n0(["mart"]):::python',
        '  n1["users"]:::sql',
        "  n1 --> n0",
        "  x0 --> n0",
        "  s0 --> n1",
    ]


def test_graph_does_not_depend_on_the_order_of_nodes():
    nodes = {name: node(name) for name in "cab"}
    assert mermaid(nodes) == mermaid(dict(sorted(nodes.items())))


def test_empty_graph_is_still_a_flowchart():
    assert mermaid({}).startswith("flowchart LR\n")


def test_quotes_and_tags_become_entity_codes():
    text = mermaid({'a"]; click n0 "javascript:x" --> <b>': node('a"]; click n0 "javascript:x" --> <b>')})
    assert 'n0["a#34;#93;#59; click n0 #34;javascript#58;x#34; --#62; #60;b#62;"]:::sql' in text


@given(st.lists(st.text(min_size=1), unique=True, max_size=5), st.text(), st.text())
def test_no_name_breaks_out_of_its_label(names, group, table):
    nodes = {name: node(name, *names[:i], f"{group}!", sources=[(group, table)]) for i, name in enumerate(names)}
    for line in mermaid(nodes).removesuffix("\n").split("\n"):
        assert LINE.fullmatch(line), line
    assert len(mermaid(nodes).splitlines()) == len(mermaid(nodes).removesuffix("\n").split("\n"))


@given(st.text(min_size=1))
def test_label_says_the_name(name):
    shown = mermaid({name: node(name)}).split("\n")[1]
    label = shown.removeprefix('  n0["').removesuffix('"]:::sql')
    assert re.sub(r"#(\d+);", lambda code: chr(int(code[1])), label) == name
