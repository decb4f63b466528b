"""What the exit code of a command means; the table in docs/reference/exit-codes.md has one test per row."""

from __future__ import annotations

OK = 0
USER_ERROR = 1  # anything the user can fix: usage, configuration, a missing dependency, a failed model
CHECKS_FAILED = 2  # data-quality tests failed, and nothing else
BUG = 99  # FlowForge's own fault
INTERRUPTED = 130  # Ctrl-C
