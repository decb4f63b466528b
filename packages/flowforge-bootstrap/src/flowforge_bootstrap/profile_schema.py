"""The JSON Schema of `profiles.yml`, from the pydantic models of the engines that are installed."""

from __future__ import annotations

from typing import Any

from flowforge_bootstrap.plugins import Plugins
from flowforge_bootstrap.profiles import profile_union

_SCALARS = {"integer", "number", "boolean"}
_TEMPLATE = {"type": "string", "pattern": "\\{\\{"}


def profile_schema(plugins: Plugins) -> dict[str, Any]:
    """Return what an editor checks a `profiles.yml` by; raise `PluginError` where an engine's settings cannot be read.

    A profile may hold settings of other engines than its own, and `{{ env_var(…) }}` wherever a value stands.
    """
    from pydantic import TypeAdapter

    installed = {name: claims[0][1] for name, claims in sorted(plugins.engines.items()) if len(claims) == 1}
    # A profile says the name of an engine and a setting, never the name of a variant.
    specs = {name: spec for name, spec in installed.items() if plugins.handing_over(name) is None}
    found = _with_templates(TypeAdapter(profile_union(specs.values())).json_schema()) if specs else {}
    definitions = found.pop("$defs", {})
    for model in (found, *definitions.values()):
        if "const" in model.get("properties", {}).get("engine", {}):
            model["properties"] |= {name: {"type": "object"} for name in specs if name not in model["properties"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "profiles.yml of FlowForge",
        "type": "object",
        "additionalProperties": found,
        "$defs": definitions,
    }


def _with_templates(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_with_templates(child) for child in schema]
    if not isinstance(schema, dict):
        return schema
    deep = {key: child if key in {"default", "enum"} else _with_templates(child) for key, child in schema.items()}
    if deep.get("type") in _SCALARS or "enum" in deep:
        return {"anyOf": [deep, _TEMPLATE]}
    return deep
