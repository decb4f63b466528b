"""What would fill the memory or the day is refused, in little of both; what a model needs is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flowforge_domain.errors import TemplateError
from flowforge_ports.project import RenderContext
from flowforge_project.jinja_sql import render_jinja

DATA = Path(__file__).parent / "data" / "bombs.txt"
BOMBS = [line for line in DATA.read_text("utf-8").splitlines() if not line.startswith("# ")]
CONTEXT = RenderContext(str, str, "this", {}, {}, {})
# Each in a process that can have one gigabyte, and only our own refusals count.
CODE = """
import json, resource, sys, time
from flowforge_domain.errors import TemplateError
from flowforge_ports.project import RenderContext
from flowforge_project.jinja_sql import render_jinja
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
context = RenderContext(str, str, "this", {}, {}, {})
for line in json.load(sys.stdin):
    started = time.process_time()
    try:
        render_jinja(line, "models/a.ff.sql", context)
        said = "rendered"
    except TemplateError as error:
        said = str(error)
    print(json.dumps([line, said, time.process_time() - started]))
"""
REFUSALS = (
    "too deeply",
    "too large",
    "too long",
    "too big",
    "steps",
    "recursion",
    "not safe",
    "starts with a number",
    "multiply",
)


def test_a_bomb_is_refused_in_little_time_and_memory():
    ran = subprocess.run(
        [sys.executable, "-c", CODE], input=json.dumps(BOMBS), capture_output=True, text=True, check=True
    )
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(answers) == len(BOMBS) > 80
    for line, said, seconds in answers:
        assert any(word in said.casefold() for word in REFUSALS), (line, said[:500])
        assert said.startswith("models/a.ff.sql:1: "), (line, said)
        assert len(said.splitlines()) <= 15
        assert seconds < 5, line


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("{% for i in range(50000) %}{% endfor %}{{ (', ' * 500)[:4] }}", ", , "),
        ("{{ range(20000) | join(', ') | length }}", "128888"),
        ("{{ 'a'.join(['b', 'c']) }}{{ ['b', 'c'] | join }}", "bacbc"),
        ("{{ [{'n': 1}, {'n': 2}] | join('-', attribute='n') }}", "1-2"),
        ("{{ [{'n': 1}, {'n': 2}] | join(attribute='n') }}", "12"),
        ("{{ 'x' | center(5) }}{{ 'x'.rjust(3) }}{{ '{:>4}'.format(1) }}{{ '%03d' | format(7) }}", "  x    x   1007"),
        ("{{ 'a-b' | replace('-', '+') }}{{ 'a-b'.replace('-', '') }}", "a+bab"),
        ("{{ [3, 1] | sort | first }}{{ [1, 2] | sum }}{{ [1, 2] | sum(start=10) }}", "1313"),
        ("{{ [1, 2, 3] | batch(2) | list }}{{ [1, 2, 3] | slice(2) | list }}", "[[1, 2], [3]][[1, 2], [3]]"),
        ("{{ ['b', 'a'] | map('upper') | select('ne', 'A') | list }}", "['B']"),
        ("{{ 2.345 | round(2) }}{{ 1 in [1, 2] }}{{ 'b' not in 'abc' }}", "2.35TrueFalse"),
        ("{% for i in [1] | map('string') %}{{ loop.length }}{{ loop.last }}{{ i ~ i }}{% endfor %}", "1True11"),
        ("{% for x in [[1], []] recursive %}{{ loop(x) if x is iterable }}.{% endfor %}", "..."),
        ("{{ {'a': 1} | tojson }}{{ 'a b' | wordwrap(1) }}{{ 'a\nb' | indent(2) }}", '{"a": 1}a\nba\n  b'),
        ("{{ 7 // 2 }}{{ 7 % 4 }}{{ 7 - 2.5 }}{{ 'a' + 'b' }}{{ [1] + [2] }}", "334.5ab[1, 2]"),
        ("{{ '%s-%s' % (1, 2) }}{{ '%(a)s' % {'a': 1} }}{{ '100%' }}", "1-21100%"),
    ],
)  # fmt: skip
def test_what_a_model_needs_is_there(text, sql):
    assert render_jinja(text, "models/a.ff.sql", CONTEXT) == sql


def test_every_rendering_has_its_own_steps():
    text = "{% for i in range(100000) %}{% endfor %}" * 4
    for _ in range(2):
        render_jinja(text, "models/a.ff.sql", CONTEXT)
    with pytest.raises(TemplateError, match="takes more than 500,000 steps") as caught:
        render_jinja(text + text, "models/a.ff.sql", CONTEXT)
    assert caught.value.hint
