"""Takes up a run that did not end well: on the same target and asked for alike, where nothing else is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flowforge_app.past_runs import done_by, gone_from, left_of, require_no_selection
from flowforge_bootstrap.profiles import ResolvedProfile
from flowforge_bootstrap.workspace import Workspace, read_project
from flowforge_domain.errors import ConfigError
from flowforge_domain.journal import RunOptions, RunRecord, as_arguments
from flowforge_domain.selection import Selection
from flowforge_ports.engine import Engine
from flowforge_ports.progress import Notice

if TYPE_CHECKING:
    from flowforge_bootstrap.container import Container


@dataclass(frozen=True)
class Resumed:
    """The last run and the workspace in which it is taken up; `again` is what is asked for as it was then."""

    last: RunRecord
    workspace: Workspace
    again: RunOptions

    @property
    def done(self) -> frozenset[str]:
        """The names of the models that it came to the end of."""
        return done_by(self.last)

    def asked(self, options: RunOptions) -> RunOptions:
        """Return options with those of the run."""
        full_refresh, no_cache = self.again.full_refresh, self.again.no_cache
        return RunOptions(full_refresh=options.full_refresh or full_refresh, no_cache=options.no_cache or no_cache)

    def wanted(self, container: Container, asked: Selection) -> Selection:
        """Return what is left of it to do, and tell what is not.

        Raises `ConfigError` for a selection beside it, for another target, and when nothing is left.
        """
        require_no_selection(asked)
        left = left_of(self.last, container.manifest())
        _require_profile(self.last, container.profile())
        _require_target(self.last, container.engine())
        again = as_arguments(self.again)
        again = f"Run {self.last.run} is resumed with {again}" if again else ""
        for said in (again, gone_from(self.last, container.manifest())):
            if said:
                container.progress()(Notice(said))
        return left


def take_up(workspace: Workspace) -> Resumed:
    """Return the last run, with its profile, engine and variables where the workspace says nothing of them.

    Raises `ConfigError` when there is nothing to resume, and for variables that must be given again.
    """
    last = workspace.past_runs().to_resume()
    options, given = last.options, workspace.variables
    env = options.env or None if workspace.env is None else workspace.env
    engine = options.engine or None if workspace.engine is None else workspace.engine
    as_then = replace(workspace, env=env, engine=engine)
    read = _read_variables(as_then)
    if missing := [name for name in options.unkept if read(name) and name not in given]:
        message = f"Run {last.run} was given {', '.join(map(repr, missing))} with --vars, which no journal keeps."
        raise ConfigError(message, hint="Give it again with --vars, beside --resume.")
    taken = {name: value for name, value in options.variables.items() if read(name) and name not in given}
    as_then = replace(as_then, variables={**taken, **given})
    told_env = options.env if workspace.env is None and env != "default" else ""
    told_engine = options.engine if workspace.engine is None else ""
    return Resumed(last, as_then, replace(options, env=told_env, engine=told_engine, variables=taken))


def _read_variables(workspace: Workspace) -> Callable[[str], bool]:
    """Return what tells whether a variable is read still: one that is not may be what made the run fail."""
    project = read_project(workspace, workspace.ports())
    known = {*project.variables, *project.read_variables}
    return lambda name: name in known or "" in known


def _require_profile(last: RunRecord, profile: ResolvedProfile) -> None:
    """Refuse another target before it is opened, and perhaps created."""
    for what, then, now in (
        ("profile", last.options.env, profile.name),
        ("engine", last.engine, profile.spec.name),
    ):
        if then and then != now:
            raise _elsewhere(last, f"{what} {then!r}", f"{what} {now!r}")


def _require_target(last: RunRecord, engine: Engine) -> None:
    if last.target and last.target != engine.target:
        raise _elsewhere(last, last.target, engine.target)


def _elsewhere(last: RunRecord, then: str, now: str) -> ConfigError:
    message = f"Run {last.run} worked on {then}, and cannot be resumed on {now}."
    return ConfigError(message, hint="Drop --env and --engine beside --resume, or start a new run without --resume.")
