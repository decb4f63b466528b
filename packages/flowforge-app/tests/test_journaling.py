"""What a command leaves in the journal, whatever its end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowforge_app.journaling import Journaling
from flowforge_app.past_runs import PastRuns, gone_from, left_of, require_no_selection
from flowforge_domain.errors import ConfigError, EngineError, ErrorKind
from flowforge_domain.results import ModelResult, RunReport, SeedResult, Status
from flowforge_domain.selection import EVERYTHING, Selection
from flowforge_ports.progress import ModelStarted, Notice, RunStarted, SeedStarted
from flowforge_testkit.fakes import MemoryJournal, MemoryJournals, Recorder, claim, memory_project

STARTED = RunStarted("4f2a", ("a", "b"), "sqlite", "x.sqlite")
A = ModelResult("a", "a", "table", Status.BUILT, 0.5, 3)
B = ModelResult("b", "b", "table", Status.FAILED, error=ConfigError("wrong"))


class FullJournals(MemoryJournals):
    """A disk that is full, after some bytes or from the start."""

    def __init__(self, entries):
        super().__init__()
        self.left = entries

    def begin(self, name):
        self._take()
        MemoryJournals.begin(self, name)
        return self

    def write(self, entry):
        self._take()
        MemoryJournal(self, next(iter(self.content))).write(entry)

    def close(self):
        raise OSError(28, "No space left on device")

    def _take(self):
        if not self.left:
            raise OSError(28, "No space left on device")
        self.left -= 1

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)


def journaled(*events, error=None, journals=None, command="run", run="4f2a"):
    journals = journals if journals is not None else MemoryJournals()
    recorder = Recorder()
    journaling = Journaling(journals, claim(run=run).holder, command, recorder)
    for event in events:
        journaling(event)
    return journals, journaling.end(error), recorder.events


def test_a_run_is_told_again_from_its_journal():
    events = [STARTED, ModelStarted("a", 1, 2), A, ModelStarted("b", 2, 2), B, RunReport("4f2a", [A, B])]
    journals, record, heard = journaled(*events)
    assert heard == events
    assert (record.run, record.command, record.status) == ("4f2a", "run", "failed")
    assert PastRuns(journals).one("4f") == record


def test_a_command_that_does_nothing_leaves_nothing():
    journals, record, _ = journaled()
    assert (record, journals.names()) == (None, [])


def test_seeds_are_taken_down():
    _, record, _ = journaled(SeedStarted("s", 1, 1), SeedResult("s", "s", 3, 0.1), command="seed")
    assert (record.status, record.models["s"].rows) == ("ok", 3)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (KeyboardInterrupt(), "interrupted", "Interrupted by Ctrl-C, or by a signal to end."),
        (EngineError("stopped", kind=ErrorKind.CANCELLED), "interrupted", "stopped"),
        (EngineError("no space", kind=ErrorKind.SPACE), "failed", "no space"),
        (ZeroDivisionError(), "failed", "ZeroDivisionError"),
    ],
)
def test_how_it_ended(error, status, said):
    _, record, _ = journaled(STARTED, ModelStarted("a", 1, 2), error=error)
    assert record.status == status
    assert record.error == said
    assert [model.status for model in record.models.values()] == ["unfinished", "not run"]


def test_a_hook_that_fails_after_the_models_fails_the_run():
    _, record, _ = journaled(STARTED, A, RunReport("4f2a", [A], errors=(ConfigError("the hook is wrong"),)))
    assert (record.status, record.error) == ("failed", "the hook is wrong")


@pytest.mark.parametrize("entries", range(6))
def test_a_full_disk_costs_the_journal_and_not_the_run(entries):
    _, record, heard = journaled(STARTED, ModelStarted("a", 1, 2), A, journals=FullJournals(entries))
    assert [event for event in heard if isinstance(event, Notice)] == [
        Notice("The journal of this run cannot be written: No space left on device.")
    ]
    assert (record.status, record.models["a"].status) == ("ok", "built")


class TestPastRuns:
    def test_a_run_that_is_unknown(self):
        with pytest.raises(ConfigError, match=r"There is no run '9'.\nStart one"):
            PastRuns(MemoryJournals()).one("9")

    def test_two_that_begin_alike(self):
        journals, *_ = journaled(STARTED, run="4f2a")
        journaled(STARTED, run="4f2b", journals=journals)
        with pytest.raises(ConfigError, match="2 runs begin with '4f2'"):
            PastRuns(journals).one("4f2")

    def test_one_that_cannot_be_read_does_not_hide_the_others(self):
        journals, record, _ = journaled(STARTED)
        journals.begin("20991231T000000Z-9999").write({"event": "start", "format": 99})
        history = PastRuns(journals).all()
        assert history.runs == [record]
        assert ["format 99" in str(fault) for fault in history.faults] == [True]


class TestResuming:
    MANIFEST = memory_project({"a": "select 1 as n", "c": "select 1 as n"}).reader.manifest()

    def test_nothing_was_run(self):
        with pytest.raises(ConfigError, match=r"There is nothing to resume. Nothing was run yet.\nStart one"):
            PastRuns(MemoryJournals()).to_resume()

    def test_the_last_run_ended_well(self):
        journals, *_ = journaled(STARTED, B, error=KeyboardInterrupt(), run="1111")
        with pytest.raises(ConfigError, match="2222, ended well"):
            PastRuns(journaled(STARTED, A, journals=journals, run="2222")[0]).to_resume()

    def test_it_still_goes_on(self):
        journals = MemoryJournals()
        Journaling(journals, claim().holder, "run", Recorder())(STARTED)
        with pytest.raises(ConfigError, match="still goes on"):
            PastRuns(journals).to_resume()

    def left(self, journals):
        return left_of(PastRuns(journals).to_resume(), self.MANIFEST)

    def test_models_of_the_last_run_that_are_still_there(self):
        journals, *_ = journaled(STARTED, error=KeyboardInterrupt())
        assert self.left(journals) == Selection(("a",))
        assert gone_from(PastRuns(journals).to_resume(), self.MANIFEST) == "'b', which run 4f2a left undone, is gone."

    def test_only_what_was_built_is_still_there(self):
        with pytest.raises(ConfigError, match="nothing left to resume: 'b', which run 4f2a left undone, is gone"):
            self.left(journaled(STARTED, A, error=KeyboardInterrupt())[0])

    def test_all_was_built_and_a_hook_failed(self):
        ended = RunReport("4f2a", [A], errors=(ConfigError("the hook is wrong"),))
        events = [replace(STARTED, models=("a",)), A, ended]
        assert self.left(journaled(*events)[0]) == Selection(("a",))
        events = [replace(STARTED, models=("b",)), replace(A, name="b"), ended]
        with pytest.raises(ConfigError, match="nothing left to resume: the models of run 4f2a are gone"):
            self.left(journaled(*events)[0])

    def test_a_build_that_failed_at_its_seeds(self):
        events = [SeedStarted("s", 1, 1), SeedResult("s", "s", 3, 0.1)]
        with pytest.raises(ConfigError, match=r"did not come to its models.\nStart it again: flowforge build"):
            self.left(journaled(*events, command="build", error=KeyboardInterrupt())[0])

    def test_seeds_in_between_do_not_count(self):
        journals, *_ = journaled(STARTED, error=KeyboardInterrupt(), run="1111")
        journaled(SeedStarted("s", 1, 1), SeedResult("s", "s", 3, 0.1), command="seed", run="2222", journals=journals)
        assert self.left(journals) == Selection(("a",))

    def test_a_torn_journal_means_everything(self):
        journals, *_ = journaled(STARTED)
        (name,) = journals.names()
        for length in range(20):
            journals.content[name] = journals.content[name][:length]
            assert self.left(journals) == EVERYTHING

    def test_a_selection_beside_it_is_refused(self):
        require_no_selection(EVERYTHING)
        with pytest.raises(ConfigError, match="no selection"):
            require_no_selection(Selection(("a",)))
