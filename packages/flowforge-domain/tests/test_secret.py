"""A secret leaks through nothing that prints, formats, copies or serializes it."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pprint
import traceback
from string import Template

import pytest

from flowforge_domain.secret import Secret

CANARY = "hunter2-canary"


@dataclasses.dataclass
class Settings:
    password: Secret


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        ascii,
        format,
        lambda s: f"{s}",
        lambda s: f"{s!r}",
        lambda s: f"{s!s:>20}",
        lambda s: f"{s:>20}",
        lambda s: "%s" % s,  # noqa: UP031
        lambda s: "%r" % s,  # noqa: UP031
        lambda s: f"{s}",
        lambda s: Template("$s").substitute(s=s),
        lambda s: repr([s, {"k": s}, (s,)]),
        lambda s: pprint.pformat({"k": [s]}),
        lambda s: repr(Settings(s)),
        lambda s: str(dataclasses.replace(Settings(s))),
        lambda s: json.dumps({"k": s}, default=str),
        lambda s: json.dumps({"k": s}, default=repr),
        lambda s: str(ValueError(s)),
        lambda s: logging.makeLogRecord({"msg": "%s %r", "args": (s, s)}).getMessage(),
        lambda s: str(dir(s)),
        lambda s: str(type(s)),
    ],
)
def test_no_output_shows_it(show):
    assert CANARY not in show(Secret(CANARY))


@pytest.mark.parametrize(
    "take",
    [
        lambda s: s.__reduce__(),
        lambda s: s.__reduce_ex__(0),
        lambda s: s.__reduce_ex__(5),
        json.dumps,
        copy.copy,
        copy.deepcopy,
        vars,
        lambda s: dataclasses.asdict(Settings(s)),
        lambda s: "a" + s,
        lambda s: "".join([s]),  # noqa: FLY002
        iter,
        bytes,
        len,
        lambda s: s.text,
    ],
)
def test_no_copy_or_serialization_takes_it(take):
    with pytest.raises((TypeError, AttributeError)) as caught:
        take(Secret(CANARY))
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_traceback_with_locals_does_not_show_it():
    def fail(secret):
        held = {"secret": secret}
        raise RuntimeError(f"with {held}")

    with pytest.raises(RuntimeError) as caught:
        fail(Secret(CANARY))
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert CANARY not in "".join(shown.format())


def test_reveal_gives_it_back():
    assert Secret(CANARY).reveal() == CANARY


def test_width_pads_the_mask_not_the_text():
    assert f"{Secret(CANARY):>5}" == "  ***"


def test_equal_secrets_are_equal_and_no_text_is():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_hash_does_not_give_the_text_away():
    assert hash(Secret(CANARY)) != hash(CANARY)


def test_it_cannot_be_subclassed_around_its_slots():
    with pytest.raises(AttributeError):
        Secret(CANARY).other = 1
