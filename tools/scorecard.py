"""Writes SCORECARD.md: each promise that is proved today, by which tests, and how they ended just now.

make scorecard
python tools/scorecard.py R1 S3                           only these bars; the others stay as they were
FLOWFORGE_NIGHTLY=1 python tools/scorecard.py R3          the same by night's counts, on the page's second table
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "SCORECARD.md"
NIGHT = os.environ.get("FLOWFORGE_NIGHTLY") == "1"

_TITLE = """# Scorecard

Written by `make scorecard`, never by hand. Figures of speed are in [docs/benchmarks.md](docs/benchmarks.md).
"""
_DAY = "## At the counts of `make test`\n"
_NIGHT = "## At the counts of `make nightly` (`FLOWFORGE_NIGHTLY=1`)\n"
_HEAD = (
    "| bar | promise | result | tests | trials | seed | command | not proved yet | commit, date |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
)


@dataclass(frozen=True)
class Bar:
    """A promise, the tests that prove it, and what of the promise they do not prove yet."""

    key: str
    promise: str
    tests: tuple[str, ...]
    open: str = ""


@dataclass(frozen=True)
class Outcome:
    """How the tests of a bar ended, and what they told: how often they tried, from which seeds of chance."""

    passed: int
    failed: int
    skipped: int
    trials: int
    seeds: tuple[str, ...]


_HERE = "tests/reliability"
_DUCKDB = "packages/flowforge-duckdb/tests/test_conformance.py"
_READER = "packages/flowforge-project/tests"
BARS = (
    Bar("R1", "A command killed anywhere leaves each table old or new, whole; readers never see half of one",
        (f"{_HERE}/test_kills.py", f"{_HERE}/test_postgres_kills.py", f"{_HERE}/test_hardships.py",
         f"{_HERE}/test_postgres_runs.py", "tests/e2e/test_read_only.py", _DUCKDB,
         "-k", "kill or fail or reader or error or hardships or read_only or terminated"),
        "process death only, no lost disk caches; a full disk on DuckDB only"),
    Bar("R2", "The run after a kill builds what was not committed, and ends like one that was never killed",
        (f"{_HERE}/test_kills.py", f"{_HERE}/test_artifacts.py",
         "-k", "finished_by_the_next or resumed or growing_tables_killed or artifacts"),
        "a machine that was started anew by a killed process only"),
    Bar("R2-PG", "The same on PostgreSQL, also of connections that are cut",
        (f"{_HERE}/test_postgres_kills.py", "-k", "finished_by_the_next"),
        "edits and torn journals between a kill and the next run"),
    Bar("R3", "After any run every table is what a build of everything would give, whatever was skipped",
        (f"{_HERE}/test_stale.py", f"{_HERE}/test_postgres_stale.py", f"{_HERE}/test_stale_projects.py",
         f"{_HERE}/test_growth.py", f"{_HERE}/test_keys.py"),
        "the files of a project on the reference engine only"),
    Bar("R4", "Runs at the same time wait or are told who runs, and lose nothing",
        (f"{_HERE}/test_duckdb_runs.py", f"{_HERE}/test_postgres_runs.py",
         "packages/flowforge-duckdb/tests/test_connection.py")),
    Bar("R5", "Jobs, the order of files and the hash seed change nothing",
        (f"{_HERE}/test_determinism.py", "packages/flowforge-app/tests/test_parallel.py", "-k", "not postgres"),
        "failures in every 11th mixture; by day 80 of 200 models, the site of 50, 5 orders, 2 hash seeds"),
    Bar("R5-PG", "The same on PostgreSQL", (f"{_HERE}/test_determinism.py", "-k", "postgres"),
        "every 9th mixture at night, 5 by day; failures in every 61st"),
    Bar("R6", "A stream's sessions equal the reference, through kills and rotation", ("tests/e2e/test_streaming.py",),
        "one machine's disk; no hour-long soak"),
    Bar("R7", "Malformed input gets one message with file and line, whatever it is",
        (f"{_HERE}/test_fuzz.py", f"{_HERE}/test_fixed_seeds.py", f"{_HERE}/test_resource_bombs.py",
         f"{_READER}/test_broken_projects.py"), "DuckDB and PostgreSQL only"),
    Bar("R7-PG", "The same on PostgreSQL, and every relation is as it was", (f"{_HERE}/test_postgres_fuzz.py",),
        "what reaches the server only: 80 inputs by day, 2,000 at night"),
    Bar("R8", "Exit codes mean what the manual says", ("tests/e2e/test_exit_codes.py", "tests/e2e/test_refusals.py")),
    Bar("S1", "Passwords are seen nowhere again",
        (f"{_HERE}/test_secrets.py", "packages/flowforge-domain/tests/test_secret.py"),
        "by day 20 secrets, each in one way; what a real account of a cloud answers; models in Python are code"),
    Bar("S2", "Templates reach nothing of Python; reading a project runs none of its code",
        (f"{_READER}/test_sandbox.py", f"{_READER}/test_bounds.py", f"{_READER}/test_no_user_code.py")),
    Bar("S3", "Hostile names round-trip or are refused",
        (f"{_HERE}/test_names.py", _DUCKDB,
         *(f"packages/flowforge-{engine}/tests/test_conformance.py"
           for engine in ("postgres", "databricks", "bigquery", "bigframes", "snowflake", "testkit")),
         "tests/architecture/test_sql_quoting.py", "-k", "name or sql_quoting"),
        "a project's files on DuckDB and PostgreSQL only, the others by the kit; names of Snowflake, and of BigQuery's "
        "tables and views, where their emulators fail; Delta, Iceberg; any real account"),
    Bar("S4", "Texts in the site run nothing and load nothing", ("tests/browser",)),
    Bar("S5", "No pickle, no eval, no way out of the project's folder",
        ("tests/architecture/test_banned.py", f"{_READER}/test_folder.py"), "no dependency audit yet"),
    Bar("S6", "The wheels install into an empty environment and run the quickstart", ("tests/packaging",),
        "one Python at a time, locked versions"),
)  # fmt: skip


def scorecard(keys: Sequence[str]) -> bool:
    """Run the tests of bars, all if none is named, write their rows into the page, and return whether all stand."""
    taken, whole = f"{_commit()}, {datetime.now(UTC).date()}", True
    for bar in BARS:
        if keys and bar.key not in keys:
            continue
        found = outcome(bar)
        whole = whole and stands(found)
        page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        PAGE.write_text(with_row(page, bar.key, row(bar, found, taken), night=NIGHT), encoding="utf-8")
    return whole


def with_row(page: str, key: str, line: str, night: bool) -> str:
    """Return the page with a bar's row in the table of day or of night, those of bars that are gone left out."""
    day, _, dark = page.partition(_NIGHT)
    tables = [_rows(day), _rows(dark)]
    tables[night][key] = line
    return "\n".join([_TITLE, _DAY, *_table(tables[0]), _NIGHT, *_table(tables[1])])


