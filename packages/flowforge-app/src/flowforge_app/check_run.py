"""The tests of a build, among its other work: each as soon as what it looks at is there, and before what reads that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from flowforge_app.run_checks import RunChecks
from flowforge_domain.checks import Check
from flowforge_domain.dag import waits_for
from flowforge_domain.manifest import with_seeds
from flowforge_domain.results import CheckResult, Verdict
from flowforge_domain.selection import selectable_checks
from flowforge_ports.engine import Engine

_STOPPING = (Verdict.FAILED, Verdict.ERROR)


@dataclass(frozen=True)
class CheckRun:
    """Tests by their names in the agenda, which no model can have, and in `results` how those ended that were run.

    `looks_at` names the model, seed or source that a test looks at, "" for another relation.
    """

    run: RunChecks
    checks: Mapping[str, Check] = field(default_factory=dict)
    looks_at: Mapping[str, str] = field(default_factory=dict)
    results: dict[str, CheckResult] = field(default_factory=dict)

    def agenda(self, waits: Mapping[str, Set[str]]) -> dict[str, set[str]]:
        """Return what everything waits for, given what models wait for; tests stand behind what they look at.

        A model waits for the tests of what it reads, unless they only warn. A test of an unknown relation comes last.
        """
        graph = with_seeds(self.run.manifest)
        near = waits_for(graph, {*waits, *self.looks_at.values()} & graph.keys())
        agenda: dict[str, set[str]] = {}
        for name, before in waits.items():
            above = list(_above(name, near, waits))
            agenda[name] = {*before, *(test for test in self._on(above) if self.checks[test].severity == "error")}
            agenda |= {test: {name} for test in self._on([name])}
        for test, node in self.looks_at.items():
            if test not in agenda:
                agenda[test] = waits.keys() & set(_above(node, near, waits)) if node else set(waits)
        return agenda

    def work(self, name: str, engine: Engine, cause: str = "") -> CheckResult:
        """Run one test on an engine, or skip it where there is a cause, and keep its result."""
        check = self.checks[name]
        on_engine = replace(self.run, engine=engine)
        result = CheckResult(check, "", 0.0, skipped=cause) if cause else on_engine.result(check)
        self.results[name] = result
        return result

    def stopped_by(self, names: Iterable[str]) -> list[str]:
        """Return, as messages call them, those tests among `names` that stop what waits for them."""
        found = [name for name in names if name in self.results and self.results[name].verdict in _STOPPING]
        return [f"test {self.checks[name].title}" for name in self.checks if name in found]

    def finish(self) -> None:
        """Run what was not run yet, in the project's order."""
        for name in self.checks:
            if name not in self.results:
                self.run.progress(self.work(name, self.run.engine))

    def _on(self, nodes: Sequence[str]) -> Iterator[str]:
        looked_at = set(nodes)
        return (test for test, node in self.looks_at.items() if node in looked_at)


def check_run(run: RunChecks, places: Iterable[int]) -> CheckRun:
    """Return the tests at these places of the project, to be run among other work."""
    known, items = run.manifest.checks, selectable_checks(run.manifest)
    graph = with_seeds(run.manifest)
    chosen = {f"\0test {place}": place for place in places}
    looks_at = {name: items[place].name if items[place].name in graph else "" for name, place in chosen.items()}
    return CheckRun(run, {name: known[place] for name, place in chosen.items()}, looks_at)


def _above(name: str, near: Mapping[str, Set[str]], chosen: Mapping[str, Set[str]]) -> Iterator[str]:
    """Yield what lies next above a node, and beyond what is not worked on itself."""
    seen: set[str] = set()
    frontier = [*near.get(name, ())]
    while frontier:
        node = frontier.pop()
        if node not in seen:
            seen.add(node)
            frontier.extend(near.get(node, ()) if node not in chosen else ())
    yield from sorted(seen)
