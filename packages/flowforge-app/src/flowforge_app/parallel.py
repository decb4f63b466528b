"""Work through a graph with several workers: whatever is ready is taken, with no barrier between levels.

A worker may take several names in one go, where doing them together costs less than one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import chain
from threading import Condition, Thread

_PATIENCE = 0.05
_MOST_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Worker:
    """Does what names stand for; `interrupt` cancels that from another thread."""

    work: Callable[[Sequence[str]], None]
    interrupt: Callable[[], None]


def alone(_name: str) -> bool:
    """Tell of no name that it may be worked on together with others."""
    return False


def work_through(
    waits_for: Mapping[str, Set[str]],
    workers: Sequence[Worker],
    here: Collection[str] = (),
    together: Callable[[str], bool] = alone,
) -> None:
    """Have every name worked on once, after all the names that it waits for; of those ready, the first given is first.

    The first worker works in this thread, and it alone does the names of `here`, which it prefers. Of names of which
    `together` holds once they are ready, a worker gets several in one go if there are enough for all workers. When one
    raises, or Ctrl-C is pressed, no more is begun, the others are interrupted, and once they have ended the first error
    is raised.
    """
    agenda = _Agenda(waits_for, here, together, len(workers))
    others = [Thread(target=_work, args=(agenda, worker, workers), daemon=True) for worker in workers[1:]]
    try:
        for thread in others:
            thread.start()
        _work(agenda, workers[0], workers)
    except BaseException as error:  # noqa: BLE001 - raised again once the others have ended
        agenda.stop(error)
    _await_end(others, agenda, workers[1:])
    if agenda.error is not None:
        raise agenda.error


def _work(agenda: _Agenda, worker: Worker, workers: Sequence[Worker]) -> None:
    first = worker is workers[0]
    try:
        while names := agenda.take(first):
            worker.work(names)
            agenda.done(names)
    except BaseException as error:  # noqa: BLE001 - raised again in the thread that asked
        agenda.stop(error)
        _interrupt([other for other in workers if other is not worker])


def _await_end(threads: Sequence[Thread], agenda: _Agenda, workers: Sequence[Worker]) -> None:
    """Wait until nobody works any more, whatever happens: sessions must not be closed under those who use them."""
    while True:
        try:
            # One that Ctrl-C kept from starting is not alive; should it start yet, it finds nothing to take.
            alive = [thread for thread in threads if thread.is_alive()]
            if not alive:
                return
            # Again and again: one that was between two statements is not hit by the first time.
            if agenda.error is not None:
                _interrupt(workers)
            for thread in alive:
                thread.join(_PATIENCE)
        except KeyboardInterrupt as error:
            agenda.stop(error)


def _interrupt(workers: Sequence[Worker]) -> None:
    for worker in workers:
        worker.interrupt()


@dataclass
class _Agenda:
    """What is left to do; may be asked from any thread."""

    waits_for: Mapping[str, Set[str]]
    here: Collection[str]
    together: Callable[[str], bool]
    workers: int
    error: BaseException | None = None
    _changed: Condition = field(default_factory=Condition)

    def __post_init__(self) -> None:
        self._names = list(self.waits_for)
        self._left = len(self._names)
        self._open = [len(before) for before in self.waits_for.values()]
        self._after: dict[str, list[int]] = {name: [] for name in self._names}
        # Places of names, those of `here` and the others.
        self._ready: tuple[list[int], list[int]] = ([], [])
        for place, before in enumerate(self.waits_for.values()):
            for name in before:
                self._after[name].append(place)
            if not before:
                self._add(place)

    def take(self, first: bool) -> Sequence[str]:
        """Return what is next as soon as a name is ready, nothing when there is nothing left or somebody failed."""
        with self._changed:
            while self._left and self.error is None:
                for ready in self._ready if first else self._ready[1:]:
                    if ready:
                        return self._taken(ready)
                self._changed.wait()
        return ()

    def done(self, names: Sequence[str]) -> None:
        with self._changed:
            self._left -= len(names)
            for place in chain.from_iterable(self._after[name] for name in names):
                self._open[place] -= 1
                if not self._open[place]:
                    self._add(place)
            only, free = self._ready
            if only or len(free) > 1 or not self._left:
                self._changed.notify_all()

    def stop(self, error: BaseException) -> None:
        with self._changed:
            self.error = self.error or error
            self._changed.notify_all()

    def _taken(self, ready: list[int]) -> Sequence[str]:
        most = min(_MOST_AT_ONCE, len(ready) // self.workers)
        names = [self._names[heappop(ready)]]
        if self.together(names[0]):
            while len(names) < most and self.together(self._names[ready[0]]):
                names.append(self._names[heappop(ready)])
        return names

    def _add(self, place: int) -> None:
        heappush(self._ready[self._names[place] not in self.here], place)
