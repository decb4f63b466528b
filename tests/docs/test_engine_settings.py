"""The guide's page of an engine names every setting that its profile has and no other, and each one's default."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flowforge_bootstrap.plugins import SHIPPED_ENGINES, load_plugins, resolve

PAGES = Path(__file__).parents[2] / "docs" / "guide" / "engines"
PLUGINS = load_plugins()
# A variant has the profile and the page of what it varies.
ENGINES = [name for name in SHIPPED_ENGINES if "+" not in name]


def page(engine):
    return (PAGES / f"{SHIPPED_ENGINES[engine]}.md").read_text("utf-8")


def rows(engine):
    """Return the rows of the page's table of settings: each setting with what its row says."""
    table = page(engine).partition("| setting | |\n| --- | --- |\n")[2].partition("\n\n")[0]
    cells = [re.split(r" \| ", line.strip("| "), maxsplit=1) for line in table.splitlines()]
    return {name: said for names, said in cells for name in re.findall(r"`(\w+)`", names)}


def settings(engine):
    """Return the fields below the engine's name in a profile."""
    profile = resolve(PLUGINS.engine(engine).profile)
    return profile.model_fields[engine].annotation.model_fields


@pytest.mark.parametrize("engine", ENGINES)
def test_the_page_names_the_settings_that_there_are(engine):
    assert sorted(rows(engine)) == sorted(settings(engine))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_page_tells_what_holds_where_a_setting_is_not_made(engine):
    told = rows(engine)
    for name, field in settings(engine).items():
        if isinstance(field.default, str | int | float) and not isinstance(field.default, bool):
            assert f"{field.default}" in told[name], name


@pytest.mark.parametrize("engine", ENGINES)
def test_the_page_names_the_variables_that_override_settings(engine):
    variables = PLUGINS.engine(engine).environment
    text = page(engine)
    each = re.search(r"`(FF_[A-Z]+_)\w+` and so on, one for each setting", text)
    known = {variable for variable, (_, name) in variables.items() if each and variable == f"{each[1]}{name.upper()}"}
    named = {name for name in re.findall(r"FF_[A-Z]+_[A-Z_]+", text) if not name.startswith("FF_TEST_")}
    assert named | known == set(variables)
