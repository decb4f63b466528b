"""R7: what is small on disk and would fill the memory or take for ever is refused at once, and large projects load."""

from __future__ import annotations

import os

import pytest

# The limit is four times as high, so that it is FlowForge that refuses, and not the limit.
SECONDS, MEGABYTES = 5, 1024
PROFILE = "default: {engine: duckdb, duckdb: {path: a.duckdb, memory_limit: 256MB, threads: 1}}\n"
ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join(f'*{a}' for _ in range(9))}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
TEMPLATES = {
    "a range": "{{ range(10**9) | list | length }}",
    "a loop over a range": "{% for i in range(10**9) %}x{% endfor %}",
    "loops within loops": "{% for i in range(90000) %}{% for j in range(90000) %}{% endfor %}{% endfor %}",
    "padding": "{{ 'a' | center(10**10) }}",
    "padding by a format": "{{ '%09999999999d' % 1 }}",
    "padding by another format": "{{ '{:>9999999999}'.format(1) }}",
    "indentation": "{{ 'a' | indent(10**10) }}",
    "repetition": "{{ 'a' * 10**10 }}",
    "repetition of a list": "{{ [0] * 10**10 }}",
    "powers": "{{ 9**9**9**9 }}",
    "powers in small steps": "{% set n = namespace(x=9**99) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "batches": "{{ [1] | batch(10**10, 0) | list }}",
    "doubling": "{% set n = namespace(s='ab') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
    "doubling by a join": "{% set n = namespace(s='ab') %}{% for i in range(60) %}{% set n.s = [n.s, n.s] | join %}{% endfor %}",
    "doubling by a replacement": "{% set n = namespace(s='a') %}{% for i in range(60) %}{% set n.s = n.s.replace('a', 'aa') %}{% endfor %}",
    "a macro that calls itself": "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "10,000 brackets": "{{ " + "(" * 10_000 + "1" + ")" * 10_000 + " }}",
    "10,000 blocks": "{% if 1 %}" * 10_000 + "{% endif %}" * 10_000,
    "10,000 filters": "{{ 1" + "|abs" * 10_000 + " }}",
}


@pytest.fixture(scope="module")
def flowforge(flowforge):
    return flowforge.within(4 * MEGABYTES)


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "project.yml").write_text("name: shop\n")
    (tmp_path / "profiles.yml").write_text(PROFILE)
    return tmp_path


def refused(flowforge, shop, file, *arguments):
    ended = flowforge.run([*(arguments or ["compile"])], shop, seconds=2 * SECONDS)
    assert ended.code == 1, ended.said[-2000:]
    assert ended.seconds < SECONDS
    assert ended.peak < MEGABYTES
    assert file in ended.said
    assert len(ended.err.splitlines()) <= 15
    assert "Traceback" not in ended.said


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_a_template_that_grows_is_refused(template, flowforge, shop):
    (shop / "models" / "a.ff.sql").write_text(f"select 1 as a\n-- {template}\n")
    refused(flowforge, shop, "models/a.ff.sql:2")


@pytest.mark.parametrize("file", ["project.yml", "sources.yml", "profiles.yml", "models/more.yml"])
@pytest.mark.parametrize("text", [ALIASES, "a: " + "[" * 10_000, "a: " + "{a: " * 10_000, "- " * 10_000, "x" * 10**7])
def test_yaml_that_grows_is_refused(file, text, flowforge, shop):
    (shop / file).write_text(text)
    (shop / "models" / "a.ff.sql").write_text("select 1 as a\n")
    refused(flowforge, shop, file)


@pytest.mark.parametrize("text", ["(" * 10_000 + "1" + ")" * 10_000, "x = " + "-" * 10_000 + "1", "a." * 10_000 + "b"])
def test_python_that_is_nested_deeply_is_refused(text, flowforge, shop):
    head = "from flowforge import model\n@model()\ndef f():\n    return 1\n"
    (shop / "models" / "a.ff.py").write_text(head + text + "\n")
    refused(flowforge, shop, "models/a.ff.py", "run")


@pytest.mark.parametrize(
    "text",
    ["select " + "(" * 10_000 + "1" + ")" * 10_000 + " as a", "select " + "-" * 1 + "not " * 10_000 + "true as a"],
)
def test_sql_that_is_nested_deeply_is_refused(text, flowforge, shop):
    (shop / "models" / "a.ff.sql").write_text(text)
    refused(flowforge, shop, "models/a.ff.sql", "run")


def test_links_that_lead_in_circles_are_refused_or_passed_over(flowforge, shop):
    (shop / "models" / "a.ff.sql").write_text("select 1 as a\n")
    (shop / "models" / "self.ff.sql").symlink_to(shop / "models" / "self.ff.sql")
    refused(flowforge, shop, "models/self.ff.sql")
    (shop / "models" / "self.ff.sql").unlink()
    (shop / "models" / "round").symlink_to(shop / "models", target_is_directory=True)
    refused(flowforge, shop, "models/round")


def test_ten_thousand_models_load_within_ten_seconds(flowforge, shop):
    for number in range(10_000):
        before = f"{{{{ ref('m{number - 1}') }}}}" if number else "(select 1 as a)"
        (shop / "models" / f"m{number}.ff.sql").write_text(f"select * from {before}\n")
    ended = flowforge.run(["dag"], shop)
    assert ended.code == 0, ended.said
    assert ended.seconds < 10 * (1 + os.getloadavg()[0] / 2)
    assert ended.peak < MEGABYTES
