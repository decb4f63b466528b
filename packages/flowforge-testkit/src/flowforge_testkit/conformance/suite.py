"""`EngineConformance` and `PluginConformance`: the classes an adapter's tests subclass, with every standard case.

A case that needs an ability which the engine does not declare becomes a strict xfail: it must raise
`UnsupportedByEngineError`, so an engine that quietly does nothing, or quietly works, fails. A case about a guarantee
which the engine does not claim has nothing to prove: it is not run, and reported as an expected failure, "not claimed".

What the engine can do but the server of the tests cannot, such as an emulator, is named in `unproved` with the reason:
a strict xfail, "not proved here", so that the name must go when the server learns it. What was tried and is not so of
the engine itself is named in `limits`, and a strict xfail too, "does not hold". Of a case about the corpus of names,
`test_x[holding $]` are the names that hold a `$`: they are a case of their own then, and the others another.

A slow engine may try some of the corpus of names, `names_sample`; the report says so. With FLOWFORGE_NIGHTLY=1 it tries
all, and so it does at any time in a case that is named there, to come to the name which that is about.

What a statement is given to end once it was interrupted is `interrupt_within`, in seconds. Where it does not, the case
fails, the session is left as it is, since closing it may not end either, and the other cases go on.
"""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

from flowforge_domain.capability import Capability
from flowforge_domain.config import ModelConfig
from flowforge_domain.errors import UnsupportedByEngineError
from flowforge_ports.engine import Engine, EngineSpec
from flowforge_ports.materialization import MaterializationSpec
from flowforge_testkit.conformance import (
    catalog,
    checks,
    errors,
    faults,
    frames,
    incremental,
    materialization,
    materialize,
    names,
    plugin,
    seeds,
    session,
    snapshots,
    sources,
    state,
    streams,
    types,
    use_cases,
)
from flowforge_testkit.conformance.beside import Beside
from flowforge_testkit.conformance.names import Names
from flowforge_testkit.fakes import claim
from flowforge_testkit.report import describe, remark
from flowforge_testkit.sqlite.plugin import SPEC as SQLITE

MODULES: tuple[ModuleType, ...] = (
    session,
    catalog,
    materialize,
    incremental,
    snapshots,
    frames,
    types,
    seeds,
    checks,
    state,
    sources,
    names,
    errors,
    streams,
    use_cases,
    faults,
)
HOLDING = "holding "
# The lists in which a class names cases that are to fail, and what the report says of these.
_EXCUSES = {"unproved": "not proved here", "limits": "does not hold"}
_MUTED = {"skip", "skipif", "xfail"}


def cases(modules: Sequence[ModuleType] = MODULES) -> Mapping[str, Callable[..., None]]:
    """Return every standard case of these modules by name."""
    found = [(name, case) for module in modules for name, case in vars(module).items() if name.startswith("test_")]
    assert len(found) == len(dict(found)), "two standard cases share a name"
    return dict(found)


def _refuse_changes(cls: type[Suite]) -> None:
    changed = [name for name, case in cls.standard.items() if getattr(cls, name, None) is not case]
    if changed or cls.test_the_suite_is_whole is not Suite.test_the_suite_is_whole:
        listed = ", ".join(changed) or "test_the_suite_is_whole"
        limits = f'limits = {{"{changed[0] if changed else "test_x"}": "why"}}'
        raise TypeError(
            f"{cls.__name__} changes standard cases: {listed}. Declare the capability as absent instead; where no "
            f"capability stands for it, name the case: `{limits}`, or where only your tests cannot show it, "
            "`unproved = {…}`."
        )
    marks = cls.__dict__.get("pytestmark", ())
    if muted := [mark.name for mark in (marks if isinstance(marks, list | tuple) else [marks]) if mark.name in _MUTED]:
        raise TypeError(f"{cls.__name__} is marked {', '.join(muted)}: the standard cases must run.")


def _refuse_unknown(cls: type[Suite]) -> None:
    for listed in _EXCUSES:
        named: Mapping[str, str] = getattr(cls, listed)
        if unknown := [name for name in named if name.partition("[")[0] not in cls.standard]:
            raise TypeError(f"{cls.__name__}.{listed} names no standard cases: {', '.join(unknown)}.")
        if bare := [name for name, reason in named.items() if not str(reason).strip()]:
            raise TypeError(f"{cls.__name__}.{listed} gives no reason for {', '.join(bare)}.")
    if twice := cls.unproved.keys() & cls.limits.keys():
        raise TypeError(f"{cls.__name__} names {', '.join(sorted(twice))} in both `unproved` and `limits`.")


class Suite:
    """Standard cases that a subclass takes over whole; `modules` hold them.

    `unproved` maps a standard case, or one of its parametrized ones as `test_x[id]`, to why it cannot be proved here;
    `limits` maps one that was tried and does not hold to what is so instead.
    """

    standard: ClassVar[Mapping[str, Callable[..., None]]] = {}
    unproved: ClassVar[Mapping[str, str]] = {}
    limits: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, modules: Sequence[ModuleType] = (), **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if modules:
            cls.standard = cases(modules)
            for name, case in cls.standard.items():
                setattr(cls, name, staticmethod(case))
        _refuse_changes(cls)
        _refuse_unknown(cls)

    @pytest.fixture
    def spec(self) -> EngineSpec:
        """Return the engine's spec: a subclass must."""
        raise NotImplementedError("Give a fixture `spec` that returns the plugin's EngineSpec.")

    def test_the_suite_is_whole(self) -> None:
        """A standard case that was removed or replaced behind the class's back is found here."""
        _refuse_changes(type(self))