def _rows(text: str) -> dict[str, str]:
    lines = (line for line in text.splitlines() if line.startswith("| "))
    return {line.split(" ")[1]: line for line in lines}


def _table(rows: Mapping[str, str]) -> list[str]:
    return [*_HEAD, *(rows[bar.key] for bar in BARS if bar.key in rows), ""]


def stands(found: Outcome) -> bool:
    """Tell whether a promise was proved: some of its tests passed, and none failed."""
    return found.passed > 0 and not found.failed


def row(bar: Bar, found: Outcome, taken: str) -> str:
    """Return the line of a bar in the page's table; `taken` says of which commit it tells, and when."""
    result = "stands" if stands(found) else f"RED: {found.failed} failed"
    counts = f"{found.passed} passed" + (f", {found.skipped} skipped" if found.skipped else "")
    trials, seeds = f"{found.trials:,}" if found.trials else "", ", ".join(found.seeds)
    columns = (bar.key, bar.promise, result, counts, trials, seeds, _command(bar), bar.open, taken)
    return f"| {' | '.join(columns)} |"


def _command(bar: Bar) -> str:
    tests = " ".join(f"'{part}'" if " " in part else part for part in bar.tests)
    return f"`pytest {tests}`"


def _commit() -> str:
    asked = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def outcome(bar: Bar) -> Outcome:
    """Run the tests of a bar, and return how they ended."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", f"--junitxml={report}"]
        command += ["--timeout", "7200"] if NIGHT else []
        subprocess.run([*command, *bar.tests], cwd=ROOT, check=False)
        return told_by(report)


def told_by(report: Path) -> Outcome:
    """Return what a report tells; where there is none, nothing was run, and no promise stands."""
    return outcome_of(report.read_text(encoding="utf-8")) if report.exists() else Outcome(0, 1, 0, 0, ())


def outcome_of(report: str) -> Outcome:
    """Return what a JUnit report tells, the properties `trials` and `seed` of its tests included."""
    tree = ET.fromstring(report)
    counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in tree.iter("testsuite"):
        counts = {key: count + int(suite.get(key, 0)) for key, count in counts.items()}
    told = [(one.get("name"), one.get("value", "")) for one in tree.iter("property")]
    failed = counts["failures"] + counts["errors"]
    return Outcome(
        passed=counts["tests"] - failed - counts["skipped"],
        failed=failed,
        skipped=counts["skipped"],
        trials=sum(int(value) for name, value in told if name == "trials"),
        seeds=tuple(sorted({value for name, value in told if name == "seed"})),
    )


if __name__ == "__main__":
    stood = scorecard(sys.argv[1:])
    print(PAGE.read_text(encoding="utf-8"))
    sys.exit(0 if stood else 1)
