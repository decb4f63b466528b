"""Writes docs/reference/conformance.md from the reports of all engines, as `make conformance` does.

python tools/conformance_table.py [--keep] REPORT [REPORT ...]

A report is what `pytest --flowforge-report PATH` wrote. `--keep` keeps of the page what the reports leave out, so
that one engine can be run alone. The page holds no dates and no timings.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "conformance.md"

_HEAD = """# What each engine proved

Made by `make conformance` from the reports of the conformance kit; see [plugins](../guide/plugins.md) for what the kit
is. One column is one suite: an engine on one kind of target.

| sign | |
| --- | --- |
| ✓ | proved: the case ran and passed |
| – | declined: the engine does not claim it; where it is asked for, it is refused, or a value comes back as it was |
| ? | not proved here: the tests have no server that can show it, or not the time; the reason stands below |
| ! | does not hold: the case ran and failed, as the plugin says itself; what is so instead stands below |
| ✗ | failed |
| · | not run: a case of other engines' own, or newer than the last run of this column |

`✓ 12 – 2` are twelve variants of a case that were proved, and two that were declined.
"""
_SIGNS = {"proved": "✓", "declined": "–", "not proved here": "?", "does not hold": "!", "failed": "✗", "not run": "·"}
_TOLD = {"not proved here", "does not hold", "failed", "not run"}
_ROW = re.compile(r"\| `(test_\w+)(\[.*\])?` \| ([\w ]+) \| (.*) \|\Z")


@dataclass
class Suite:
    """One column: facts as the report has them, a cell for each case, and a line for each gap."""

    title: str
    facts: list[str] = field(default_factory=list)
    cells: dict[str, str] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)

    @property
    def is_engine(self) -> bool:
        """Whether it is about an engine, not about what a plugin says of itself."""
        return any(fact.startswith("- engine:") for fact in self.facts)


def read(report: str) -> list[Suite]:
    """Return the sections of one report."""
    return [_suite(*section.partition("\n")[::2]) for section in report.split("\n## ")[1:]]


def read_page(text: str) -> list[Suite]:
    """Return the columns of the page as they stand there."""
    found: dict[str, Suite] = {}
    suite, columns = Suite(""), []
    for line in text.partition("\n## Engines\n")[2].splitlines():
        if line.startswith("### "):
            suite = found[line[4:]] = Suite(line[4:])
        elif line.startswith("| case |"):
            columns = [found.setdefault(title, Suite(title)) for title in _cells(line)]
        elif line.startswith("| ") and not line.startswith("| ---"):
            case = "test_" + line.split(" | ")[0].removeprefix("| ").replace(" ", "_")
            for column, cell in zip(columns, _cells(line), strict=True):
                column.cells[case] = cell
        elif line.startswith("- ") and columns:
            found[line[2:].partition(", `")[0]].gaps.append(line)
        elif line.startswith("- "):
            suite.facts.append(line)
    return list(found.values())


def merged(old: list[Suite], new: list[Suite]) -> list[Suite]:
    """Return the new columns and those old ones that none of them takes the place of; cases that are gone are left."""
    kept = {suite.title: suite for suite in old} | {suite.title: suite for suite in new}
    for kind in (True, False):
        known = {case for suite in new if suite.is_engine is kind for case in suite.cells}
        for suite in kept.values():
            if known and suite.is_engine is kind:
                suite.cells = {case: cell for case, cell in suite.cells.items() if case in known}
    return list(kept.values())


def page(suites: list[Suite]) -> str:
    """Return the page: a table of engines, one of plugins, and every gap by its name."""
    ordered = sorted(suites, key=lambda suite: suite.title)
    engines = [suite for suite in ordered if suite.is_engine]
    plugins = [suite for suite in ordered if not suite.is_engine]
    parts = [_HEAD, "## Engines\n", *map(_facts, engines), "## Cases\n", _table(engines)]
    gaps = [gap for suite in ordered for gap in sorted(suite.gaps)]
    limits = [gap for gap in gaps if "`: does not hold: " in gap]
    parts += [
        "## Plugins\n",
        _table(plugins),
        "## Does not hold\n",
        _listed(limits, "Nothing: no suite names such a case."),
    ]
    unproved = [gap for gap in gaps if gap not in limits]
    parts += ["## Not proved here\n", _listed(unproved, "Nothing: every case was proved or declined.")]
    return "\n".join(parts)


def main(arguments: list[str]) -> None:
    """Write the page from the reports named."""
    reports = [argument for argument in arguments if argument != "--keep"]
    new = [suite for path in reports for suite in read(Path(path).read_text("utf-8"))]
    old = read_page(PAGE.read_text("utf-8")) if len(reports) < len(arguments) else []
    PAGE.write_text(page(merged(old, new)), "utf-8")
    print(PAGE)


def _suite(title: str, text: str) -> Suite:
    suite, results = Suite(title), defaultdict[str, list[str]](list)
    for line in text.splitlines():
        if line.startswith("- "):
            suite.facts.append(line)
        elif found := _ROW.match(line):
            case, variant, result, reason = found.groups()
            results[case].append(result)
            if result in _TOLD or (result == "proved" and reason):
                suite.gaps.append(f"- {title}, `{case}{variant or ''}`: {result}: {reason}")
    suite.cells = {case: _cell(each) for case, each in results.items()}
    return suite


def _facts(suite: Suite) -> str:
    return "\n".join([f"### {suite.title}\n", *suite.facts]) + "\n"


def _table(suites: list[Suite]) -> str:
    cases = sorted({case for suite in suites for case in suite.cells})
    lines = ["| case | " + " | ".join(suite.title for suite in suites) + " |", "| --- |" + " --- |" * len(suites)]
    for case in cases:
        cells = " | ".join(suite.cells.get(case) or "·" for suite in suites)
        lines.append(f"| {case.removeprefix('test_').replace('_', ' ')} | {cells} |")
    return "\n".join(lines) + "\n"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")[1:]]


def _cell(results: list[str]) -> str:
    kinds = [kind for kind in _SIGNS if kind in results]
    if len(kinds) <= 1 and len(results) <= 1:
        return "".join(_SIGNS[kind] for kind in kinds)
    return " ".join(f"{_SIGNS[kind]} {results.count(kind)}" for kind in kinds)


def _listed(gaps: list[str], otherwise: str) -> str:
    return "\n".join(gaps or [otherwise]) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