class PluginConformance(Suite, modules=(plugin,)):
    """What a plugin says of itself; a subclass gives the fixture `spec`. Pass this before the engine is written."""


class MaterializationConformance(Suite, modules=(materialization,)):
    """Every case about a plugin's materialization, on the reference engine.

    A subclass gives the fixtures `materialization`, its spec, and `config`, settings of a model that uses it; the
    model's rows have a key `id` and a text `name`.
    """

    @pytest.fixture
    def materialization(self) -> MaterializationSpec:
        """Return the plugin's materialization: a subclass must."""
        raise NotImplementedError("Give a fixture `materialization` that returns the plugin's MaterializationSpec.")

    @pytest.fixture
    def config(self, materialization: MaterializationSpec) -> ModelConfig:
        """Return the settings of a model that is materialized so."""
        return ModelConfig(materialization.name, unique_key=("id",))

    @pytest.fixture
    def engine(self, tmp_path: Path) -> Iterator[Engine]:
        """Open the reference engine."""
        opened = open_spec(SQLITE, {"engine": "sqlite"}, tmp_path)
        yield opened
        opened.session.close()


class EngineConformance(Suite, modules=MODULES):
    """Every case about an engine; a subclass gives `spec` and `profile` (a dict, or the profile itself)."""

    names_sample: ClassVar[int | None] = None
    interrupt_within: ClassVar[float] = 60.0

    @pytest.fixture
    def profile(self) -> Any:
        """Return settings of a fresh, empty target: a subclass must."""
        raise NotImplementedError("Give a fixture `profile` that returns settings of an empty target.")

    @pytest.fixture
    def engine(
        self, spec: EngineSpec, profile: Any, tmp_path: Path, beside: Beside, request: pytest.FixtureRequest
    ) -> Iterator[Engine]:
        """Open the engine; expect a refusal where the case needs what the engine declines."""
        opened = open_spec(spec, profile, tmp_path)
        describe(request.node, spec, opened)
        try:
            _leave_out_what_is_not_claimed(request, opened)
            _expect_refusals(request, opened)
            yield opened
        finally:
            if beside.ended:
                opened.session.close()

    @pytest.fixture
    def beside(self) -> Beside:
        """Give a case threads that it can leave behind."""
        return Beside(self.interrupt_within)

    @pytest.fixture
    def another(self, spec: EngineSpec, profile: Any, tmp_path: Path) -> Iterator[Callable[[], Engine]]:
        """Open further engines as other projects would, each in a folder of its own; all are closed."""
        with ExitStack() as closing:

            def opened() -> Engine:
                engine = open_spec(spec, profile, tmp_path / "another")
                closing.callback(engine.session.close)
                return engine

            yield opened

    @pytest.fixture
    def names(self, request: pytest.FixtureRequest) -> Names:
        """Return the names to try: all, unless `names_sample` says how many."""
        case, holding = request.node.originalname, getattr(request, "param", "")
        all_of_them = os.environ.get("FLOWFORGE_NIGHTLY") == "1" or holding or case in excused(type(self))
        most = None if all_of_them else self.names_sample
        without = () if holding else tuple(held_texts(type(self), case))
        return Names(most, lambda said: remark(request.node, said), holding, without)


def excused(cls: type[Suite]) -> dict[str, str]:
    """Return the cases of a class that are to fail, with the report's words and the reason."""
    return {case: f"{told}: {why}" for listed, told in _EXCUSES.items() for case, why in getattr(cls, listed).items()}


def held_texts(cls: type[Suite], case: str) -> list[str]:
    """Return the texts whose names a case is to fail with, as its class says."""
    start = f"{case}[{HOLDING}"
    return [key.removeprefix(start).removesuffix("]") for key in excused(cls) if key.startswith(start)]


def open_spec(spec: EngineSpec, profile: Any, root: Path) -> Engine:
    """Open an engine the way it will be opened in earnest: profile and opener by their references."""
    settings = pkgutil.resolve_name(spec.profile)
    checked = settings.model_validate(profile) if isinstance(profile, Mapping) else profile
    opened: Engine = pkgutil.resolve_name(spec.open)(checked, root, claim())
    return opened


def _leave_out_what_is_not_claimed(request: pytest.FixtureRequest, engine: Engine) -> None:
    for capability in _declined(request, "flowforge_claims", engine):
        pytest.xfail(f"not claimed by {engine.name}: {capability.value}")


def _expect_refusals(request: pytest.FixtureRequest, engine: Engine) -> None:
    for capability in _declined(request, "flowforge_needs", engine):
        reason = f"declined by {engine.name}: {capability.value}"
        request.applymarker(pytest.mark.xfail(reason=reason, raises=UnsupportedByEngineError, strict=True))


def _declined(request: pytest.FixtureRequest, marker: str, engine: Engine) -> list[Capability]:
    named = [Capability[name] for mark in request.node.iter_markers(marker) for name in mark.args]
    return [capability for capability in named if capability not in engine.capabilities]
