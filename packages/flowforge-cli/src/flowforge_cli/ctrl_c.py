"""Ctrl-C during a long statement: Python would wait for the statement's end before it looks at the signal.

SIGTERM, which schedulers and containers send to end a command, is heard as Ctrl-C is.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread, current_thread, main_thread

from flowforge_domain.errors import FlowForgeError


@contextmanager
def on_ctrl_c(cancel: Callable[[], None]) -> Iterator[None]:
    """Call `cancel` from another thread as soon as Ctrl-C is pressed, or SIGTERM comes, during a `with` block.

    `KeyboardInterrupt` is raised in the main thread as always, once what it waits for has been cancelled.
    """
    if current_thread() is not main_thread():
        yield
        return
    read, write = socket.socketpair()
    write.setblocking(False)
    # Written to by the signal handler in C, which runs whatever the main thread is doing.
    before = signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
    terminated = signal.signal(signal.SIGTERM, signal.default_int_handler)
    watcher = Thread(target=_watch, args=(read, cancel), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        # None is a handler that is not Python's, which could not be put back.
        signal.signal(signal.SIGTERM, terminated or signal.SIG_DFL)
        signal.set_wakeup_fd(before)
        write.close()
        watcher.join()
        read.close()


def _watch(signals: socket.socket, cancel: Callable[[], None]) -> None:
    while caught := signals.recv(1):
        if caught[0] in (signal.SIGINT, signal.SIGTERM):
            with suppress(FlowForgeError):
                cancel()
