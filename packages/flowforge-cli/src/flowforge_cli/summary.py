"""The closing words of `seed`, `run` and `test`; that of `test` in the form that the original design gives."""

from __future__ import annotations

from collections.abc import Iterable

from flowforge_cli.output import GREEN, RED, YELLOW, Output
from flowforge_domain.results import CheckReport, CheckResult, RunReport, SeedReport, Status, Verdict
from flowforge_domain.text import printable

_HEAD = "Data Quality Summary\n────────────────────"
_TOTALS = "Totals\n──────"
_MOST_NAMES = 5
_WIDEST = 80
_MARKS = {Verdict.PASSED: "✅", Verdict.WARNED: "⚠", Verdict.FAILED: "❌", Verdict.ERROR: "❌", Verdict.SKIPPED: "↷"}


def check_summary(report: CheckReport, output: Output) -> str:
    """Return the Data Quality Summary: a line per test, a second one with what failed, and the totals."""
    width = column_width((result.check.subject for result in report.results), 40)
    lines = [line for result in report.results for line in _check_lines(result, width)]
    counts = check_counts(report)
    ends = [
        _counted(f"✓ passed: {counts['passed']}", counts["passed"], GREEN, output),
        _counted(f"✗ failed: {counts['failed']}", counts["failed"], RED, output),
    ]
    more = (("warned", "⚠ warned", YELLOW), ("skipped", "↷ skipped", YELLOW), ("errors", "! could not run", RED))
    ends += [output.paint(f"{words}: {counts[name]}", color) for name, words, color in more if counts[name]]
    return "\n".join([_HEAD, *lines, "", _TOTALS, *ends])


def check_counts(report: CheckReport) -> dict[str, int]:
    """Return how many tests passed, failed, only warned, were skipped, and could not be run."""
    names = {"errors" if verdict is Verdict.ERROR else verdict.value: verdict for verdict in Verdict}
    return {name: report.count(verdict) for name, verdict in names.items()}


def seed_summary(report: SeedReport, output: Output) -> str:
    """Return a line per seed, and the totals."""
    width = column_width(result.name for result in report.results)
    lines = [
        f"{output.paint('✓', GREEN)} {r.name:<{width}} {rows_of(r.rows):>14} {milliseconds(r.seconds):>9}"
        for r in report.results
    ]
    retried = f" ({retries(report.retries)})" * bool(report.retries)
    return "\n".join([*lines, "", f"✓ seeded: {len(lines)} in {milliseconds(report.seconds)}{retried}"])


def totals(report: RunReport, output: Output) -> str:
    """Return the totals of a run; those that failed are named again, as the output may be long."""
    counts = {status: report.count(status) for status in Status}
    failed = [result.name for result in report.results if result.status is Status.FAILED]
    names = ", ".join(failed[:_MOST_NAMES]) + ", …" * (len(failed) > _MOST_NAMES)
    return "\n".join(
        [
            "",
            _TOTALS,
            _counted(f"✓ built: {counts[Status.BUILT]}", counts[Status.BUILT], GREEN, output),
            *([f"· unchanged: {counts[Status.UNCHANGED]}"] if counts[Status.UNCHANGED] else []),
            _counted(f"↷ skipped: {counts[Status.SKIPPED]}", counts[Status.SKIPPED], YELLOW, output),
            _counted(f"✗ failed: {len(failed)}" + f" ({names})" * bool(failed), len(failed), RED, output),
            *([output.paint(f"↻ {retries(report.retries)}", YELLOW)] if report.retries else []),
            f"Done in {milliseconds(report.seconds)}",
        ]
    )


def milliseconds(seconds: float) -> str:
    """Return a duration as people read it: `12ms`, `3.4s`, `2m05s`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s"


def retries(count: int) -> str:
    """Return how often something was tried again: `1 retry`, `2 retries`."""
    return "1 retry" if count == 1 else f"{count} retries"


def rows_of(count: int | None) -> str:
    """Return a number of rows, nothing when it is unknown."""
    return "" if count is None else f"{count:,} row{'s' * (count != 1)}"


def column_width(names: Iterable[str], least: int = 30) -> int:
    """Return how wide the column of these names is; one that alone would fill a line counts for nothing."""
    return max([least, *(width for width in map(len, names) if width <= _WIDEST)])


def _counted(text: str, count: int, color: str, output: Output) -> str:
    return output.paint(text, color) if count else text


def _check_lines(result: CheckResult, width: int) -> list[str]:
    first = f"{_MARKS[result.verdict]} {result.check.type:<18} {result.check.subject:<{width}}"
    if not result.skipped:
        first += f" ({milliseconds(result.seconds)})"
    detail = printable(str(result.error or result.failure or result.skipped))
    return [first, *(f"   {'↳' if i == 0 else ' '} {line}" for i, line in enumerate(detail.splitlines()))]
