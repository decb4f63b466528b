"""Colour and a line that moves: on a terminal only, and not against the user's will."""

from __future__ import annotations

import re

import pytest

ESCAPE = "\x1b["
ERASE = "\r\x1b[2K"
GREEN = "\x1b[32m"


def visible(written):
    """Return what is left on the screen: what was drawn over is gone, and colours are not text."""
    lines = [line.split(ERASE)[-1] for line in written.replace("\r\n", "\n").split("\n")]
    return re.sub(r"\x1b\[\d*m", "", "\n".join(lines))


def test_no_colour_off_a_terminal(process, shop):
    for command in (("run", "shop"), ("test", "shop"), ("show", "orders", "shop"), ("debug", "shop")):
        answer = process(*command)
        assert ESCAPE not in answer.stdout + answer.stderr


def test_colour_and_a_progress_line_on_one(terminal, shop):
    answer = terminal("run", shop, "--no-cache")
    assert answer.code == 0
    assert f"{GREEN}✓" in answer.out
    assert f"{ERASE}… 2/3 orders" in answer.out


def test_nothing_of_the_progress_line_is_left(terminal, shop):
    assert "…" not in visible(terminal("run", shop).out)


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_who_wants_none_gets_none(terminal, shop, environment):
    assert ESCAPE not in terminal("run", shop, **environment).out


def test_no_progress_when_quiet(terminal, shop):
    assert terminal("run", shop, "--quiet").out == ""


def test_json_is_never_coloured(terminal, shop):
    assert ESCAPE not in terminal("run", shop, "--log-format", "json").out


def test_prints_and_warnings_of_a_model_stand_on_lines_of_their_own(terminal, shop):
    code = (
        "import warnings\nfrom flowforge import model\nfrom flowforge_testkit.sqlite.frames import Frame\n"
        "@model()\ndef p():\n    print('hello')\n    warnings.warn('careful')\n    return Frame(('n',), [])\n"
    )
    (shop / "models" / "p.ff.py").write_text(code)
    lines = visible(terminal("run", shop, "--select", "p").out).splitlines()
    assert "hello" in lines
    assert any(line.endswith("UserWarning: careful") for line in lines)


def test_errors_are_red(terminal, shop):
    assert "\x1b[31m✗" in terminal("run", shop, "--env", "nope").out


def test_wide_tables_fold_on_a_terminal_and_not_in_a_pipe(terminal, process, shop):
    (shop / "models" / "wide.ff.sql").write_text(f"select '{'x' * 200}' as a, 1 as b")
    process("run", shop, "--select", "wide")
    assert max(map(len, visible(terminal("show", "wide", shop).out).splitlines())) <= 100
    assert "x" * 200 in process("show", "wide", shop).stdout
