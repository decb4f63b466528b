"""Writes SCORECARD.md: each promise that is proved today, by which tests, and how they ended just now.

make scorecard
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "SCORECARD.md"


@dataclass(frozen=True)
class Bar:
    """A promise, the tests that prove it, and what of the promise they do not prove yet."""

    key: str
    promise: str
    tests: tuple[str, ...]
    open: str = ""


@dataclass(frozen=True)
class Outcome:
    """How the tests of a bar ended."""

    passed: int
    failed: int
    skipped: int


_DUCKDB = "packages/flowforge-duckdb/tests/test_conformance.py"
_READER = "packages/flowforge-project/tests"
BARS = (
    Bar("R1", "A failed build leaves the old table; readers never see half of one", (_DUCKDB, "-k", "fail or reader"),
        "no kill harness for `run` and `seed`, no failpoints"),
    Bar("R3", "A read through the parse cache equals a cold one", (f"{_READER}/test_cache_states.py",),
        "tables against a rebuild: models are not skipped yet"),
    Bar("R6", "A stream's sessions equal the reference, through kills and rotation", ("tests/e2e/test_streaming.py",),
        "10 kills, on one machine's disk; no hour-long soak"),
    Bar("R7", "Broken projects get one message with file and line", (f"{_READER}/test_broken_projects.py",),
        "by hand-made cases; no fuzzing by the ten thousand"),
    Bar("R8", "Exit codes mean what the manual says", ("tests/e2e/test_exit_codes.py",)),
    Bar("S2", "Templates reach nothing of Python; reading a project runs none of its code",
        (f"{_READER}/test_sandbox.py", f"{_READER}/test_no_user_code.py")),
    Bar("S3", "Hostile names round-trip or are refused", (_DUCKDB, "-k", "name"), "about a third of the names, DuckDB"),
    Bar("S4", "Texts in the site run nothing and load nothing", ("tests/browser",)),
    Bar("S5", "No pickle, no eval, no way out of the project's folder",
        ("tests/architecture/test_banned.py", f"{_READER}/test_folder.py"), "no dependency audit yet"),
    Bar("S6", "The wheels install into an empty environment and run the quickstart", ("tests/packaging",),
        "one Python at a time, locked versions"),
)  # fmt: skip


def scorecard() -> tuple[str, bool]:
    """Return the page, and whether every bar stands."""
    rows, whole = [], True
    for bar in BARS:
        outcome = _run(bar)
        stands = outcome.passed > 0 and not outcome.failed
        whole = whole and stands
        tests = " ".join(f"'{part}'" if " " in part else part for part in bar.tests)
        result = "stands" if stands else f"RED: {outcome.failed} failed"
        counts = f"{outcome.passed} passed" + (f", {outcome.skipped} skipped" if outcome.skipped else "")
        rows.append(f"| {bar.key} | {bar.promise} | {result} | {counts} | `pytest {tests}` | {bar.open} |")
    return _page(rows), whole


def _page(rows: list[str]) -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    python = ".".join(map(str, sys.version_info[:3]))
    made = (
        f"Written by `make scorecard` on {datetime.now(UTC).date()} at commit {commit.stdout.strip()}, Python {python}."
    )
    return "\n".join(
        [
            "# Scorecard",
            "",
            f"{made} Figures of speed are in [docs/benchmarks.md](docs/benchmarks.md).",
            "",
            "| bar | promise | result | tests | command | not proved yet |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _run(bar: Bar) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", f"--junitxml={report}"]
        subprocess.run([*command, *bar.tests], cwd=ROOT, check=False)
        suites = ET.parse(report).getroot().iter("testsuite")
        counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
        for suite in suites:
            counts = {key: count + int(suite.get(key, 0)) for key, count in counts.items()}
    failed = counts["failures"] + counts["errors"]
    return Outcome(counts["tests"] - failed - counts["skipped"], failed, counts["skipped"])


if __name__ == "__main__":
    text, whole = scorecard()
    PAGE.write_text(text, encoding="utf-8")
    print(text)
    sys.exit(0 if whole else 1)
