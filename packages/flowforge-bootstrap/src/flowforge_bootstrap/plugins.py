"""Finds plugins: the modules that distributions name in the entry-point group `flowforge`.

First-party plugins come through the same door as anyone's. A broken one is remembered and reported when it is asked
for; it takes nothing else down. (pluggy's own loader stops at the first ImportError and skips a second entry point of
one name silently, so entry points are read here.)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points, version
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, TypeVar

import pluggy

from flowforge_app.no_help import NoAnalysis
from flowforge_bootstrap.plugin_faults import UPGRADE, Broken, failed, missing_module, unheard
from flowforge_domain.config import BUILT_IN
from flowforge_domain.errors import PluginError
from flowforge_domain.materializations import PLANS
from flowforge_domain.text import did_you_mean, nearest
from flowforge_ports import hooks
from flowforge_ports.docs import SiteSpec
from flowforge_ports.engine import API_VERSION, EngineSpec
from flowforge_ports.materialization import MaterializationSpec, PlanOf
from flowforge_ports.project import ProjectPorts, ProjectSpec
from flowforge_ports.sql import SqlAnalysis, SqlSpec

Spec = TypeVar("Spec", EngineSpec, MaterializationSpec, ProjectSpec, SiteSpec, SqlSpec)

# Engines that FlowForge itself ships, with the extra that installs them; `init` takes the first that is there.
SHIPPED_ENGINES = {
    "duckdb": "duckdb",
    "postgres": "postgres",
    "bigquery": "bigquery",
    "bigquery+bigframes": "bigframes",
    "databricks_spark": "databricks",
    "snowflake_snowpark": "snowflake",
}


def install_line(engine: str) -> str:
    """Return the command that installs an engine which FlowForge ships."""
    return f'pip install "flowforge[{SHIPPED_ENGINES[engine]}]"'


@dataclass(frozen=True)
class Plugins:
    """What was found: each spec with the distribution that announced it, and what could not be loaded."""

    engines: Mapping[str, list[tuple[str, EngineSpec]]] = field(default_factory=dict)
    projects: Mapping[str, list[tuple[str, ProjectSpec]]] = field(default_factory=dict)
    sites: Mapping[str, list[tuple[str, SiteSpec]]] = field(default_factory=dict)
    materializations: Mapping[str, list[tuple[str, MaterializationSpec]]] = field(default_factory=dict)
    analyses: Mapping[str, list[tuple[str, SqlSpec]]] = field(default_factory=dict)
    broken: Sequence[Broken] = ()

    def engine(self, name: str) -> EngineSpec:
        """Return the engine's spec; raise `PluginError` saying how to install it, or who else claims its name."""
        if name not in self.engines:
            raise self._missing_engine(name)
        return _only(name, self.engines[name])

    def handing_over(self, name: str) -> tuple[EngineSpec, tuple[str, ...], Any] | None:
        """Return what hands over to engine `name`: an engine, the path of its setting, the value; None if none does."""
        return next(
            (
                (spec, path, value)
                for claims in self.engines.values()
                for _, spec in claims
                for path, names in spec.variants.items()
                for value, variant in names.items()
                if variant == name
            ),
            None,
        )

    def plans(self) -> dict[str, PlanOf]:
        """Return how each materialization is planned, the built-in ones included; those of plugins are loaded.

        Raises `PluginError` when a plugin claims a name that is taken, or cannot be loaded.
        """
        for name in set(BUILT_IN) & self.materializations.keys():
            raise PluginError(f"{name!r} is built in; {_claimants(self.materializations[name])} claims it too.")
        return {**PLANS, **{name: resolve(_only(name, found).plan) for name, found in self.materializations.items()}}

    def versions(self, engine: str) -> dict[str, tuple[str, str]]:
        """Return which distribution, in which version, brings an engine, and each materialization, by their names."""
        claims = {name: self.engines[name] for name in {engine} & self.engines.keys()} | dict(self.materializations)
        return {name: (one, version(one)) for name, found in claims.items() for one, _ in found[:1]}

    def project(self) -> ProjectSpec:
        """Return the project format; raise `PluginError` when it is missing or ambiguous."""
        return self._single("project format", self.projects)

    def open_project(self, root: Path) -> ProjectPorts:
        """Return the ports of the project in a folder; raise `ConfigError` where there is none."""
        ports: ProjectPorts = resolve(self.project().open)(root, (*BUILT_IN, *self.materializations))
        return ports

    def analysis(self, root: Path) -> SqlAnalysis:
        """Return what understands the SQL of the project in a folder; nothing is imported for SQL that is known."""
        if not self.analyses:
            return NoAnalysis()
        opened: SqlAnalysis = resolve(self._single("SQL analysis", self.analyses).open)(root)
        return opened

    def site(self) -> SiteSpec:
        """Return the documentation site; raise `PluginError` when it is missing or ambiguous."""
        return self._single("documentation site", self.sites)

    def _single(self, what: str, found: Mapping[str, list[tuple[str, Spec]]]) -> Spec:
        if not found:
            raise PluginError(f"No {what} is installed.{self._why_not()}", hint="Install one: pip install flowforge")
        return _only(what, [claim for claims in found.values() for claim in claims])

    def _missing_engine(self, name: str) -> PluginError:
        for one in self.broken:
            if one.name in {name, name.partition("+")[0], SHIPPED_ENGINES.get(name)}:
                return PluginError(f"Plugin {one.name!r} cannot be used: {one.reason}", hint=one.fix)
        if name in SHIPPED_ENGINES:
            return PluginError(f"Engine {name!r} is not installed: {install_line(name)}")
        known = {*self.engines, *SHIPPED_ENGINES, *(one.engine for one in self.broken if one.engine)}
        if nearest(name, known):
            return PluginError(f"There is no engine {name!r}.", hint=did_you_mean(name, known))
        match [one for one in self.broken if not one.engine]:
            case []:
                said, hint = ".", did_you_mean(name, self.engines)
            case [one]:
                said = f", unless plugin {one.name} gives it, which cannot be used: {one.reason}"
                hint = one.fix
            case unread:
                listed = ", ".join(one.name for one in unread)
                said = f", unless a plugin gives it that cannot be used: {listed}."
                hint = "`flowforge engines` tells how to mend each."
        return PluginError(f"There is no engine {name!r}{said}", hint=hint)

    def _why_not(self) -> str:
        return "".join(f" Plugin {one.name} cannot be used: {one.reason}." for one in self.broken)


