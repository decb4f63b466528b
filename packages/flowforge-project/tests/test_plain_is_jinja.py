"""The fast path against Jinja: whatever it accepts means the same and renders to the same bytes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flowforge_domain.errors import FlowForgeError
from flowforge_ports.project import RenderContext
from flowforge_project.jinja_sql import jinja_facts, render_jinja
from flowforge_project.plain_sql import normalized, plain_facts, render_plain

PIECES = json.loads((Path(__file__).parent / "data" / "templates.json").read_text("utf-8"))
CONTEXT = RenderContext(
    ref=lambda name: f'"{name}"',
    source=lambda group, table: f'"{group}"."{table}"',
    this='"this"',
    target={"name": "dev"},
    variables={},
    environment={},
)
TEXTS = st.sampled_from(PIECES["texts"])
SPACES = st.sampled_from(["", "", " ", "  ", "\t", "\n", "\r\n", "\r", " \n\t"])
NAMES = st.sampled_from(PIECES["names"])


@st.composite
def literal(draw):
    name = draw(NAMES)
    quote = draw(st.sampled_from([q for q in "'\"" if q not in name]))
    return f"{quote}{name}{quote}"


def spaced(*parts):
    """Return a text of parts with spaces of every kind between them."""
    return st.tuples(*(strategy for part in parts for strategy in (SPACES, _as_strategy(part))), SPACES).map("".join)


def _as_strategy(part):
    return st.just(part) if isinstance(part, str) else part


VALUES = st.one_of(
    literal(),
    st.sampled_from(["true", "True", "false", "False", "none", "None", "0", "5", "-7", "123456789012345678", "[]"]),
    st.lists(literal(), max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
    spaced("[", literal(), ",", literal(), ",", "]"),
)
ARGUMENTS = st.lists(spaced(st.sampled_from(["materialized", "tags", "owner", "x_y"]), "=", VALUES), max_size=3).map(
    ",".join
)
TAGS = st.one_of(
    spaced("{{", "ref(", literal(), ")").map(lambda text: text.lstrip() + "}}"),
    spaced("source(", literal(), ",", literal(), ")").map(lambda text: "{{" + text + "}}"),
    spaced("config(", ARGUMENTS, ")").map(lambda text: "{{" + text + "}}"),
)
NEAR_MISSES = st.sampled_from(
    [
        *PIECES["near_misses"],
        "{{ config(a=" + "9" * 5000 + ") }}",
        "{{ 1 " + "+ 1" * 5000 + " }}",
        "{{ " + "(" * 5000,
    ]
)
TEMPLATES = st.lists(
    st.one_of(TEXTS, TEXTS, TAGS, TAGS, TAGS, st.text(max_size=5).filter(lambda t: "\0" not in t)), max_size=8
).map("".join)
ODD_TEMPLATES = st.lists(st.one_of(TEXTS, TAGS, NEAR_MISSES, NEAR_MISSES), max_size=6).map("".join)


def check(template, reached):
    text = normalized(template)
    facts = plain_facts(text)
    if facts is None:
        reached["jinja"] += _reads(text)
        return
    reached["plain"] += 1
    reached.update(ref=len(facts.refs), source=len(facts.sources), config=len(facts.settings))
    assert facts == jinja_facts(text, "models/a.ff.sql")
    # Jinja gets the text as it stands in the file: what we do to line ends is what it does.
    rendered = render_jinja(template, "models/a.ff.sql", CONTEXT)
    assert render_plain(text, CONTEXT.ref, CONTEXT.source) == rendered


def _reads(text):
    """Read and render what the fast path left to Jinja: only our own errors may come of it."""
    try:
        jinja_facts(text, "models/a.ff.sql")
        render_jinja(text, "models/a.ff.sql", CONTEXT)
    except FlowForgeError as error:
        assert len(str(error).splitlines()) <= 15
        assert error.where is not None
    return 1


def test_what_the_fast_path_accepts_is_what_jinja_says():
    reached: Counter[str] = Counter()

    @settings(max_examples=600, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(TEMPLATES)
    @example("{{{ ref('a') }}")
    @example("{{ ref('a') }}}")
    @example("a\r\n{{ ref('a')\r}}\r\n")
    @example("\n\n")
    def run(template):
        check(template, reached)

    run()
    assert reached["plain"] > 250
    assert min(reached["jinja"], reached["ref"], reached["source"], reached["config"]) > 60


def test_near_misses_are_left_to_jinja_or_agree_with_it():
    reached: Counter[str] = Counter()

    @settings(max_examples=400, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(ODD_TEMPLATES)
    def run(template):
        check(template, reached)

    run()
    assert reached["jinja"] > 200
    assert reached["plain"] > 20
