"""Usage errors: typer would end with 2, which means failed data-quality tests here."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "--nope"), "No such option: --nope"),
        (("nope",), "No such command 'nope'"),
        (("show",), "Missing argument"),
        (("run", "a", "b"), "unexpected extra argument"),
        (("run", "--log-format", "xml"), "Invalid value for '--log-format': 'xml' is not one of 'text', 'json'"),
        (("show", "x", "--limit", "0"), "Invalid value for '--limit' / '-n': it must be greater than or equal to 1."),
        (("show", "x", "--limit", "many"), "Invalid value for '--limit' / '-n': it must be a whole number."),
        (("run", "--wait", "soon"), "Invalid value for '--wait': it must be a number."),
        (("run", "--env"), "--env"),
    ],
)
def test_they_end_with_one(flowforge, arguments, says):
    answer = flowforge(*arguments)
    assert answer.code == 1
    assert says in answer.err
    assert answer.out == ""
    assert answer.err.splitlines()[-1].startswith("See: flowforge ")


def test_the_help_that_is_named_exists(flowforge):
    named = flowforge("run", "--nope").err.splitlines()[-1].removeprefix("See: flowforge ")
    assert flowforge(*named.split()).code == 0
