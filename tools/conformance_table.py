"""Writes docs/reference/conformance.md from the reports of all engines, as `make conformance` does.

python tools/conformance_table.py REPORT [REPORT ...]

A report is what `pytest --flowforge-report PATH` wrote. The page holds no dates and no timings.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "conformance.md"

_HEAD = """# What each engine proved

Made by `make conformance` from the reports of the conformance kit; see [plugins](../guide/plugins.md) for what the kit
is. One column is one suite: an engine on one kind of target.

| sign | |
| --- | --- |
| ✓ | proved: the case ran and passed |
| – | declined: the engine does not claim it; where it is asked for, it is refused |
| ? | not proved here: the tests have no server that can show it; the reason stands below |
| ✗ | failed |

`✓ 12 – 2` are twelve variants of a case that were proved, and two that were declined.
"""
_SIGNS = {"proved": "✓", "declined": "–", "not proved here": "?", "failed": "✗", "not run": "·"}
_ROW = re.compile(r"\| `(test_\w+)(\[.*\])?` \| ([\w ]+) \| (.*) \|\Z")


@dataclass
class Suite:
    """One section of a report: facts as they stand there, and the results of each case's variants."""

    title: str
    facts: list[str] = field(default_factory=list)
    cases: dict[str, list[str]] = field(default_factory=dict)
    unproved: dict[str, str] = field(default_factory=dict)


def read(report: str) -> list[Suite]:
    """Return the sections of one report."""
    suites: list[Suite] = []
    for line in report.splitlines():
        if line.startswith("## "):
            suites.append(Suite(line[3:]))
        elif line.startswith("- ") and suites:
            suites[-1].facts.append(line)
        elif found := _ROW.match(line):
            case, variant, result, reason = found.groups()
            suites[-1].cases.setdefault(case, []).append(result)
            if result in {"not proved here", "failed", "not run"}:
                suites[-1].unproved[f"{case}{variant or ''}"] = f"{result}: {reason}"
    return suites


def page(suites: list[Suite]) -> str:
    """Return the page: a table of engines, one of plugins, and every gap by its name."""
    ordered = sorted(suites, key=lambda suite: suite.title)
    engines = [suite for suite in ordered if any(fact.startswith("- engine:") for fact in suite.facts)]
    plugins = [suite for suite in ordered if suite not in engines]
    parts = [_HEAD, "## Engines\n", *map(_facts, engines), "## Cases\n", _table(engines)]
    parts += ["## Plugins\n", _table(plugins), "## Not proved here\n", _gaps(ordered)]
    return "\n".join(parts)


def _facts(suite: Suite) -> str:
    return "\n".join([f"### {suite.title}\n", *suite.facts]) + "\n"


def _table(suites: list[Suite]) -> str:
    cases = sorted({case for suite in suites for case in suite.cases})
    lines = ["| case | " + " | ".join(suite.title for suite in suites) + " |", "| --- |" + " --- |" * len(suites)]
    for case in cases:
        cells = " | ".join(_cell(suite.cases.get(case, [])) for suite in suites)
        lines.append(f"| {case.removeprefix('test_').replace('_', ' ')} | {cells} |")
    return "\n".join(lines) + "\n"


def _cell(results: list[str]) -> str:
    kinds = [kind for kind in _SIGNS if kind in results]
    if len(kinds) <= 1 and len(results) <= 1:
        return "".join(_SIGNS[kind] for kind in kinds)
    return " ".join(f"{_SIGNS[kind]} {results.count(kind)}" for kind in kinds)


def _gaps(suites: list[Suite]) -> str:
    lines = [f"- {suite.title}, `{case}`: {why}" for suite in suites for case, why in sorted(suite.unproved.items())]
    return "\n".join(lines or ["Nothing: every case was proved or declined."]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page([s for path in sys.argv[1:] for s in read(Path(path).read_text("utf-8"))]), "utf-8")
    print(PAGE)
