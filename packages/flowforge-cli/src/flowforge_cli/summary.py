"""The closing words of `run` and `test`, in the form that the original design gives."""

from __future__ import annotations

from flowforge_cli.output import GREEN, RED, Output
from flowforge_domain.results import CheckReport, CheckResult, RunReport, Status

_HEAD = "Data Quality Summary\n────────────────────"
_TOTALS = "Totals\n──────"


def check_summary(report: CheckReport, output: Output) -> str:
    """Return the Data Quality Summary: a line per test, a second one with what failed, and the totals."""
    lines = [line for result in report.results for line in _check_lines(result)]
    failed = sum(1 for r in report.results if r.failure)
    broken = sum(1 for r in report.results if r.error is not None)
    counts = [
        output.paint(f"✓ passed: {len(report.results) - failed - broken}", GREEN),
        output.paint(f"✗ failed: {failed}", RED if failed else GREEN),
    ]
    if broken:
        counts.append(output.paint(f"! could not run: {broken}", RED))
    return "\n".join([_HEAD, *lines, "", _TOTALS, *counts])


def totals(report: RunReport) -> str:
    """Return the totals of a run."""
    return "\n".join(
        [
            "",
            _TOTALS,
            f"✓ built: {report.count(Status.BUILT)}",
            f"↷ skipped: {report.count(Status.SKIPPED)}",
            f"✗ failed: {report.count(Status.FAILED)}",
            f"Done in {report.seconds:.2f}s",
        ]
    )


def milliseconds(seconds: float) -> str:
    """Return a duration as people read it: `12ms`, `3.4s`, `2m05s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 60:
        return f"{seconds:.1f}s"
    return f"{int(seconds // 60)}m{int(seconds % 60):02d}s"


def _check_lines(result: CheckResult) -> list[str]:
    mark = "✅" if result.ok else "❌"
    first = f"{mark} {result.check.type:<18} {result.check.subject:<40} ({milliseconds(result.seconds)})"
    detail = str(result.error or result.failure)
    return [first, *(f"   {'↳' if i == 0 else ' '} {line}" for i, line in enumerate(detail.splitlines()))]
