"""The Python API: a project that can be run, tested, seeded, shown and drawn.

    project = Project.load("shop", env="dev")
    project.seed()
    report = project.run(select="+orders")

Every call reads the project's files anew, so it is never stale; the parse cache makes that cheap.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from flowforge_app.build_project import things_to_build
from flowforge_app.clean_target import Orphan
from flowforge_app.explain_model import Explanation
from flowforge_app.require_names import require_names
from flowforge_bootstrap.able import require_able
from flowforge_bootstrap.asked import Asked, Choice, Names
from flowforge_bootstrap.engines import WAIT
from flowforge_bootstrap.resuming import take_up
from flowforge_bootstrap.target import Target
from flowforge_bootstrap.workspace import Dag, Workspace, open_workspace, require_known
from flowforge_domain.checks import Check
from flowforge_domain.errors import ConfigError
from flowforge_domain.journal import RunOptions
from flowforge_domain.manifest import Manifest, run_order
from flowforge_domain.model import Node, Seed, node_name
from flowforge_domain.results import BuildReport, CheckReport, Rows, RunReport, SeedReport
from flowforge_domain.selection import Selection, selected_checks, selected_nodes, selected_seeds
from flowforge_ports.progress import Event, Notice, Progress

if TYPE_CHECKING:
    from flowforge_bootstrap.container import Container


def silent(event: Event) -> None:
    """Ignore an event."""


@dataclass(frozen=True, eq=False)
class ProjectText:
    """A project folder as its files say: what needs no target.

    Every selection may also say `selector`, `state` and `changed_since`, see `Choice`.
    """

    workspace: Workspace

    def manifest(self) -> Manifest:
        """Return what the project's files say now."""
        return self.workspace.manifest(self.workspace.ports())

    def ls(
        self,
        select: Names = None,
        exclude: Names = None,
        resource: Names = None,
        **choice: Unpack[Choice],
    ) -> list[dict[str, Any]]:
        """Return the facts of models and seeds in the order in which they are worked on, or of other kinds.

        `resource` is one or some of source, seed, model and test.
        """
        kinds = (resource,) if isinstance(resource, str) else tuple(resource or ("seed", "model"))
        return self.workspace.ls(Asked(select, exclude, **choice), kinds)

    def compile(self, select: Names = None, exclude: Names = None, **choice: Unpack[Choice]) -> dict[str, Path]:
        """Write the SQL of the selected models below `.flowforge/compiled/` and return the files."""
        return self.workspace.compile(Asked(select, exclude, **choice))

    def dag(self, select: Names = None, exclude: Names = None, **choice: Unpack[Choice]) -> Dag:
        """Return the graph of the selected models; raise `ModelCycleError` or `DependencyNotFoundError`."""
        return self.workspace.dag(Asked(select, exclude, **choice))

    def docs(
        self, out_dir: Path | None = None, select: Names = None, exclude: Names = None, **choice: Unpack[Choice]
    ) -> Path:
        """Write the documentation site, by default into `.flowforge/docs/`, and return the page to open."""
        return self.workspace.docs(Asked(select, exclude, **choice), out_dir)


