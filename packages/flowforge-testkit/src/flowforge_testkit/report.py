"""`pytest --flowforge-report PATH`: what each suite proved of its engine, as Markdown.

The text holds no dates and no timings, so that two runs of the same code write the same file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowforge_domain.capability import Capability
from flowforge_ports.engine import Engine, EngineSpec

if TYPE_CHECKING:
    import pytest

SUITE, ABOUT, REMARK = "flowforge_suite", "flowforge_about", "flowforge_remark"
_REASONS = {
    "declined by": "declined",
    "not claimed by": "declined",
    "not proved here: ": "not proved here",
    "does not hold: ": "does not hold",
}
_CAPABILITIES = {capability.name: capability.value for capability in Capability}


def describe(item: pytest.Item, spec: EngineSpec, engine: Engine) -> None:
    """Note, for the report, which engine a case opened and what that can do."""
    can = [name for name in _CAPABILITIES if Capability[name] in engine.capabilities]
    item.user_properties.append((ABOUT, [spec.name, spec.distribution, can]))


def remark(item: pytest.Item, said: str) -> None:
    """Note, for the report, how a case that is proved was proved, where that is less than all."""
    item.user_properties.append((REMARK, said))


@dataclass
class Section:
    """One class of tests: the engine it opened, and how each case ended, with the reason."""

    title: str
    about: tuple[str, str, list[str]] | None = None
    cases: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(eq=False)
class Report:
    """Gathers outcomes while pytest runs, and writes them at its end."""

    path: Path
    sections: dict[str, Section] = field(default_factory=dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take note of one phase of one case; a failure anywhere is the case's outcome."""
        told: dict[str, Any] = dict(report.user_properties)
        if SUITE not in told:
            return
        owner, _, case = report.nodeid.rpartition("::")
        section = self.sections.setdefault(owner, Section(str(told[SUITE])))
        if about := told.get(ABOUT):
            section.about = about
        ended = outcome(report)
        if ended is not None and section.cases.get(case, ("", ""))[0] != "failed":
            section.cases[case] = ended

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(markdown(self.sections.values()), encoding="utf-8")


def outcome(report: Any) -> tuple[str, str] | None:
    """Return how a case ended and why, None for a phase that tells nothing."""
    if report.failed:
        return "failed", _cell(report.longreprtext.strip().splitlines()[-1] if report.longreprtext else "")
    if report.skipped:
        why = getattr(report, "wasxfail", "").removeprefix("reason: ")
        kind = next((kind for start, kind in _REASONS.items() if why.startswith(start)), "not run")
        return kind, _cell(why.removeprefix(f"{kind}: "))
    return ("proved", _cell(str(dict(report.user_properties).get(REMARK, "")))) if report.when == "call" else None


def markdown(sections: Iterable[Section]) -> str:
    """Return the report: one table for each class, by its title."""
    texts = (_section(section) for section in sorted(sections, key=lambda section: section.title))
    return "\n".join(["# What was proved\n", *texts])


def _section(section: Section) -> str:
    counted = [kind for kind, _ in section.cases.values()]
    sums = ", ".join(f"{counted.count(kind)} {kind}" for kind in dict.fromkeys(sorted(counted)))
    lines = [f"## {section.title}\n"]
    if section.about:
        name, distribution, can = section.about
        lines += [f"- engine: {name}, {distribution} {_version(distribution)}"]
        lines += [f"- can: {', '.join(can) or 'nothing of its own'}"]
        lines += [f"- lacks: {', '.join(one for one in _CAPABILITIES if one not in can) or 'nothing'}"]
    lines += [f"- cases: {sums}\n", "| case | result | reason |", "| --- | --- | --- |"]
    lines += [f"| `{case}` | {kind} | {why} |" for case, (kind, why) in sorted(section.cases.items())]
    return "\n".join(lines) + "\n"


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "(not installed)"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")[:200]
