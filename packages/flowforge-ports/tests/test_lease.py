"""A lease is taken by one, put off while it is held, and its loss is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event

import pytest

from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.holder import Claim, Holder
from flowforge_ports.lease import leased

HOLDER = Holder("3f2a", 12, "build-1", "2026-01-02T03:04:05.678+00:00")


@dataclass
class Record:
    """A lease in memory; what is in `failing` fails."""

    target: str = "the target"
    seconds: float = 30.0
    held: str = ""
    failing: tuple[str, ...] = ()
    renewed: Event = field(default_factory=Event)

    def take(self, holder):
        if self.held:
            return False
        self.held = holder
        return True

    def holder(self):
        return self.held

    def renew(self, holder):
        self.may_fail("renew")
        if self.held == holder:
            self.renewed.set()

    def free(self, holder):
        self.may_fail("free")
        kept, self.held = self.held == holder, "" if self.held == holder else self.held
        return kept

    def may_fail(self, what):
        if what in self.failing:
            self.failing = ()
            raise EngineError("The network is away.", kind=ErrorKind.TRANSIENT)


def held(lease, wait=0.0):
    return leased(lease, Claim(HOLDER, wait), "Wait for it.")


def test_it_is_held_in_the_block_alone():
    lease = Record()
    with held(lease):
        assert lease.held.startswith(f"{HOLDER} #")
    assert lease.held == ""


def test_it_is_given_back_where_the_block_fails():
    lease = Record()
    with pytest.raises(ZeroDivisionError), held(lease):
        raise ZeroDivisionError
    assert lease.held == ""


def test_who_waits_in_vain_is_told_who_has_it():
    lease = Record()
    with held(lease), pytest.raises(EngineError) as caught, held(lease):
        pytest.fail("two hold it")
    assert caught.value.kind is ErrorKind.CONFLICT
    assert caught.value.message.startswith(f"the target is in use by {HOLDER}; waited 0 s.")
    assert caught.value.hint == "Wait for it."


def test_it_is_waited_for():
    lease = Record(held="another")
    tries = iter([False, True])
    lease.take = lambda holder: next(tries) and not setattr(lease, "held", holder)
    with held(lease, wait=5):
        assert lease.held.startswith(str(HOLDER))


@pytest.mark.parametrize("failing", [(), ("renew",)])
def test_its_end_is_put_off_while_it_is_held(failing):
    lease = Record(seconds=0.03, failing=failing)
    with held(lease):
        assert lease.renewed.wait(20)


def test_one_that_was_lost_is_told_at_the_end_and_left():
    lease = Record()
    with pytest.raises(EngineError, match="was lost during the run") as caught, held(lease):
        lease.held = "another"
    assert (caught.value.kind, lease.held) == (ErrorKind.CONFLICT, "another")


def test_one_that_cannot_be_given_back_is_told_as_lost():
    with pytest.raises(EngineError, match="was lost during the run"), held(Record(failing=("free",))):
        pass


def test_the_error_of_the_block_counts_more_than_the_loss():
    lease = Record()
    with pytest.raises(ZeroDivisionError), held(lease):
        lease.held = "another"
        raise ZeroDivisionError
