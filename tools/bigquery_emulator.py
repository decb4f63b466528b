"""A BigQuery emulator for tests: started once per process when first asked for, one fresh project per test.

It is a small project of its own, with its own lock (`tools/emulators/bigquery`), run by uv in its own environment. It
ends with this process, whose end closes its standard input.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

HOME = Path(__file__).parent / "emulators/bigquery"
# A project set aside for tests: the suite makes datasets in it, takes it to hold nothing else, and drops them again.
REAL = os.environ.get("FF_TEST_BIGQUERY_PROJECT", "")
NIGHT = os.environ.get("FLOWFORGE_NIGHTLY") == "1"
# Of the kit's names as many are tried by day, by night all.
NAMES = 12
_numbers = itertools.count(1)

_WORDS = "the emulator says in DuckDB's words that a column is missing, which BigQuery calls an unrecognized name"
# Standard cases that BigQuery should pass and the emulator cannot; on a real account none is excused.
UNPROVED: Mapping[str, str] = (
    {}
    if REAL
    else {
        "test_value_that_sql_made_is_read[decimal]": "the emulator casts to NUMERIC with 18 digits only",
        "test_columns_are_synchronized": "the emulator lists the columns as they were before one was dropped",
        **{
            f"test_error_of_a_{what}_has_its_kind[select {column}-ErrorKind.MISSING_COLUMN]": _WORDS
            for what in ("statement", "query")
            for column in ("missing_one from ff_t", "t.missing_one from ff_t as t")
        },
        "test_check_of_a_missing_column_is_an_error": _WORDS,
        **{
            f"test_view_of_any_name_replaces_a_table_of_that_name[holding {text}]": f"the emulator makes no view {why}"
            for text, why in {
                " ": "whose name holds a space",
                "break": "whose name holds an unbreakable space",
                "-": "whose name holds a hyphen",
                "describe": "that is named `describe`",
            }.items()
        },
        "test_interrupt_cancels_the_running_statement": "the emulator hears of nothing while a statement runs",
    }
)
# Cases that BigQuery DataFrames would need minutes for, here and on a real account; given up after some seconds, so
# that nobody knows whether they hold.
TOO_SLOW: Mapping[str, str] = {
    "test_wide_frame_is_written": "BigQuery DataFrames compile a table of 300 columns for minutes",
    "test_frame_keeps_a_column_of_any_name_or_refuses_it": "BigQuery DataFrames need seconds for each name",
}
_FURTHER = "test_values_of_a_further_type_survive_or_are_refused"
UNPROVED_WITH_BIGFRAMES: Mapping[str, str] = {
    **UNPROVED,
    **TOO_SLOW,
    **(
        {}
        if REAL
        else {
            "test_null_of_every_type_is_read": "the emulator gives JSON without the name that was asked for",
            f"{_FURTHER}[decimal]": "the emulator reads decimals that BigQuery DataFrames write with 18 digits only",
            f"{_FURTHER}[binary]": "the emulator does not know the format in which BigQuery DataFrames write bytes",
        }
    ),
}


@dataclass(frozen=True)
class Emulator:
    """Where it listens."""

    rest: str
    grpc: str
    process: subprocess.Popen[str]


@functools.cache
def server() -> Emulator:
    """Return this process's emulator."""
    _hasten()
    uv = os.environ.get("UV") or shutil.which("uv") or str(Path(__file__).parents[1] / ".uv/uv")
    command = [uv, "run", "--project", str(HOME), "--frozen", "--python", _python(), "python", str(HOME / "launch.py")]
    kept = {key: value for key, value in os.environ.items() if key not in {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=kept
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            said = json.loads(line)
            atexit.register(_stop, process)
            return Emulator(said["rest"], said["grpc"], process)
    raise RuntimeError(f"The BigQuery emulator did not start: {' '.join(command)}")


def new_target() -> dict[str, Any]:
    """Return the settings of an empty project; of the real one if there is one, where all datasets are dropped."""
    if REAL:
        return _emptied()
    return {
        "project": f"ff-{os.getpid()}-{next(_numbers)}",
        "dataset": "tests",
        "location": "US",
        "endpoint": server().rest,
        "storage_endpoint": server().grpc,
        "anonymous": True,
        "retry_deadline": 2,
    }


@contextmanager
def alarms_between_requests() -> Iterator[None]:
    """Put an alarm that comes amid a request off to its end.

    Its error, between the head of an answer and the body, would leave an open socket to whichever test collects it.
    """
    alarm = signal.getsignal(signal.SIGALRM)

    def wait(number: int, frame: FrameType | None) -> None:
        if _asking(frame):
            signal.setitimer(signal.ITIMER_REAL, 0.01)
        elif callable(alarm):
            alarm(number, frame)

    signal.signal(signal.SIGALRM, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, alarm)


def _asking(frame: FrameType | None) -> bool:
    while frame is not None and not frame.f_globals.get("__name__", "").startswith("requests."):
        frame = frame.f_back
    return frame is not None


def _hasten() -> None:
    """Let Google's client see at once that a table has come: it looks five times a second, which suits a long way."""
    from google.cloud.bigquery import _pandas_helpers

    _pandas_helpers._PROGRESS_INTERVAL = 0.01  # noqa: SLF001 - it has no other name


def _emptied() -> dict[str, Any]:
    from google.cloud import bigquery

    with bigquery.Client(project=REAL) as client:
        for dataset in client.list_datasets():
            if dataset.labels.get("made-by") != "flowforge-tests":
                raise RuntimeError(f"{REAL} holds {dataset.dataset_id}, which the tests did not make.")
            client.delete_dataset(dataset, delete_contents=True)
    return {"project": REAL, "dataset": "tests", "labels": {"made-by": "flowforge-tests"}}


def _stop(process: subprocess.Popen[str]) -> None:
    # The end of its standard input is the sign to stop.
    process.communicate()


def _python() -> str:
    return getattr(sys, "_base_executable", sys.executable)
