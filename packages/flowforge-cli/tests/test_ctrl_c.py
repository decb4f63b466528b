from __future__ import annotations

import os
import signal
from threading import Event, Thread

import pytest

from flowforge_cli.ctrl_c import on_ctrl_c
from flowforge_domain.errors import EngineError


def press_ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_cancel_is_called_from_another_thread(asked):
    cancelled = Event()
    with pytest.raises(KeyboardInterrupt), on_ctrl_c(cancelled.set):
        os.kill(os.getpid(), asked)
        cancelled.wait(10)
    assert cancelled.is_set()


def test_what_cancelling_raises_is_not_the_users_concern():
    def cancel():
        raise EngineError("closed")

    with pytest.raises(KeyboardInterrupt), on_ctrl_c(cancel):
        press_ctrl_c()


def test_nothing_is_left_behind():
    before = signal.set_wakeup_fd(-1)
    terminated = signal.getsignal(signal.SIGTERM)
    with on_ctrl_c(lambda: None):
        pass
    assert signal.set_wakeup_fd(before) == -1
    assert signal.getsignal(signal.SIGTERM) == terminated


def test_another_thread_has_no_signals_to_watch():
    done = Event()

    def work():
        with on_ctrl_c(lambda: None):
            done.set()

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert done.is_set()
