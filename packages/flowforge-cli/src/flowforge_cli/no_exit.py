"""A model that calls `os._exit(0)`: the command would end there, with the exit code of one that built everything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import NoReturn


@contextmanager
def no_exit() -> Iterator[None]:
    """Make `os._exit` raise `SystemExit` during a `with` block: the failure of the model or hook that calls it.

    In another thread, whose errors nobody sees, it ends the process as ever, but says so, and never with 0. A fork ends
    as it asks to.
    """
    process, thread, really = os.getpid(), get_ident(), os._exit

    def instead(status: int) -> NoReturn:
        if os.getpid() != process:
            really(status)
        if get_ident() == thread:
            raise SystemExit(f"os._exit({status}) would end the whole command.")
        os.write(2, f"✗ A thread ended the process: os._exit({status}).\n".encode())
        really(status or 1)

    os._exit = instead
    try:
        yield
    finally:
        os._exit = really
