from __future__ import annotations

from flowforge_bootstrap.plugins import Plugins, load_plugins
from flowforge_bootstrap.profile_schema import profile_schema

PLUGINS = load_plugins()
SCHEMA = profile_schema(PLUGINS)


def at(schema, *path):
    """Follow keys through properties and references."""
    for key in path:
        schema = schema["properties"][key]
        if "$ref" in schema:
            schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def profile(engine):
    reference = SCHEMA["additionalProperties"]["discriminator"]["mapping"][engine]
    return SCHEMA["$defs"][reference.rpartition("/")[2]]


def test_every_setting_that_the_environment_may_override_is_described():
    variants = {
        name for [(_, spec)] in PLUGINS.engines.values() for names in spec.variants.values() for name in names.values()
    }
    for name, [(_, spec)] in PLUGINS.engines.items():
        for path in () if name in variants else spec.environment.values():
            assert at(profile(name), *path), path


def test_a_number_may_be_a_template():
    number, template = at(profile("sqlite"), "sqlite", "timeout")["anyOf"]
    assert number["type"] == "number"
    assert template == {"type": "string", "pattern": "\\{\\{"}


def test_settings_of_another_engine_may_stand_beside():
    assert profile("sqlite")["properties"]["duckdb"] == {"type": "object"}
    assert profile("sqlite")["additionalProperties"] is False


def test_without_engines_anything_goes():
    assert profile_schema(Plugins())["additionalProperties"] == {}
