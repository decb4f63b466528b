"""The file stream against a writer that does everything a log does: no event is lost, none comes twice."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from flowforge_stream_file.file_tail import FileTailSource

EXAMPLES = 1000 if os.environ.get("FLOWFORGE_NIGHTLY") else 100


class Log(RuleBasedStateMachine):
    """A log file and one reader; `written` and `read` are the numbers of the events."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "events.jsonl"
        self.handle = self.path.open("ab", buffering=0)
        self.pending = b""
        self.written: list[int] = []
        self.read: list[int] = []
        self.poison = 0
        self.letters = 0
        self.position = ""
        self.rotated = 0

    @initialize(dated=st.booleans())
    def begin(self, dated):
        """Choose how rotated files are named; the stream begins with the file that is there at the first read."""
        self.dated = dated
        self.read_some(1)

    @rule(count=st.integers(1, 4), half=st.integers(0, 30), poison=st.booleans())
    def append(self, count, half, poison):
        """Finish what is pending, write some lines, and leave the beginning of one more."""
        lines = self.pending
        for _ in range(count):
            self.written.append(len(self.written))
            lines += self.line(self.written[-1])
        if poison:
            self.poison += 1
            lines += b"oops \xff\n"
        self.pending = b""
        if half:
            self.written.append(len(self.written))
            line = self.line(self.written[-1])
            cut = min(half, len(line) - 1)
            lines, self.pending = lines + line[:cut], line[cut:]
        self.handle.write(lines)

    @rule()
    def rotate(self):
        """Rename the file; its writer ends its last line there before it opens the new one."""
        self.shift()
        self.path.rename(self.newest())
        self.end_line()
        self.handle.close()
        self.handle = self.path.open("ab", buffering=0)

    @rule()
    def rename_and_go_on_writing(self):
        """Rename the file and put an empty one in its place; the writer still writes to the old one."""
        self.shift()
        self.path.rename(self.newest())
        self.path.touch()
        self.append(2, 0, False)
        self.handle.close()
        self.handle = self.path.open("ab", buffering=0)

    @rule()
    def copy_and_truncate(self):
        """Copy the file and cut it; the reader has seen something of it, else the copy could be any old file."""
        self.end_line()
        self.read_some(1)
        self.shift()
        shutil.copy(self.path, self.newest())
        os.truncate(self.path, 0)

    @rule()
    def truncate(self):
        """Cut the file once everything in it was read: what was not cannot be had any more."""
        self.end_line()
        self.read_all()
        os.truncate(self.path, 0)

    @rule(limit=st.integers(1, 5))
    def read_some(self, limit):
        batch = FileTailSource(self.path, name="log").read(self.position, limit)
        assert len(batch.events) + len(batch.dead_letters) <= limit
        self.read += [event["n"] for event in batch.events]
        self.letters += len(batch.dead_letters)
        self.position = batch.position

    @precondition(lambda self: self.read)
    @rule()
    def read_twice(self):
        """A consumer that died before its commit reads the same again."""
        source = FileTailSource(self.path, name="log")
        assert source.read(self.position, 3) == source.read(self.position, 3)

    @invariant()
    def nothing_is_lost_or_doubled_so_far(self):
        assert self.read == self.written[: len(self.read)]

    def teardown(self):
        self.end_line()
        self.read_all()
        self.handle.close()
        shutil.rmtree(self.folder)
        assert self.read == self.written
        assert self.letters == self.poison

    def read_all(self):
        before = None
        while before != (before := (self.position, len(self.read), self.letters)):
            self.read_some(5)

    def end_line(self):
        self.handle.write(self.pending)
        self.pending = b""

    def line(self, number):
        return f'{{"n": {number}, "city": "Zürich"}}\n'.encode()

    def shift(self):
        """Make room for one more rotated file, as counters are shifted; dates stay."""
        self.rotated += 1
        if not self.dated:
            for n in range(self.rotated - 1, 0, -1):
                self.path.with_name(f"events.jsonl.{n}").rename(self.path.with_name(f"events.jsonl.{n + 1}"))

    def newest(self):
        return self.path.with_name(f"events.jsonl-{20240000 + self.rotated}" if self.dated else "events.jsonl.1")


TestLog = Log.TestCase
TestLog.settings = settings(
    derandomize=True,
    deadline=None,
    max_examples=EXAMPLES,
    stateful_step_count=25,
    suppress_health_check=list(HealthCheck),
)
