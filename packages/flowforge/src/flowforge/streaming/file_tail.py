"""The public path of the JSONL file stream."""

from __future__ import annotations

from flowforge_stream_file.file_tail import FileTailSource

__all__ = ["FileTailSource"]
