"""Build a project: seeds, models and tests of one selection in one run, in the order of the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from flowforge_app.abilities import able
from flowforge_app.check_run import CheckRun, check_run
from flowforge_app.load_seeds import LoadSeeds
from flowforge_app.run_checks import RunChecks
from flowforge_app.run_models import RunModels
from flowforge_app.target_state import held
from flowforge_domain.checks import Check
from flowforge_domain.listing import selected_resources
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node, Seed
from flowforge_domain.results import BuildReport, CheckReport, RunReport, SeedReport
from flowforge_domain.selection import EVERYTHING, Selection
from flowforge_ports.progress import Event, Progress, RunStarted

_KINDS = ("seed", "model", "test")


@dataclass(frozen=True)
class BuildProject:
    """Does in one run what `seeds`, `models` and `checks` do alone; all three work on one engine."""

    seeds: LoadSeeds
    models: RunModels
    checks: RunChecks

    def __call__(self, wanted: Selection = EVERYTHING) -> BuildReport:
        """Load the selected seeds, all or none, then build models, each after the tests of what it reads.

        A test of severity "error" that fails or cannot be run stops what depends on its model. Raises `SeedError`
        before any model is touched, and else as `RunModels` does. The models are reported when all has ended, with the
        time that all of it took.
        """
        manifest = self.models.manifest
        chosen: dict[str, list[Any]] = {kind: [] for kind in _KINDS}
        for kind, key in selected_resources(manifest, wanted, _KINDS):
            chosen[kind].append(key)
        seeds = [manifest.seeds[name] for name in chosen["seed"]]
        places = self.models.build.reader.places
        nodes = able((manifest.nodes[name] for name in chosen["model"]), manifest, self.models.engine, places)
        tests = check_run(self.checks, chosen["test"])
        self.seeds.require_able(seeds)
        models = replace(self.models, progress=_between(self.models.progress))
        with held(self.models.engine, self.models.claim):
            started = perf_counter()
            # Before the seeds: where they cannot be loaded, it is told what was not built.
            self.models.progress(self._started(nodes, tests))
            loaded = self.seeds.load(seeds, nodes) if seeds else SeedReport()
            built = models.run(nodes, tests)
            tests.finish()
            built = replace(built, seconds=perf_counter() - started)
        self.models.progress(built)
        return BuildReport(loaded, built, CheckReport([tests.results[name] for name in tests.checks]))

    def _started(self, nodes: Sequence[Node], tests: CheckRun) -> RunStarted:
        engine, titles = self.models.engine, tuple(check.title for check in tests.checks.values())
        names = tuple(node.name for node in nodes)
        return RunStarted(self.models.claim.holder.run, names, engine.name, engine.target, titles)


def things_to_build(manifest: Manifest, wanted: Selection) -> list[Seed | Node | Check]:
    """Return the seeds, models and tests of a selection; raise as `selected_resources` does."""
    kinds: Mapping[str, Any] = {"seed": manifest.seeds, "model": manifest.nodes, "test": manifest.checks}
    return [kinds[kind][key] for kind, key in selected_resources(manifest, wanted, _KINDS)]


def _between(progress: Progress) -> Progress:
    """Return what tells of models between seeds and tests: neither that they begin, nor their report."""

    def tell(event: Event) -> None:
        if not isinstance(event, RunStarted | RunReport):
            progress(event)

    return tell
