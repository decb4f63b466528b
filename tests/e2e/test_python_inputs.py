"""The inputs of a Python model are known by the names in its `deps`, whatever schema or alias a profile gives them."""

from __future__ import annotations

import pytest

MODEL = """\
from flowforge import model, relation_for, source


@model(
    deps=["vip.ff", "funnel", "countries", source("raw", "orders")],
    requires={{{}: {{"id"}}, {}: {{"n"}}}},
)
def both(inputs):
    {}
    return inputs["vip"]
"""
CHECKED = """\
assert list(inputs) == [SCHEMA + ".vip", SCHEMA + ".steps", "countries", "raw.orders_v1"]
    for name, key in zip(("vip", "funnel", "countries", source("raw", "orders")), inputs):
        assert name in inputs and inputs[name] is inputs.get(name) is inputs[key], name
    assert inputs["vip.ff"] is inputs[relation_for("vip")] is inputs["vip"]
    assert inputs["funnel"] is inputs[relation_for("funnel")]
    assert "steps" not in inputs and 1 not in inputs and inputs.get("steps", 7) == 7
    assert dict(inputs).keys() == inputs.keys() and len(inputs) == 4
    assert inputs.pop("funnel") is not None and "funnel" not in inputs
"""


@pytest.fixture
def shop(new_project):
    def written(keys=('"vip"', '"funnel"'), body=CHECKED, schema="marts"):
        return new_project(
            {
                "project.yml": "name: shop\nfolders:\n  marts: {schema: \"{{ env_var('MARTS', 'marts') }}\"}\n",
                "sources.yml": "raw:\n  orders: {schema: raw, identifier: \"{{ env_var('ORDERS', 'orders_v1') }}\"}\n",
                "seeds/countries.csv": "code\nde\n",
                "models/first.ff.sql": "{{ config(pre_hook='create schema if not exists raw', post_hook="
                "'create table if not exists raw.orders_v1 (id int)') }} select 1 as id",
                "models/marts.yml": "models:\n  funnel: {alias: \"{{ env_var('FUNNEL', 'steps') }}\"}\n",
                "models/marts/vip.ff.sql": "select id from {{ ref('first') }}",
                "models/marts/funnel.ff.sql": "select 1 as n from {{ ref('vip') }}",
                "models/both.ff.py": MODEL.format(*keys, body.replace("SCHEMA", repr(schema))),
            }
        )

    return written


@pytest.mark.parametrize("schema", ["marts", "prod_marts"])
@pytest.mark.parametrize("keys", [('"vip"', '"funnel"'), ('"vip.ff"', '"{}.steps"'), ('"{}.vip"', '"funnel.ff.sql"')])
def test_inputs_and_requires_are_keyed_by_name_and_by_relation(shop, in_shell, schema, keys):
    folder = shop([key.format(schema) for key in keys], schema=schema)
    said = in_shell("flowforge build", folder, MARTS=schema)
    assert said.returncode == 0, said.stdout + said.stderr


def test_one_input_is_required_by_name(shop, in_shell):
    folder = shop()
    single = '@model(deps=["funnel"], requires={"funnel": {"n", "m"}})\ndef one(df):\n    return df\n'
    (folder / "models" / "both.ff.py").write_text(f"from flowforge import model\n\n{single}")
    said = in_shell("flowforge build", folder)
    assert said.returncode == 1
    assert "models/both.ff.py:3" in said.stdout and "'funnel' lacks m; it has n." in said.stdout


def test_a_key_that_fits_nothing_is_told_with_the_names(shop, in_shell):
    said = in_shell("flowforge ls", shop(('"vip"', '"funel"')))
    assert said.returncode == 1
    assert "models/both.ff.py:4: Required columns are missing for model 'both'" in said.stderr
    assert "'funel' is not an input. Did you mean 'funnel'?" in said.stderr
    said = in_shell("flowforge build", shop(body='inputs["steps"]'))
    assert said.returncode == 1
    assert "'vip', 'funnel', 'countries', 'raw.orders'" in said.stdout
