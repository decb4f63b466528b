"""Plugins: what a distribution must say before any target is opened."""

from __future__ import annotations

import json
import pkgutil
import re
import subprocess
import sys
from importlib.metadata import entry_points, metadata, requires
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from flowforge_bootstrap.plugins import load_plugins
from flowforge_domain.capability import Capability
from flowforge_ports.engine import API_VERSION, EngineSpec

_FIRST_TYPES = {"text", "bigint", "double", "boolean", "timestamp"}
_MOST_SECONDS = 0.005
_WORD = "[a-z][a-z0-9_]*"
# What loading a plugin costs beyond the ports, in processor time, since a busy machine makes any wall clock late.
_LOADING = """
import json, sys, time
import flowforge_ports.engine, flowforge_ports.hooks
import flowforge_domain.capability, flowforge_domain.dialect, flowforge_domain.materialize
before, started = set(sys.modules), time.process_time()
__import__({module!r})
spent = time.process_time() - started
print(json.dumps([spent, sorted(set(sys.modules) - before)]))
"""


def test_it_is_found_by_its_entry_point(spec: EngineSpec) -> None:
    """Installed, its module is named in the group `flowforge`, and nobody else claims the name."""
    plugins = load_plugins()
    assert [one for one in plugins.broken if one.name == spec.name] == []
    assert plugins.engines.get(spec.name) == [(spec.distribution, spec)]


def test_its_name_is_a_plain_word(spec: EngineSpec) -> None:
    """That of a variant has two, `engine+variant`; the dialect may be called otherwise, for several may share one."""
    assert re.fullmatch(rf"{_WORD}(\+{_WORD})?", spec.name)
    assert re.fullmatch(_WORD, spec.dialect.name)


def test_a_setting_leads_to_a_variant(spec: EngineSpec) -> None:
    """The engine before the `+` names, in its `variants`, the setting that hands over; its variants begin so."""
    engine = spec if spec.name == _base(spec) else load_plugins().engine(_base(spec))
    variants = {name for names in engine.variants.values() for name in names.values()}
    assert spec.name in {engine.name, *variants}
    assert {name.partition("+")[0] for name in variants} <= {engine.name}


def test_it_is_written_for_these_ports(spec: EngineSpec) -> None:
    assert 1 <= spec.api <= API_VERSION


def test_loading_it_imports_no_driver(spec: EngineSpec) -> None:
    """Nothing that is neither Python's, FlowForge's nor another plugin: a plugin is read in every command."""
    plugins = {entry.value.partition(".")[0] for entry in entry_points(group="flowforge")}
    _, imported = _loaded(spec)
    light = {"flowforge_ports", "flowforge_domain"} | plugins | set(sys.stdlib_module_names)
    strange = {name.partition(".")[0] for name in imported} - light
    assert sorted(strange) == []


def test_loading_it_costs_less_than_five_milliseconds(spec: EngineSpec) -> None:
    assert min(_loaded(spec)[0] for _ in range(5)) < _MOST_SECONDS


def test_its_profile_is_told_by_its_name(spec: EngineSpec) -> None:
    assert _profile(spec).model_fields["engine"].annotation == Literal[_base(spec)]


def test_its_example_is_a_valid_profile(spec: EngineSpec) -> None:
    """Where it asks the environment, by a template, there is nothing to validate yet."""
    try:
        _profile(spec).model_validate({"engine": _base(spec), _base(spec): dict(spec.example)})
    except ValidationError as error:
        assert [one for one in error.errors() if "{{" not in str(one["input"])] == []


def test_its_profile_refuses_what_it_does_not_know(spec: EngineSpec) -> None:
    name = _base(spec)
    for wrong in ({"ff_no_such": 1}, {name: {**spec.example, "ff_no_such": 1}}):
        with pytest.raises(ValueError, match="ff_no_such"):
            _profile(spec).model_validate({"engine": name, name: dict(spec.example), **wrong})


def test_environment_variables_override_settings_that_exist(spec: EngineSpec) -> None:
    """And the schema that the SQL must name, where there is one, is such a setting too."""
    assert all(re.fullmatch(r"FF_[A-Z0-9_]+", variable) for variable in spec.environment)
    assert spec.schema or spec.dialect.default_schema or not spec.dialect.qualifies
    for named, path in {**spec.environment, "`schema`": spec.schema}.items():
        model = _profile(spec)
        for part in path:
            assert part in model.model_fields, f"{named} is {'.'.join(path)}, which does not exist"
            model = model.model_fields[part].annotation


def test_its_passwords_are_kept_secret(spec: EngineSpec) -> None:
    shown = json.dumps(_profile(spec).model_json_schema())
    for name, described in re.findall(r'"(\w*(?:password|token|secret)\w*)": (\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})', shown):
        assert '"format": "password"' in described, f"{name} is no SecretStr"


def test_its_opener_is_there(spec: EngineSpec) -> None:
    assert callable(pkgutil.resolve_name(spec.open))


def test_its_dialect_is_whole(spec: EngineSpec) -> None:
    assert spec.dialect.types.keys() >= _FIRST_TYPES
    assert "{column}" in spec.dialect.age_minutes
    assert len(spec.dialect.quote) == 1


def test_one_model_at_a_time_without_a_second_session(spec: EngineSpec) -> None:
    assert spec.jobs >= 1
    assert spec.jobs == 1 or Capability.CONCURRENT_SESSIONS in spec.capabilities


def test_its_distribution_introduces_itself(spec: EngineSpec) -> None:
    about = metadata(spec.distribution).json
    for key in ("summary", "description", "requires_python"):
        assert about.get(key), f"{key} is missing"
    assert about.get("license_expression") or about.get("license"), "the licence is missing"
    assert any(line.startswith("flowforge") for line in requires(spec.distribution) or ())


def _base(spec: EngineSpec) -> str:
    """Return the name that a profile says: that of a variant is its engine's."""
    return spec.name.partition("+")[0]


def _modules(spec: EngineSpec) -> list[str]:
    """Return the modules of the group that announce this engine."""
    found = [entry for entry in entry_points(group="flowforge") if entry.dist and entry.dist.name == spec.distribution]
    assert found, f"{spec.distribution} names no module in the entry-point group 'flowforge'"
    return [entry.value for entry in found]


def _loaded(spec: EngineSpec) -> tuple[float, list[str]]:
    """Load the plugin in a fresh process and return the seconds it took and the modules it brought."""
    code = "".join(_LOADING.format(module=module) for module in _modules(spec)[:1])
    done = subprocess.run(  # noqa: S603 - our own code, in this interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    spent, imported = json.loads(done.stdout)
    return spent, imported


def _profile(spec: EngineSpec) -> Any:
    return pkgutil.resolve_name(spec.profile)
