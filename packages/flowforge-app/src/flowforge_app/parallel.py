"""Work through a graph with several workers: whatever is ready is taken, with no barrier between levels."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from heapq import heappop, heappush
from threading import Condition, Thread

_PATIENCE = 0.05


@dataclass(frozen=True, slots=True)
class Worker:
    """Does what one name stands for; `interrupt` cancels that from another thread."""

    work: Callable[[str], None]
    interrupt: Callable[[], None]


def work_through(waits_for: Mapping[str, Set[str]], workers: Sequence[Worker], here: Collection[str] = ()) -> None:
    """Have every name worked on once, after all the names that it waits for; of those ready, the first given is first.

    The first worker works in this thread, and it alone does the names of `here`, which it prefers. When one raises, or
    Ctrl-C is pressed, no more is begun, the others are interrupted, and once they have ended the first error is raised.
    """
    agenda = _Agenda(waits_for, here)
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
        while (name := agenda.take(first)) is not None:
            worker.work(name)
            agenda.done(name)
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

    def take(self, first: bool) -> str | None:
        """Return the next name as soon as one is ready, None when there is nothing left or somebody failed."""
        with self._changed:
            while self._left and self.error is None:
                for ready in self._ready if first else self._ready[1:]:
                    if ready:
                        return self._names[heappop(ready)]
                self._changed.wait()
        return None

    def done(self, name: str) -> None:
        with self._changed:
            self._left -= 1
            for place in self._after[name]:
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

    def _add(self, place: int) -> None:
        heappush(self._ready[self._names[place] not in self.here], place)
