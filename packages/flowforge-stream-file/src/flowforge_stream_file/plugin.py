"""Announces the stream `file`."""

from __future__ import annotations

from flowforge_ports.hooks import hookimpl
from flowforge_ports.stream import StreamSpec


@hookimpl
def flowforge_streams() -> list[StreamSpec]:
    """Announce the JSONL file that is followed while it grows."""
    return [StreamSpec(name="file", open="flowforge_stream_file.file_tail:FileTailSource")]
