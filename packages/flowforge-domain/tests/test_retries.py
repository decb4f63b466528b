from __future__ import annotations

import pytest

from flowforge_domain.errors import EngineError, ErrorKind, FlowForgeError, ModelError
from flowforge_domain.retries import ONCE, Retries, kind_behind, may_pass, pause


def failure(kind):
    return EngineError("no", kind=kind)


def test_a_model_fails_for_the_reason_behind_it():
    error = ModelError("m", "no")
    error.__cause__ = failure(ErrorKind.TRANSIENT)
    assert kind_behind(error) is ErrorKind.TRANSIENT
    assert may_pass(error, 0, Retries())


@pytest.mark.parametrize("error", [None, FlowForgeError("no"), ValueError("no")])
def test_an_error_that_is_no_engines_has_no_kind(error):
    assert kind_behind(error) is None
    assert not may_pass(error, 0, Retries())


@pytest.mark.parametrize("kind", ErrorKind)
def test_only_what_passes_is_tried_again(kind):
    assert may_pass(failure(kind), 0, Retries()) is (kind is ErrorKind.TRANSIENT)


def test_a_target_that_was_there_may_be_starting_up():
    assert may_pass(failure(ErrorKind.UNREACHABLE), 1, Retries())


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_attempts_count_the_first_one(attempts):
    retries = Retries(attempts)
    tries = [again for again in range(10) if may_pass(failure(ErrorKind.TRANSIENT), again, retries)]
    assert len(tries) == attempts - 1


def test_once_is_once():
    assert not may_pass(failure(ErrorKind.TRANSIENT), 0, ONCE)


def test_pauses_double_up_to_a_minute():
    assert [pause(again, Retries(delay=2), 0.0) for again in range(7)] == [2, 4, 8, 16, 32, 60, 60]
    assert pause(10_000 // 10, Retries(delay=2), 0.0) == 60


@pytest.mark.parametrize(("random", "seconds"), [(0.0, 4), (0.5, 3), (1.0, 2)])
def test_up_to_half_of_a_pause_is_chance(random, seconds):
    assert pause(1, Retries(delay=2), random) == seconds
