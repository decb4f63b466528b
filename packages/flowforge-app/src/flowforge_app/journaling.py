"""Takes down in a journal what a command does, and hands every event on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter

from flowforge_app.cancelled import was_cancelled
from flowforge_domain.errors import FlowForgeError
from flowforge_domain.holder import Holder
from flowforge_domain.journal import (
    FAILED,
    INTERRUPTED,
    NO_OPTIONS,
    OK,
    Entry,
    RunOptions,
    RunRecord,
    began_entry,
    check_entry,
    end_entry,
    journal_name,
    plan_entry,
    result_entry,
    start_entry,
    told,
)
from flowforge_domain.results import CheckResult, ModelResult, RunReport, SeedResult
from flowforge_ports.journal import Journals, JournalWriter
from flowforge_ports.progress import ChecksStarted, Event, ModelStarted, Notice, Progress, RunStarted, SeedStarted


@dataclass
class Journaling:
    """A `Progress` that keeps a journal from the first event on; a command that does nothing leaves none."""

    journals: Journals
    holder: Holder
    command: str
    progress: Progress
    options: RunOptions = NO_OPTIONS
    engine: str = ""
    entries: list[Entry] = field(default_factory=list)
    _writer: JournalWriter | None = None
    _report: RunReport = field(default_factory=lambda: RunReport(""))
    _checks_ok: bool = True
    _began: float = field(default_factory=perf_counter)

    def __call__(self, event: Event) -> None:
        """Take note of one event and hand it on."""
        match event:
            case RunStarted():
                self._note(plan_entry(event.engine, event.target, event.models, event.tests))
            case ChecksStarted():
                self._note(plan_entry(event.engine, event.target, (), event.tests))
            case ModelStarted() | SeedStarted():
                self._note(began_entry(event.name, self._now()))
            case ModelResult() | SeedResult():
                self._note(result_entry(event, self._now()))
            case CheckResult():
                self._note(check_entry(event, self._now()))
                self._checks_ok = self._checks_ok and event.ok
            case RunReport():
                self._report = event
        self.progress(event)

    def end(self, error: BaseException | None) -> RunRecord | None:
        """Close the journal of a command that ended with `error`, or well, and return its record, if it has one."""
        if not self.entries:
            return None
        said = _message(error) or "\n".join(str(failed) for failed in self._report.errors)
        # The time that the run told its user, which begins when it holds its target, unless it did not get so far.
        seconds = round(self._report.seconds, 6) if error is None and self._report.run_id else self._now()
        self._note(end_entry(self._status(error), seconds, said))
        if self._writer is not None:
            with suppress(OSError):
                self._writer.close()
        return told(journal_name(self.holder), self.entries, goes_on=False)

    def _status(self, error: BaseException | None) -> str:
        if isinstance(error, KeyboardInterrupt) or was_cancelled(error):
            return INTERRUPTED
        return OK if error is None and self._report.ok and self._checks_ok else FAILED

    def _now(self) -> float:
        return round(perf_counter() - self._began, 6)

    def _note(self, entry: Entry) -> None:
        if not self.entries:
            self._begin()
        self.entries.append(entry)
        self._write(entry)

    def _begin(self) -> None:
        first = start_entry(self.holder, self.command, self.options, self.engine)
        self.entries.append(first)
        try:
            self._writer = self.journals.begin(journal_name(self.holder))
        except OSError as error:
            self._give_up(error)
        self._write(first)

    def _write(self, entry: Entry) -> None:
        if self._writer is not None:
            try:
                self._writer.write(entry)
            except OSError as error:
                self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """Go on without a journal: it is not worth a run."""
        self._writer = None
        self.progress(Notice(f"The journal of this run cannot be written: {error.strerror}."))


def _message(error: BaseException | None) -> str:
    if isinstance(error, FlowForgeError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted by Ctrl-C, or by a signal to end."
    return type(error).__name__ if error is not None else ""
