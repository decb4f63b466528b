"""Past runs, as their journals tell of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from flowforge_domain.errors import ConfigError, FlowForgeError
from flowforge_domain.journal import OK, RUNNING, RunRecord, told
from flowforge_domain.manifest import Manifest
from flowforge_domain.results import Status, Verdict
from flowforge_domain.selectable import SelectionContext
from flowforge_domain.selection import EVERYTHING, Selection
from flowforge_domain.text import did_you_mean
from flowforge_ports.journal import Journals

# Journals to look into for times: each costs some milliseconds for a thousand models.
_TIMED = 3
_START = "Start one with: flowforge run"
_BUILDING = ("run", "build")
_DONE = (Status.BUILT.value, Status.UNCHANGED.value)
_STOPPING = (Verdict.FAILED.value, Verdict.ERROR.value)
_MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class History:
    """The runs of a project, the newest first, and what could not be read."""

    runs: list[RunRecord] = field(default_factory=list)
    faults: list[FlowForgeError] = field(default_factory=list)


def require_no_selection(wanted: Selection) -> None:
    """Raise `ConfigError` for a selection beside `--resume`."""
    if wanted != EVERYTHING:
        message = "--resume builds what the last run was to build; it goes with no selection."
        raise ConfigError(message, hint="Drop --resume, or --select and --exclude.")


def left_of(last: RunRecord, manifest: Manifest) -> Selection:
    """Return the models of a run, of which a run builds what is not proved unchanged; those that are gone left out.

    A journal that was torn before it named any means everything. Raises `ConfigError` when nothing is left to do.
    """
    seeds = {name for name, model in last.models.items() if model.materialized == "seed" or name in manifest.seeds}
    models = [name for name in last.models if name not in seeds]
    if seeds.intersection(_undone(last)) or (last.models and not models):
        raise ConfigError(
            f"Run {last.run} did not come to its models.", hint=f"Start it again: flowforge {last.command}"
        )
    if last.command == "build" and _undone(last) and any(check.status in _STOPPING for check in last.checks):
        message = f"Tests of run {last.run}, a build, failed and stopped what depends on them."
        raise ConfigError(message, hint="Build again, which leaves what is proved unchanged: flowforge build")
    if models and not _undone(last) and not last.error and last.checks:
        message = f"There is nothing left to resume: all models of run {last.run} were built; tests failed."
        raise ConfigError(message, hint="Run the tests again: flowforge test")
    known = tuple(name for name in models if name in manifest.nodes)
    undone = _undone(last)
    if models and not (set(known) & set(undone) if undone else known):
        gone = gone_from(last, manifest) or f"the models of run {last.run} are gone."
        raise ConfigError(f"There is nothing left to resume: {gone}", hint="Build what is there: flowforge run")
    return Selection(known)


def gone_from(last: RunRecord, manifest: Manifest) -> str:
    """Say which models that a run left undone are gone from the project; "" where none is."""
    gone = [repr(name) for name in _undone(last) if name not in manifest.nodes and name not in manifest.seeds]
    if not gone:
        return ""
    named = ", ".join(gone[:_MOST_NAMES]) + ", …" * (len(gone) > _MOST_NAMES)
    return f"{named}, which run {last.run} left undone, {'is' if len(gone) == 1 else 'are'} gone."


def done_by(last: RunRecord) -> frozenset[str]:
    """Return the names of the models that a run came to the end of."""
    return frozenset(name for name, model in last.models.items() if model.status in _DONE)


def _undone(last: RunRecord) -> list[str]:
    return [name for name, model in last.models.items() if model.status not in _DONE]


@dataclass(frozen=True)
class PastRuns:
    """Finds runs in the journals of a project."""

    journals: Journals

    def all(self) -> History:
        """Return every run."""
        history = History()
        for name in self.journals.names():
            try:
                history.runs.append(self._told(name))
            except FlowForgeError as error:
                history.faults.append(error)
        return history

    def seconds(self) -> dict[str, float]:
        """Return how long models took when they were built last, as far as the newest journals tell."""
        found: dict[str, float] = {}
        for record in islice((run for run in self._readable() if run.command in _BUILDING), _TIMED):
            built = (model for model in record.models.values() if model.status == Status.BUILT.value)
            found = {model.name: model.seconds for model in built} | found
        return found

    def ended(self, profile: str, engine: str) -> SelectionContext | None:
        """Return how models ended in the last run of a profile that built any, and tests in the last that had some.

        None where no journal tells of either.
        """
        last = built = tested = None
        for run in self._readable():
            last = last or (run if run.command in _BUILDING or run.checks else None)
            if run.options.env == profile and run.engine in ("", engine):
                built = built or (run if run.command in _BUILDING else None)
                tested = tested or (run if run.checks else None)
                if built and tested:
                    break
        if last is None:
            return None
        first = built or tested
        if first is None:
            elsewhere = f"the last one, {last.run}, was on {last.options.env!r}"
            return SelectionContext(ran=f"No run on profile {profile!r} is known; {elsewhere}.")
        of_tests = f", and of tests {tested.run}" if tested and tested is not first else ""
        return SelectionContext(
            results={model.name: model.status for model in built.models.values()} if built else {},
            verdicts=frozenset((check.name, check.status) for check in tested.checks) if tested else frozenset(),
            ran=f"The last run on profile {profile!r}, {first.run}{of_tests},",
        )

    def _readable(self) -> Iterator[RunRecord]:
        for name in self.journals.names():
            with suppress(FlowForgeError):
                yield self._told(name)

    def one(self, run: str) -> RunRecord:
        """Return the run whose id begins so; raise `ConfigError` with the nearest one."""
        ids = {name.rpartition("-")[2]: name for name in self.journals.names()}
        found = [name for known, name in ids.items() if run and known.startswith(run)]
        if len(found) == 1:
            return self._told(found[0])
        if found:
            raise ConfigError(f"{len(found)} runs begin with {run!r}.", hint="Give more of the id: flowforge runs list")
        raise ConfigError(f"There is no run {run!r}.", hint=did_you_mean(run, ids) or _START)

    def to_resume(self) -> RunRecord:
        """Return the last run, which did not end well; raise `ConfigError` when it did, or still goes on."""
        last = next((r for r in map(self._told, self.journals.names()) if r.command in ("", *_BUILDING)), None)
        if last is None or last.status == OK:
            ended = f"The last run, {last.run}, ended well." if last else "Nothing was run yet."
            raise ConfigError(f"There is nothing to resume. {ended}", hint=_START)
        if last.status == RUNNING:
            raise ConfigError(f"Run {last.run} still goes on, in process {last.pid}.", hint="Wait for it to end.")
        return last

    def _told(self, name: str) -> RunRecord:
        journal = self.journals.read(name)
        return told(name, journal.entries, journal.goes_on)
