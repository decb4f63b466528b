"""Standard streams that nothing stops: a reader who went away, a full disk, a character the encoding lacks.

What a command does must not depend on who listens: `flowforge run | head -1` builds everything.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any, TextIO, cast

# What stands for our marks where the encoding is poor.
_PLAIN = str.maketrans({"✓": "+", "✅": "+", "✗": "x", "❌": "x", "↷": "~", "↳": ">", "→": ">", "…": "...", "─": "-"})


class SteadyStream:
    """A stream whose writes never fail; `lost` is why what came last was dropped.

    On a terminal it can hold one progress line, which is gone before anything else is written here or on `beside`.
    """

    def __init__(self, stream: TextIO | None, beside: SteadyStream | None = None) -> None:
        # A closed descriptor is taken, lest the next file that is opened be written to.
        self._stream = stream or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
        self._beside = beside
        self._has_progress = False
        self.lost: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write what can be written, plainer where the encoding lacks a character."""
        (self._beside or self).progress("")
        self._attempt(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        self._attempt("", flush=True)

    def progress(self, text: str) -> None:
        """Draw the progress line over the one before; an empty text erases it."""
        if text or self._has_progress:
            self._has_progress = bool(text)
            width = shutil.get_terminal_size().columns
            self._attempt(f"\r\x1b[2K{text[: width - 1]}", flush=True)

    def _attempt(self, text: str, flush: bool = False) -> None:
        if self.lost is not None:
            return
        try:
            try:
                self._stream.write(text)
            except UnicodeEncodeError:
                encoding = self._stream.encoding
                self._stream.write(text.translate(_PLAIN).encode(encoding, "replace").decode(encoding))
            if flush:
                self._stream.flush()
        except OSError as error:
            self.lost = error
            # What the stream still holds would fail once more when Python ends.
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


@contextmanager
def steady_streams() -> Iterator[SteadyStream]:
    """Make both standard streams steady for a `with` block; gives standard output."""
    out = SteadyStream(sys.stdout)
    error = SteadyStream(sys.stderr, beside=out)
    with redirect_stdout(cast("TextIO", out)), redirect_stderr(cast("TextIO", error)):
        try:
            yield out
        finally:
            out.progress("")
            out.flush()
            error.flush()