def load_plugins() -> Plugins:
    """Return every plugin that is installed."""
    found = entry_points(group=hooks.PROJECT)
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    broken: list[Broken] = []
    distributions: dict[int, str] = {}
    for entry in sorted(found, key=lambda e: (e.name, e.value)):
        distribution = _distribution(entry)
        try:
            with redirect_stdout(sys.stderr):  # What a command prints may be read by a program.
                module = entry.load()
            distributions[id(module)] = distribution
            manager.register(module, f"{distribution}:{entry.name}")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may fail in any way, and take nothing down
            broken.append(failed(entry.name, distribution, entry.module, error))
            continue
        if silent := unheard(entry.name, distribution, module, manager):
            broken.append(silent)
    engines, projects, sites, kinds, analyses = (_announced(manager, hook, distributions, broken) for hook in _HOOKS)
    for newer in [claim for claims in engines.values() for claim in claims if claim[1].api > API_VERSION]:
        broken.append(_too_new(*newer))
        engines[newer[1].name].remove(newer)
    engines = {name: claims for name, claims in engines.items() if claims}
    faulty = sorted(broken, key=lambda one: (one.name, one.distribution))
    return Plugins(engines, projects, sites, kinds, analyses, faulty)


def resolve(reference: str) -> Any:
    """Return what a spec's `module:attribute` refers to; raise `PluginError` when it cannot be imported."""
    try:
        return resolve_name(reference)
    except (ImportError, AttributeError, ValueError) as error:
        package = reference.partition(":")[0].partition(".")[0]
        fix = missing_module(error, package) or "Correct what the plugin's spec refers to."
        raise PluginError(f"{reference!r} cannot be loaded: {error}", hint=fix) from error


# In the order of the fields of `Plugins`.
_HOOKS = (
    "flowforge_engines",
    "flowforge_projects",
    "flowforge_sites",
    "flowforge_materializations",
    "flowforge_sql",
)


def _announced(
    manager: pluggy.PluginManager, hook: str, distributions: Mapping[int, str], broken: list[Broken]
) -> dict[str, list[tuple[str, Any]]]:
    claims: dict[str, list[tuple[str, Any]]] = {}
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        announce: Callable[[], list[Any]] = implementation.function
        distribution = distributions[id(implementation.plugin)]
        try:
            with redirect_stdout(sys.stderr):
                announced = [(spec.name, spec) for spec in announce()]
            for name, spec in announced:
                claims.setdefault(name, []).append((distribution, spec))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            name = implementation.plugin_name.rpartition(":")[2]
            broken.append(failed(name, distribution, announce.__module__, error))
    return claims


def _too_new(distribution: str, spec: EngineSpec) -> Broken:
    reason = f"it is written for version {spec.api} of FlowForge's ports, and this is version {API_VERSION}"
    return Broken(spec.name, distribution, reason, f"Upgrade FlowForge: {UPGRADE}", engine=spec.name)


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value


def _only(name: str, claims: list[tuple[str, Spec]]) -> Spec:
    if len(claims) > 1:
        raise PluginError(f"{name!r} is claimed by {_claimants(claims)}.", hint="Uninstall one of them.")
    return claims[0][1]


def _claimants(claims: list[tuple[str, Spec]]) -> str:
    return " and ".join(sorted({distribution for distribution, _ in claims}))
