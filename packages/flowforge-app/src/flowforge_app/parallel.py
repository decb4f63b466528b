"""Work through a graph with several workers: whatever is ready is taken, with no barrier between levels."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from threading import Condition, Thread

_PATIENCE = 0.05


@dataclass(frozen=True, slots=True)
class Worker:
    """Does what one name stands for; `interrupt` cancels that from another thread."""

    work: Callable[[str], None]
    interrupt: Callable[[], None]


def work_through(waits_for: Mapping[str, Collection[str]], workers: Sequence[Worker]) -> None:
    """Have every name worked on once, after all the names that it waits for; of those ready, the first given is first.

    The first worker works in this thread. When one raises, or Ctrl-C is pressed, no more is begun, the others are
    interrupted, and once they have ended the first error is raised.
    """
    agenda = _Agenda(waits_for)
    others = [Thread(target=_work, args=(agenda, worker, workers), daemon=True) for worker in workers[1:]]
    for thread in others:
        thread.start()
    _work(agenda, workers[0], workers)
    while any(thread.is_alive() for thread in others):
        # Again and again: one that was between two statements is not hit by the first time.
        if agenda.error is not None:
            _interrupt(workers[1:])
        for thread in others:
            thread.join(_PATIENCE)
    if agenda.error is not None:
        raise agenda.error


def _work(agenda: _Agenda, worker: Worker, workers: Sequence[Worker]) -> None:
    try:
        while (name := agenda.take()) is not None:
            worker.work(name)
            agenda.done(name)
    except BaseException as error:  # noqa: BLE001 - raised again in the thread that asked
        agenda.stop(error)
        _interrupt([other for other in workers if other is not worker])


def _interrupt(workers: Sequence[Worker]) -> None:
    for worker in workers:
        worker.interrupt()


@dataclass
class _Agenda:
    """What is left to do; may be asked from any thread."""

    waits_for: Mapping[str, Collection[str]]
    error: BaseException | None = None
    _changed: Condition = field(default_factory=Condition)

    def __post_init__(self) -> None:
        self._names = list(self.waits_for)
        self._left = len(self._names)
        self._open = {name: len(set(before)) for name, before in self.waits_for.items()}
        self._after: dict[str, list[int]] = {name: [] for name in self._names}
        for place, name in enumerate(self._names):
            for before in set(self.waits_for[name]):
                self._after[before].append(place)
        self._ready = [place for place, name in enumerate(self._names) if not self._open[name]]
        heapify(self._ready)

    def take(self) -> str | None:
        """Return the next name as soon as one is ready, None when there is nothing left or somebody failed."""
        with self._changed:
            while not self._ready and self._left and self.error is None:
                self._changed.wait()
            if self.error is not None or not self._ready:
                return None
            return self._names[heappop(self._ready)]

    def done(self, name: str) -> None:
        with self._changed:
            self._left -= 1
            for place in self._after[name]:
                waiting = self._names[place]
                self._open[waiting] -= 1
                if not self._open[waiting]:
                    heappush(self._ready, place)
            # Who calls takes one itself; at the end everybody is let go.
            self._changed.notify(len(self._ready) - 1 if self._left else len(self._names))

    def stop(self, error: BaseException) -> None:
        with self._changed:
            self.error = self.error or error
            self._changed.notify_all()
