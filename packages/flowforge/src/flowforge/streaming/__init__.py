"""Streams: a file that is followed, and the sessions its events make."""

from __future__ import annotations

from flowforge.streaming.file_tail import FileTailSource
from flowforge.streaming.sessionizer import StreamSessionizer

__all__ = ["FileTailSource", "StreamSessionizer"]
