"""What passes is tried again, through the use cases themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any
from uuid import uuid4

import pytest

from flowforge_app.attempts import Attempts, Patience
from flowforge_app.build_model import BuildModel
from flowforge_app.due_models import Skipping
from flowforge_app.load_seeds import LoadSeeds
from flowforge_app.run_models import RunModels
from flowforge_domain.capability import Capability
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.model import Seed
from flowforge_domain.results import Status
from flowforge_domain.retries import Retries
from flowforge_ports.engine import Session
from flowforge_ports.progress import Retried
from flowforge_testkit.fakes import Pauses, Recorder, claim
from flowforge_testkit.faults import FaultySession

NEVER = 10**9


@dataclass
class Failing:
    """Fails at the first statements that hold some text, each time with the next of its kinds."""

    text: str
    kinds: list[ErrorKind]
    after: bool = False
    at: int = NEVER
    made: list[str] = field(default_factory=list)

    def make(self, what: str, effect: Callable[[], Any]) -> Any:
        self.made.append(what)
        if self.text not in what or not self.kinds:
            return effect()
        if self.after:
            effect()
        raise EngineError(f"no {len(self.kinds)}", kind=self.kinds.pop(0))


def failing(world, text, kinds, after=False):
    faults = Failing(text, list(kinds), after)
    session: Session = FaultySession(world.engine.session, faults)  # type: ignore[arg-type]
    return replace(world.engine, session=session), faults


def run(world, engine, pauses):
    build = BuildModel(world.manifest, engine, world.compiler, world.project.reader, world.project.functions)
    given = (world.manifest, engine, build, world.recorder, world.clock, claim(run=uuid4().hex))
    return RunModels(*given, patience=pauses.patience(), skipping=Skipping(no_cache=True))()


TRANSIENT, UNREACHABLE = ErrorKind.TRANSIENT, ErrorKind.UNREACHABLE


class TestModels:
    def test_a_failure_that_passes_is_no_failure(self, world):
        engine, _ = failing(world.given({"a": "select 1 as n"}), "as n", [TRANSIENT, TRANSIENT])
        pauses = Pauses()
        report = run(world, engine, pauses)
        assert report.ok
        assert (report.results[0].retries, report.retries) == (2, 2)
        assert pauses.seconds == [1.0, 2.0]
        assert world.rows("select n from a") == [(1,)]
        assert world.state() == [("a", 1)]

    def test_it_is_announced(self, world):
        engine, _ = failing(world.given({"a": "select 1 as n"}), "as n", [TRANSIENT])
        run(world, engine, Pauses())
        [event] = [event for event in world.recorder.events if isinstance(event, Retried)]
        assert (event.what, event.again, event.seconds) == ("a", 1, 1.0)
        assert "no 1" in event.error.message

    @pytest.mark.parametrize("kind", [kind for kind in ErrorKind if kind not in {TRANSIENT, ErrorKind.CANCELLED}])
    def test_what_stays_is_tried_once(self, world, kind):
        engine, faults = failing(world.given({"a": "select 1 as n"}), "as n", [kind])
        pauses = Pauses()
        [result] = run(world, engine, pauses).results
        assert (result.status, result.retries, pauses.seconds) == (Status.FAILED, 0, [])
        assert sum("as n" in made for made in faults.made) == 1

    def test_a_server_that_starts_up_is_waited_for(self, world):
        engine, _ = failing(world.given({"a": "select 1 as n"}), "as n", [TRANSIENT, UNREACHABLE])
        assert run(world, engine, Pauses()).ok

    def test_the_project_says_how_often(self, world):
        world.given({"a": "select 1 as n"}, retries=Retries(attempts=2, delay=0.25))
        engine, _ = failing(world, "as n", [TRANSIENT, TRANSIENT])
        pauses = Pauses()
        [result] = run(world, engine, pauses).results
        assert (result.status, result.retries, pauses.seconds) == (Status.FAILED, 1, [0.25])

    def test_a_commit_that_was_made_is_not_made_again(self, world):
        world.given({"a": "select 1 as n"}).run()
        engine, faults = failing(world, "commit", [], after=True)
        run(world, engine, Pauses())
        commits = [i for i, made in enumerate(faults.made) if made == "commit"]
        model = next(i for i, made in enumerate(faults.made) if "as n" in made)
        assert commits[0] > model, "the first commit is the model's"
        engine, faults = failing(world, "commit", [TRANSIENT], after=True)
        [result] = run(world, engine, Pauses()).results
        assert (result.status, result.retries, result.rows) == (Status.BUILT, 1, 1)
        assert sum("as n" in made for made in faults.made) == 1
        assert world.state() == [("a", 1)]

    def test_a_commit_that_was_not_made_is_made_again(self, world):
        world.given({"a": "select 1 as n"}).run()
        engine, faults = failing(world, "commit", [TRANSIENT])
        assert run(world, engine, Pauses()).retries == 1
        assert sum("as n" in made for made in faults.made) == 2

    def test_the_closing_of_the_state_is_tried_again(self, world):
        engine, _ = failing(world.given({"a": "select 1 as n"}), "delete from", [TRANSIENT])
        assert run(world, engine, Pauses()).ok

    def test_an_engine_without_state_in_the_transaction_repeats_what_replaces(self, world):
        engine, _ = failing(world.given({"a": "select 1 as n"}), "as n", [TRANSIENT])
        engine = replace(engine, capabilities=engine.capabilities - {Capability.TRANSACTIONAL_STATE})
        assert run(world, engine, Pauses()).ok


class TestSeeds:
    def load(self, world, tmp_path, engine, pauses):
        path = tmp_path / "s.csv"
        path.write_text("id\n1\n")
        world.given({}, seeds=[Seed("s", "csv", path, "s", "seeds/s.csv")])
        return LoadSeeds(world.manifest, engine, world.recorder, claim(), patience=pauses.patience())()

    def test_a_failure_that_passes_is_no_failure(self, world, tmp_path):
        engine, _ = failing(world, "commit", [TRANSIENT])
        pauses = Pauses()
        report = self.load(world, tmp_path, engine, pauses)
        assert (report.retries, [r.rows for r in report.results], pauses.seconds) == (1, [1], [1.0])
        assert world.rows("select id from s") == [(1,)]

    def test_what_stays_is_raised(self, world, tmp_path):
        engine, _ = failing(world, "commit", [ErrorKind.SPACE])
        with pytest.raises(EngineError, match="no 1"):
            self.load(world, tmp_path, engine, Pauses())

    def test_what_does_not_pass_in_the_end_is_raised(self, world, tmp_path):
        engine, _ = failing(world, "commit", [TRANSIENT] * 4)
        with pytest.raises(EngineError, match="no 1"):
            self.load(world, tmp_path, engine, Pauses())


def test_a_pause_ends_when_the_run_is_stopped():
    """Stopped during its pause: the failure is told, and the work is not begun again."""
    stopped, tries = Event(), []

    def work():
        tries.append(1)
        raise EngineError("busy", kind=TRANSIENT)

    def stop(event, seconds):
        event.set()

    attempts = Attempts("m", Retries(), Recorder(), Patience(sleep=stop), stopped)
    with pytest.raises(EngineError, match="busy"):
        attempts(work)
    assert len(tries) == 1


def test_the_real_pause_returns_at_once_when_it_is_stopped():
    stopped = Event()
    stopped.set()
    assert Patience().sleep(stopped, 3600)
    assert 0 <= Patience().random() < 1
