"""Templates that need Jinja: facts without rendering, and rendering with the few names a model has."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flowforge_domain.errors import FlowForgeError, TemplateError
from flowforge_ports.project import RenderContext
from flowforge_project.jinja_sql import jinja_facts, render_jinja, undefined_name

FILE = "models/a.ff.sql"


def context(**changes):
    given = {
        "ref": lambda name: f"<{name}>",
        "source": lambda group, table: f"<{group}.{table}>",
        "this": '"a"',
        "target": {"name": "dev", "engine": "duckdb"},
        "variables": {"start": "2024-01-01", "items": [1, 2], "nothing": None, "deep": {"_id": {"x": 5}}},
        "environment": {"REGION": "eu", "EMPTY": ""},
    }
    return RenderContext(**{**given, **changes})


def render(text, **changes):
    return render_jinja(text, FILE, context(**changes))


def refusal(text):
    with pytest.raises(TemplateError) as caught:
        for name, line in jinja_facts(text, FILE).names:
            if line:
                raise undefined_name(text, FILE, name, line, ())
        render(text)
    return caught.value


def test_calls_count_whether_they_run_or_not():
    text = "{% if false %}{{ ref('a') }}{% endif %}\n{% set x = ref('b') %}\n{{ source('g', 't') if false }}"
    facts = jinja_facts(text, FILE)
    assert facts.refs == (("a", 1), ("b", 2))
    assert facts.sources == (("g", "t", 3),)


def test_commented_calls_do_not_count():
    assert jinja_facts("{# {{ ref('a') }} #}{% raw %}{{ ref('b') }}{% endraw %}", FILE).refs == ()


def test_computed_names_are_left_to_rendering():
    facts = jinja_facts("{% for t in ['a', 'b'] %}{{ ref(t) }}{{ ref('x' ~ t) }}{{ ref(*[t]) }}{% endfor %}", FILE)
    assert facts.refs == ()


def test_config_is_read_with_nested_literals():
    text = "{{ config(\n  tags=('a', 'b'),\n  meta={'n': -1, 'deep': [true, none, {'x': 1.5}]}) }}"
    facts = jinja_facts(text, FILE)
    assert facts.settings == {"tags": ["a", "b"], "meta": {"n": -1, "deep": [True, None, {"x": 1.5}]}}
    assert facts.setting_lines == {"tags": 2, "meta": 3}


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("{{ this }}", '"a"'),
        ("{{ target.name }}/{{ target['engine'] }}", "dev/duckdb"),
        ("{{ var('start') }}", "2024-01-01"),
        ("{{ var('nowhere', 'x') }}{{ var('nowhere', default=5) }}", "x5"),
        ("{{ var('nothing') }}", "None"),
        ("{{ var('nowhere', none) }}", "None"),
        ("{{ var('items') | join(', ') }}", "1, 2"),
        ("{{ var('deep')['_id']['x'] }}{{ var('deep')._id.x }}", "55"),
        (
            "{{ env_var('REGION') }}{{ env_var('EMPTY') }}{{ env_var('NO', 'x') }}{{ env_var('NO', default='y') }}",
            "euxy",
        ),
        ("{% for i in range(3) %}{{ i }}{% if not loop.last %},{% endif %}{% endfor %}", "0,1,2"),
        ("{% macro m(x, y=2) %}{{ x + y }}{% endmacro %}{{ m(1) }}", "3"),
        ("{% set n = namespace(a=1) %}{% set n.a = 2 %}{{ n.a }}", "2"),
        ("{% call(x) m() %}{{ x }}{% endcall %}{% macro m() %}{{ caller(1) }}{% endmacro %}", None),
        ("{{ x is defined }}{{ x | default('d') }}", "Falsed"),
        ("{% set x %}a{% endset %}{{ x }}", "a"),
        ("{{ config(materialized='view') }}select", "select"),
        ("{{ '%05d' | format(7) }}{{ 'a{}'.format(1) }}", "00007a1"),
        ("{{ 'x' * 3 }}{{ 2 ** 10 }}", "xxx1024"),
        ("{% filter upper %}a{% endfilter %}", "A"),
        ("<b>{{ '<i>' }}", "<b><i>"),
    ],
)
def test_what_a_template_can_do(text, sql):
    if sql is None:
        with pytest.raises(FlowForgeError):
            render(text)
    else:
        jinja_facts(text, FILE)
        assert render(text) == sql


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a\nb {{ nam }}", 2, 6, "'nam' is undefined."),
        ("{% for x in xs %}\n{{ ref('a') }}\n{% endfor %}", 1, 13, "'xs' is undefined."),
        (
            "{% if true %}\n  {% for x in [1] %}\n    {{ x | uper }}\n{% endfor %}{% endif %}",
            3,
            12,
            "There is no filter 'uper'.",
        ),
        ("x\n{{ 1 is odds }}", 2, 9, "There is no test 'odds'."),
        ("x\n  {{ ref() }}", 2, 6, "ref() takes 1 name, not 0."),
        ("{{ source('a', 'b', 'c') }}", 1, 4, "source() takes 2 names, not 3."),
        ("{{ source('a', 5) }}", 1, 4, "source() takes names as texts."),
        ("{{ ref('a', version=1) }}", 1, 4, "ref() takes names as texts."),
        ("{{ config(a=1,\n  b=1 + 1) }}", 2, 3, "config() takes literal values by name"),
        ("{{ config(*[1]) }}", 1, 4, "config() takes literal values by name"),
        ("{{ config(meta={[1]: 2}) }}", 1, 11, "config() takes literal values by name"),
        ("x\n{% if true %}\n{% for a in [1] %}\n{% endfor %}\n", 2, 4, "'if' is never closed."),
        ("{% for a in [1] %}\n{% for b in [2] %}\n{% endfor %}\n", 1, 4, "'for' is never closed."),
        ("a\n{{ ref('b' }}", 2, 12, "Unexpected '}', expected ')'."),
        ("a\n{{ 'b }}", 2, 4, 'Unexpected char "\'" at 5.'),
        ("{{ ref('a') }} {{ ref('b') }", 1, 28, "Unexpected '}'."),
        ("{{- 1 }} {{ {'a': ['}}']} ]", 1, 27, "Unexpected ']'."),
        ("{% if x -%}\n  {{ ref('b')\n  } }}", 3, 3, "Unexpected '}'."),
        ("a\n{% fro x in y %}", 2, 4, "Encountered unknown tag 'fro'."),
        ("a\n{% endfor %}", 2, 4, "Encountered unknown tag 'endfor'."),
        ("select {{ ref }}", 1, 11, "`ref` is a function, which is not called here."),
        ("a\n{% if not is_incremental %}b{% endif %}", 2, 11, "`is_incremental` is a function, which is not called"),
        ("{% if 1 and var %}b{% endif %}", 1, 13, "`var` is a function, which is not called here."),
        ("{{ 'a' if env_var else 'b' }}", 1, 11, "`env_var` is a function, which is not called here."),
        ("{% extends 'x' %}", 1, 4, "`extends` is not available"),
        ("a\n\n {% from 'x' import y %}", 3, 14, "`import` is not available"),
        ("a\n{{ (1).x }}", 2, 8, "'int object' has no attribute 'x'."),
        ("{% macro m() %}\n\n{{ 1 / 0 }}{% endmacro %}\n{{ m() }}", 3, 1, "Division by zero."),
        ("a\n{{ range(10 ** 9) }}", 2, None, "Range too big."),
        ("a\n{{ 'x' * 10 ** 9 }}", 2, 1, "The repetition is too long."),
        ("a\n{{ 10 ** 10 ** 10 }}", 2, 1, "The power is too large."),
        ("a\n{{ [1] * 9999999 }}", 2, 1, "The repetition is too long."),
        ("a\n{{ 1 + 'x' }}", 2, None, "Unsupported operand type"),
        ("a\n{{ var('x') }}", 2, 9, "There is no variable 'x'."),
        ("a\n{{ env_var('X') }}", 2, 13, "The environment variable 'X' is not set."),
        ("a\n{{ env_var(5) }}", 2, 1, "Expected string"),
        ("a\n{{ ref(x=1) if false }}", 2, 4, "ref() takes names"),
        ("{% set f = ref %}\n{{ f('a', 'a', 'a') }}", 2, None, ""),
        ("{% set f = var %}\n{{ f(a=1, a=2) }}", 0, None, "Keyword argument repeated"),
    ],
)
def test_an_error_says_where(text, line, column, message):
    error = refusal(text)
    assert message in error.message
    assert str(error.where) == (f"{FILE}:{line}" if line else FILE)
    assert error.hint
    if column is not None:
        assert error.snippet.splitlines()[1] == " " * (8 + column - 1) + "^"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{{ reff('a') }}", "Did you mean 'ref'?"),
        ("{% set columns = [1] %}{{ colums }}", "Did you mean 'columns'?"),
        ("{{ var('strat') }}", "Did you mean 'start'?"),
        ("{{ ref(readings) }}", "Write ref('readings')."),
        ("{{ ref(reff) }}", "Write ref('reff')."),
        ("{{ source(shop, 'orders') }}", "Write source('shop', 'orders')."),
        ("{{ source(shop, orders) }}", "Write source('shop', 'orders')."),
        ("{{ var(begin, 5) }}", "Write var('begin', 5)."),
        ("{% set name = 'a' %}{{ ref(nane) }}", "Did you mean 'name'?"),
        ("{{ execute }}", "Read a variable of project.yml with var('execute')."),
        (
            "{{ zzz_nothing() }}",
            "Available: ref, source, config, var, env_var, is_incremental, this, target, and the macros below macros/.",
        ),
        ("{{ 'x' | uper }}", "Did you mean 'upper'?"),
        ("{{ env_var('API_TOKEN') }}", "Use secrets in profiles.yml only."),
    ],
)
def test_a_hint_leads_on(text, hint):
    assert refusal(text).hint == hint


SECRETS = (
    "PASSWORD db_passwd API_KEY apikey AWS_SECRET_ACCESS_KEY AccessKeyId MyToken FF_PG_DSN PGPASS DB_PASS SMTP_PWD"
)
SECRETS += " BASIC_AUTH AUTHORIZATION BEARER SESSION_COOKIE session_id HASH_SALT SLACK_WEBHOOK DATABASE_URL JDBCURL"
SECRETS += " DB_URI CONN_STR CONNECTION KEY SIGNING_KEY KEY_ID ssh_keys GITHUB_PAT PAT_GITLAB"


@pytest.mark.parametrize("name", SECRETS.split())
def test_secrets_cannot_be_read(name):
    with pytest.raises(TemplateError, match="looks like a secret") as caught:
        render(f"{{{{ env_var('{name}') }}}}", environment={name: "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_names_set_only_inside_a_block_are_known_but_may_be_undefined_where_they_are_used():
    text = "{% for x in [1] %}{% endfor %}\n{{ x }}"
    jinja_facts(text, FILE)
    assert str(refusal(text).where) == f"{FILE}:2"


@pytest.mark.parametrize(
    "text", ["{{ " + "(" * 5000 + ")" * 5000 + " }}", "{{ " + "-" * 20_000 + "1 }}", "{{ 1" + "+1" * 20_000 + " }}"]
)
def test_deep_expressions_are_refused(text):
    assert str(refusal(text).where).startswith(FILE)


def test_reading_evaluates_nothing():
    text = "{{ config(owner=10 ** 10 ** 10) }}"
    with pytest.raises(TemplateError, match="literal"):
        jinja_facts(text, FILE)
    jinja_facts("{{ 'x' * 10 ** 10 }}{{ 'a' | center(10 ** 10) }}{{ range(10 ** 9) | list }}", FILE)


def test_nothing_is_kept_between_renderings():
    assert render("{% set x = 1 %}{% macro ref(a) %}mine{% endmacro %}{{ ref('a') }}") == "mine"
    assert render("{{ ref('a') }}{{ x is defined }}") == "<a>False"


def test_light_models_never_import_jinja():
    code = (
        "import sys; from flowforge_project.scan import scan_model; from flowforge_project.folder import ProjectFile;"
        "scan_model(ProjectFile('', 'models/a.ff.sql'), b\"select 1 from {{ ref('a') }}\");"
        "print([m for m in ('jinja2', 'yaml', 'pydantic') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


OTHERS = "REGION TARGET_SCHEMA START_DATE MONKEY_COUNT PASSENGERS AUTHORS HOURLY SECURITY_LEVEL DATA_PATH KEYBOARD"


@pytest.mark.parametrize("name", OTHERS.split())
def test_other_names_can(name):
    assert render(f"{{{{ env_var('{name}') }}}}", environment={name: "x"}) == "x"


@pytest.mark.parametrize(
    "name", ["db_password", "PWD", "client_secret", "api_key", "access_token", "token", "auth_token"]
)
def test_a_variable_cannot_hold_a_secret(name):
    with pytest.raises(TemplateError, match="looks like a secret") as caught:
        render(f"{{{{ var('{name}', 'x') }}}}", variables={name: "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["session_gap", "max_tokens", "token_count", "sort_key", "url", "passengers"])
def test_a_variable_is_named_as_its_project_likes(name):
    assert render(f"{{{{ var('{name}') }}}}", variables={name: "x"}) == "x"
