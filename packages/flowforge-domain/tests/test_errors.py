"""Errors: what, where, the line, one fix; in at most fifteen lines."""

from __future__ import annotations

import inspect
from asyncio import CancelledError
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_domain import errors
from flowforge_domain.errors import (
    DependencyNotFoundError,
    EngineError,
    ErrorKind,
    FlowForgeError,
    ModelCycleError,
    ModelError,
    RequiredColumnsError,
    TestFailure,
    TestFailureError,
    UnsupportedByEngineError,
    causes,
    ours_if_interrupted,
    told_as,
)
from flowforge_domain.text import Location


def test_error_reads_what_where_line_fix():
    error = FlowForgeError(
        "It is wrong.", where=Location("models/a.ff.sql", 3), snippet="    3 | selec\n        ^", hint="Write select."
    )
    assert str(error).splitlines() == [
        "models/a.ff.sql:3: It is wrong.",
        "    3 | selec",
        "        ^",
        "Write select.",
    ]
    assert error.message == "It is wrong."


def test_error_without_a_place_is_its_message():
    assert str(FlowForgeError("It is wrong.")) == "It is wrong."


LINES = st.lists(st.text(alphabet="ab", max_size=3), max_size=40).map("\n".join)


@given(LINES, LINES, LINES)
def test_message_has_at_most_fifteen_lines(message, snippet, hint):
    assert len(str(FlowForgeError(message, snippet=snippet, hint=hint)).splitlines()) <= 15


def test_shortened_message_says_how_much_is_left_out_and_keeps_the_fix():
    lines = str(FlowForgeError("\n".join(f"line {i}" for i in range(40)), hint="Fix it.")).splitlines()
    assert lines[:13] == [f"line {i}" for i in range(13)]
    assert lines[13:] == ["… 27 more lines", "Fix it."]


def test_every_error_is_one_the_user_can_fix():
    for name, thing in vars(errors).items():
        if inspect.isclass(thing) and issubclass(thing, Exception) and thing is not TestFailure:
            assert issubclass(thing, FlowForgeError), name
            assert thing.__doc__, name


def test_facts_are_attributes():
    assert DependencyNotFoundError({"a": ["b"]}).missing == {"a": ["b"]}
    assert ModelCycleError(["a", "b", "a"]).cycle == ["a", "b", "a"]
    assert TestFailureError(["x"]).failed == ["x"]
    assert ModelError("m", "broke").model == "m"
    assert RequiredColumnsError("no", {"t": ["c"]}).missing == {"t": ["c"]}
    assert isinstance(RequiredColumnsError("no", {}), ValueError)
    refused = UnsupportedByEngineError("sqlite", "views")
    assert (refused.engine, refused.capability) == ("sqlite", "views")
    failed = EngineError("no", kind=ErrorKind.SYNTAX, line=2, column=5)
    assert (failed.kind, failed.line, failed.column) == (ErrorKind.SYNTAX, 2, 5)


def test_dependencies_without_details_are_listed():
    assert "  a: b, c" in str(DependencyNotFoundError({"a": ["b", "c"]})).splitlines()


@pytest.mark.parametrize("name", ["TestFailure", "TestFailureError"])
def test_errors_named_test_are_none_to_pytest(name):
    assert getattr(errors, name).__test__ is False


def test_causes_end_where_errors_come_from_each_other():
    one, other = FlowForgeError("one"), FlowForgeError("other")
    one.__cause__, other.__cause__ = other, one
    assert list(causes(one)) == [one, other]
    one.__cause__ = one
    assert list(causes(one)) == [one]
    assert list(causes(None)) == []


@pytest.mark.parametrize(
    ("kind", "interrupted", "told"),
    [
        (ErrorKind.STOPPED, True, ErrorKind.CANCELLED),
        (ErrorKind.STOPPED, False, ErrorKind.STOPPED),
        (ErrorKind.DATA, True, ErrorKind.DATA),
    ],
)
def test_what_was_stopped_is_cancelled_by_us_only_where_we_interrupted(kind, interrupted, told):
    session = SimpleNamespace(interrupted=False)
    with pytest.raises(EngineError) as caught, ours_if_interrupted(session):
        # Amid the statement, as another thread does.
        session.interrupted = interrupted
        raise EngineError("ended", kind=kind)
    assert caught.value.kind is told


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(0), CancelledError(), StopIteration(), GeneratorExit()])
def test_whatever_a_users_code_raises_is_an_error_of_ours(error):
    with pytest.raises(FlowForgeError, match="ours") as caught, told_as(lambda _: FlowForgeError("ours")):
        raise error
    assert caught.value.__cause__ is error


def test_ctrl_c_in_a_users_code_stays_what_it_is():
    with pytest.raises(KeyboardInterrupt), told_as(lambda _: FlowForgeError("failed")):
        raise KeyboardInterrupt
