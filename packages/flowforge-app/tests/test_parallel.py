"""Working through a graph with several workers: order, no barrier, and how one worker's error ends them all."""

from __future__ import annotations

import _thread
import threading
from threading import Barrier, Event, Lock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_app.parallel import Worker, work_through

PATIENCE = 30


class Log:
    """Takes note of what began and what ended, in order."""

    def __init__(self):
        self.lines = []
        self._turn = Lock()

    def __call__(self, *line):
        with self._turn:
            self.lines.append(line)

    def work(self, name):
        self("began", name)
        self("ended", name)


def workers(work, count, interrupt=lambda: None):
    def work_on(names):
        for name in names:
            work(name)

    return [Worker(work_on, interrupt) for _ in range(count)]


@st.composite
def graphs(draw):
    """Names that wait for earlier ones only."""
    count = draw(st.integers(0, 15))
    before = [draw(st.sets(st.integers(0, place - 1), max_size=3)) if place else set() for place in range(count)]
    return {f"n{place}": {f"n{b}" for b in found} for place, found in enumerate(before)}


@given(graphs(), st.integers(1, 5))
def test_every_name_is_worked_on_once_and_after_all_it_waits_for(graph, count):
    log = Log()
    work_through(graph, workers(log.work, count))
    assert sorted(name for what, name in log.lines if what == "began") == sorted(graph)
    for name, before in graph.items():
        began = log.lines.index(("began", name))
        assert all(log.lines.index(("ended", b)) < began for b in before)


@given(graphs())
def test_one_worker_takes_the_first_given_of_those_ready(graph):
    log = Log()
    work_through(graph, workers(log.work, 1))
    assert [name for what, name in log.lines if what == "began"] == list(graph)


def test_the_first_worker_works_in_the_thread_that_asked():
    threads = []
    work_through({"a": set()}, workers(lambda _: threads.append(threading.current_thread()), 1))
    assert threads == [threading.current_thread()]


def test_as_many_work_at_once_as_there_are_workers():
    meet = Barrier(3)
    work_through({"a": set(), "b": set(), "c": set()}, workers(lambda _: meet.wait(PATIENCE), 3))


def test_a_slow_name_holds_up_only_what_waits_for_it():
    fast_done = Event()

    def work(name):
        if name == "slow":
            assert fast_done.wait(PATIENCE)
        if name == "fast3":
            fast_done.set()

    work_through({"slow": set(), "fast1": set(), "fast2": {"fast1"}, "fast3": {"fast2"}}, workers(work, 2))


@pytest.mark.parametrize("failing", ["a", "b"])
def test_an_error_interrupts_the_others_and_is_raised_once_they_have_ended(failing):
    meet, interrupted, log = Barrier(2), Event(), Log()

    def work(name):
        meet.wait(PATIENCE)
        if name == failing:
            raise KeyboardInterrupt(name)
        assert interrupted.wait(PATIENCE)
        log("ended", name)

    graph = {"a": set(), "b": set(), "c": {"a"}, "d": {"b"}}
    with pytest.raises(KeyboardInterrupt, match=failing):
        work_through(graph, workers(work, 2, interrupted.set))
    (other,) = {"a", "b"} - {failing}
    assert log.lines == [("ended", other)]


def test_an_error_of_who_was_interrupted_does_not_hide_the_first():
    meet, interrupted = Barrier(2), Event()

    def work(name):
        meet.wait(PATIENCE)
        if name == "a":
            raise LookupError("the first")
        interrupted.wait(PATIENCE)
        raise RuntimeError("interrupted")

    with pytest.raises(LookupError, match="the first"):
        work_through({"a": set(), "b": set()}, workers(work, 2, interrupted.set))


def test_a_failure_lets_workers_go_that_wait_for_more():
    def work(_):
        raise LookupError("failed")

    with pytest.raises(LookupError):
        work_through({"a": set(), "b": {"a"}}, workers(work, 3))


@given(graphs(), st.integers(1, 5), st.data())
def test_names_worked_on_together_are_ready_together_and_leave_some_to_the_others(graph, count, data):
    light = data.draw(st.sets(st.sampled_from(sorted(graph)))) if graph else set()
    done, turns, turn = set(), [], Lock()

    def work(names):
        with turn:
            assert all(graph[name] <= done for name in names)
            ready = [name for name, before in graph.items() if before <= done]
            turns.append((names, len(ready)))
            done.update(names)

    work_through(graph, [Worker(work, lambda: None)] * count, together=light.__contains__)
    assert sorted(name for names, _ in turns for name in names) == sorted(graph)
    for names, ready in turns:
        assert len(names) == 1 or (set(names) <= light and len(names) <= min(16, ready // count))


def test_one_worker_takes_sixteen_in_one_go_at_most():
    turns = []
    work_through({f"n{i}": set() for i in range(40)}, [Worker(turns.append, lambda: None)], together=bool)
    assert [len(names) for names in turns] == [16, 16, 8]


@given(graphs(), st.integers(1, 4), st.data())
def test_names_of_here_are_worked_on_in_the_thread_that_asked_and_no_other(graph, count, data):
    here = data.draw(st.sets(st.sampled_from(sorted(graph)))) if graph else set()
    threads = {}
    work_through(graph, workers(lambda name: threads.update({name: threading.current_thread()}), count), here)
    assert set(threads) == set(graph)
    assert {threads[name] for name in here} <= {threading.current_thread()}


def test_names_of_here_come_first():
    began = []
    work_through({"a": set(), "b": set(), "c": set()}, workers(began.append, 1), {"c"})
    assert began == ["c", "a", "b"]


@pytest.mark.parametrize("attempt", range(10))
def test_ctrl_c_at_any_time_is_raised_once_nobody_works_any_more(attempt):
    log, interrupted = Log(), Event()

    def work(name):
        if threading.current_thread() is not threading.main_thread():
            log("began", name)
            _thread.interrupt_main()
            assert interrupted.wait(PATIENCE)
            log("ended", name)

    names = {f"n{i}": set() for i in range(50)}
    with pytest.raises(KeyboardInterrupt):
        work_through(names | {"last": set(names)}, workers(work, 4, interrupted.set))
    assert [what for what, _ in log.lines].count("began") == [what for what, _ in log.lines].count("ended") > 0