@dataclass(frozen=True, eq=False)
class Project(ProjectText):
    """A project folder and the target it is run on.

    May be used again and again, and from several threads; one call at a time works on the target.
    """

    target: Target = field(repr=False)

    @classmethod
    def load(
        cls,
        path: str | Path = ".",
        env: str | None = None,
        engine: str | None = None,
        progress: Progress = silent,
        vars: Mapping[str, Any] | None = None,  # noqa: A002 - the word of project.yml
    ) -> Project:
        """Return the project in folder `path`; `vars` go before those of its `project.yml`.

        Raises `FlowForgeError` when what it says is wrong, and for a profile or engine that does not exist.
        """
        project = open_project(path, env, engine, progress, vars)
        require_known(project.workspace, project.workspace.ports())
        project.manifest()
        return project

    def run(
        self,
        select: Names = None,
        exclude: Names = None,
        jobs: int | None = None,
        full_refresh: bool = False,
        no_cache: bool = False,
        fail_fast: bool = False,
        lock_timeout: float = WAIT,
        resume: bool = False,
        verify: bool = False,
        **choice: Unpack[Choice],
    ) -> RunReport:
        """Build the selected models; a model's own error is in the report.

        What is proved unchanged is left as it is, unless `no_cache`; with `verify` its rows are counted first.

        Up to `jobs` models build at once, by default as many as suit the engine. With `full_refresh` incremental models
        are built from scratch, and tables of others replaced. With `fail_fast` nothing is begun any more when one has
        failed. Whoever else works on the target is waited for, at most `lock_timeout` seconds.

        With `resume` the models are those of the last run, which did not end well, on its target and asked for alike.

        Raises `FlowForgeError` for a wrong project, profile or selection, and when there is nothing to resume.
        """
        asked, resumed = RunOptions(full_refresh=full_refresh, no_cache=no_cache), None
        if resume:
            resumed = take_up(self.workspace)
            asked = resumed.asked(asked)
        workspace = resumed.workspace if resumed else None
        with self.target.container(lock_timeout, "run", asked, workspace) as container:
            run_order(container.manifest())  # a wrong graph is told before a target is opened, and perhaps created
            wanted = _wanted(container, select, exclude, choice)
            wanted = resumed.wanted(container, wanted) if resumed else wanted
            self._require(container, selected_nodes(container.manifest(), wanted))
            jobs = _jobs(jobs, container)
            skipping = container.skipping(asked.no_cache, verify, done=resumed.done if resumed else frozenset())
            how = {"full_refresh": asked.full_refresh, "fail_fast": fail_fast, "skipping": skipping}
            return container.run_models(jobs=jobs, **how)(wanted)

    def build(
        self,
        select: Names = None,
        exclude: Names = None,
        jobs: int | None = None,
        full_refresh: bool = False,
        no_cache: bool = False,
        fail_fast: bool = False,
        lock_timeout: float = WAIT,
        **choice: Unpack[Choice],
    ) -> BuildReport:
        """Load seeds, build models and run tests, each model after the tests of what it reads.

        A failed test of severity "error" stops what depends on its model. Raises as `run` and `seed` do.
        """
        asked = RunOptions(full_refresh=full_refresh, no_cache=no_cache)
        with self.target.container(lock_timeout, "build", asked) as container:
            run_order(container.manifest())
            wanted = _wanted(container, select, exclude, choice)
            self._require(container, things_to_build(container.manifest(), wanted))
            jobs, how = _jobs(jobs, container), {"skipping": container.skipping(no_cache)}
            models = container.run_models(jobs=jobs, full_refresh=full_refresh, fail_fast=fail_fast, **how)
            return container.build_project(models=models)(wanted)

    def test(
        self, select: Names = None, exclude: Names = None, lock_timeout: float = WAIT, **choice: Unpack[Choice]
    ) -> CheckReport:
        """Run the selected data-quality tests; what does not hold is in the report."""
        with self.target.container(lock_timeout, "test") as container:
            wanted = _wanted(container, select, exclude, choice)
            require_names(container.compiler(), selected_checks(container.manifest(), wanted))
            return container.run_checks()(wanted)

    def seed(
        self, select: Names = None, exclude: Names = None, lock_timeout: float = WAIT, **choice: Unpack[Choice]
    ) -> SeedReport:
        """Load the selected seeds, all or none; raise `SeedError` naming file, row and column."""
        with self.target.container(lock_timeout, "seed") as container:
            wanted = _wanted(container, select, exclude, choice)
            self._require(container, selected_seeds(container.manifest(), wanted))
            return container.load_seeds()(wanted)

    def why(self, name: str, lock_timeout: float = WAIT) -> Explanation:
        """Return why a run would build a model, or leave it as it is."""
        with self.target.container(lock_timeout) as container:
            require_names(container.compiler(), _named(container.manifest(), name))
            return container.explain_model()(name)

    def clean(self, dry_run: bool = False, lock_timeout: float = WAIT, drop: Collection[str] = ()) -> list[Orphan]:
        """Drop what is left of models and seeds that are gone, all or none, and return it; `dry_run` drops nothing.

        What may not be FlowForge's work any more has a `doubt` and stays, and so does what keeps rows that no run can
        make again, but for the relations `drop`. Raises `EngineError` of kind DEPENDENTS.
        """
        with self.target.container(lock_timeout) as container:
            return container.clean_target()(dry_run, drop)

    def show(self, name: str, limit: int = 10, lock_timeout: float = WAIT) -> Rows:
        """Return the first rows of what `name` writes."""
        with self.target.container(lock_timeout) as container:
            require_names(container.compiler(), _named(container.manifest(), name))
            return container.show_model()(name, limit)

    def close(self) -> None:
        """Close what is kept open, which is only an in-memory target."""
        self.target.close()

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _require(self, container: Container, things: Collection[Node | Seed | Check]) -> None:
        """Raise `FlowForgeError` for what the engine cannot build or name, while nothing was opened yet."""
        require_names(container.compiler(), things)
        require_able(things, container.profile().spec, self.workspace.plugins, container.project().reader)


def _wanted(container: Container, select: Names, exclude: Names, choice: Choice) -> Selection:
    return Asked(select, exclude, **choice).among(container.project(), container.manifest(), container.profile)


def _named(manifest: Manifest, name: str) -> list[Node | Seed]:
    """Return the model or seed of that name; none where it is the name of a relation."""
    found = manifest.nodes.get(node_name(name)) or manifest.seeds.get(node_name(name))
    return [found] if found else []


def _jobs(asked: object, container: Container) -> int:
    """Return how many models build at once; raise `ConfigError` for a number that builds none."""
    if asked is None:
        return int(container.profile().spec.jobs)
    if not isinstance(asked, int) or asked < 1:
        raise ConfigError(f"`jobs` is a number from 1 on, not {asked!r}.", hint="Drop it for what suits the engine.")
    return asked


def open_project(
    path: str | Path,
    env: str | None = None,
    engine: str | None = None,
    progress: Progress = silent,
    variables: Mapping[str, Any] | None = None,
) -> Project:
    """Return the project in folder `path` without reading it yet."""
    told: set[str] = set()

    def tell(said: str) -> None:
        if said not in told:
            told.add(said)
            progress(Notice(said))

    workspace = open_workspace(path, env, engine, variables, tell)
    return Project(workspace, Target(workspace, progress))
