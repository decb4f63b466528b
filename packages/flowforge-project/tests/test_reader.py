"""A folder becomes a manifest: names, relations, sources, seeds, tests, lines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flowforge_domain.errors import ConfigError
from flowforge_domain.model import SeedOptions
from flowforge_domain.retries import Retries
from flowforge_domain.selectors import Selector
from flowforge_domain.text import Location
from flowforge_project.folder import CACHE_FILE
from flowforge_project.reader import FolderReader

EXAMPLE = Path(__file__).parents[3] / "examples" / "simple_duckdb"


def test_the_example_reads_as_its_page_says():
    manifest = FolderReader(EXAMPLE).manifest()
    assert {name: (node.kind, list(node.deps), node.relation) for name, node in manifest.nodes.items()} == {
        "mart_orders_enriched": ("python", ["orders", "users_enriched"], "mart_orders_enriched"),
        "marts_daily": ("sql", ["users_enriched"], "mart_users"),
        "orders": ("sql", [], "orders"),
        "users": ("sql", [], "users"),
        "users_enriched": ("python", ["users"], "users_enriched"),
    }
    assert manifest.nodes["users_enriched"].requires == {"users": frozenset({"id", "email"})}
    assert {key: source.relation for key, source in manifest.sources.items()} == {
        ("crm", "users"): "seed_users",
        ("erp", "orders"): "seed_orders",
    }
    assert [(check.type, check.subject, check.tags) for check in manifest.checks] == [
        ("not_null", "users.email", ("batch",)),
        ("unique", "users.id", ("batch",)),
        ("row_count_between", "orders", ("batch",)),
    ]
    assert sorted(manifest.seeds) == ["seed_orders", "seed_users"]


def test_a_project_may_be_nearly_empty(project):
    manifest = project.write({"project.yml": ""}).manifest()
    assert (manifest.name, manifest.root, manifest.nodes, manifest.checks) == ("project", project.root, {}, ())


def test_project_wide_facts(project):
    text = "name: shop\ndescription: All of it.\nvars:\n  start: 2024-01-01\n  deep: {a: [1]}\n"
    manifest = project.write({"project.yml": text}).manifest()
    assert (manifest.name, manifest.description) == ("shop", "All of it.")
    assert manifest.variables == {"start": "2024-01-01", "deep": {"a": [1]}}


@pytest.mark.parametrize(
    ("text", "retries"),
    [
        ("", Retries(4, 1.0)),
        ("retries:\n", Retries()),
        ("retries:\n  attempts:\n", Retries()),
        ("retries: {attempts: 1}\n", Retries(attempts=1)),
        ("retries: {attempts: 7, delay: 0.5}\n", Retries(7, 0.5)),
    ],
)
def test_retries(project, text, retries):
    assert project.write({"project.yml": text}).manifest().retries == retries


def test_references_are_named_once_with_their_first_line(project):
    text = "select *\nfrom {{ ref('b.ff') }}, {{ ref('c') }}\n, {{ ref('b') }}, {{ source('g', 't') }}\n"
    text += ", {{ source('g', 't') }}"
    node = project.write({"models/a.ff.sql": text}).manifest().nodes["a"]
    assert node.deps == ("b", "c")
    assert node.sources == (("g", "t"),)
    assert [str(node.where(name)) for name in ("b", "c", "g.t", "")] == [
        "models/a.ff.sql:2",
        "models/a.ff.sql:2",
        "models/a.ff.sql:3",
        "models/a.ff.sql",
    ]


def test_one_python_file_may_make_several_nodes(project):
    text = "@model(name='a')\ndef f(): ...\n@model(name='b.ff', deps=['a.ff'])\ndef g(x): ...\n@model()\ndef h(): ...\n"
    nodes = project.write({"models/x.ff.py": text}).manifest().nodes
    assert {name: tuple(node.deps) for name, node in nodes.items()} == {"a": (), "b": ("a",), "x": ()}


def test_python_models_that_are_named_as_helpers_are_told(project):
    marked = "from flowforge import model\n\n\n@model(deps=['a'])\ndef b(df): ...\n"
    files = {
        "models/deep/b.py": marked,
        "models/c.py": marked.replace("import model", "import core").replace("@model", "@core.model"),
        "models/helpers.py": "def helper(model): ...\n# @model\n",
        "models/other.py": "from pony import model\n@model\ndef x(): ...\n",
        "models/d.ff.py": marked.replace("b(df)", "d(df)"),
        "models/__pycache__/e.py": marked,
        "models/a.ff.sql": "select 1 as n",
    }
    manifest = project.write(files).manifest()
    assert set(manifest.nodes) == {"a", "d"}
    assert manifest.notices == (
        "models/c.py holds @model, and is read as a helper: rename it to models/c.ff.py if it is a model.",
        "models/deep/b.py holds @model, and is read as a helper: rename it to models/deep/b.ff.py if it is a model.",
    )


def test_sources_have_relations_of_plain_and_odd_names(project):
    text = "g:\n  a:\n  b: {identifier: c}\n  d: {schema: s, identifier: my table, description: D}\n  e: {schema: s}\n"
    sources = project.write({"sources.yml": text, "models/a.ff.sql": "select 1"}).manifest().sources
    assert {key[1]: source.relation for key, source in sources.items()} == {
        "a": "a",
        "b": "c",
        "d": 's."my table"',
        "e": "s.e",
    }
    assert (sources["g", "d"].description, str(sources["g", "d"].where)) == ("D", "sources.yml:4")


def test_seeds_of_every_kind(project):
    files = {f"seeds/x/{name}": "a\n" for name in ("a.csv", "b.csv.gz", "c.parquet", "d.sql", "README.md", "e.xlsx")}
    text = (
        "seeds:\n  a: {delimiter: ';', 'null': NA, column_types: {a: text}, quote: \"'\", encoding: latin-1}\n"
        "  b.ff: {null: x}\n"
    )
    seeds = project.write({**files, "project.yml": text}).manifest().seeds
    assert {name: seed.kind for name, seed in seeds.items()} == {"a": "csv", "b": "csv", "c": "parquet", "d": "sql"}
    assert seeds["a"].options == SeedOptions({"a": "text"}, ";", "'", "NA", "latin-1")
    assert seeds["b"].options == SeedOptions(null="x")
    assert (seeds["a"].file, seeds["a"].relation) == ("seeds/x/a.csv", "a")


def test_tests_stand_in_the_project_and_beside_models(project):
    one = "tests:\n  - {type: unique, table: a, column: b}\n"
    two = "tests:\n\n  - {type: greater_equal, table: a, column: b, threshold: 0, severity: warn, tags: [x]}\n"
    checks = project.write({"project.yml": one, "models/m.yml": two}).manifest().checks
    assert [check.severity for check in checks] == ["error", "warn"]
    assert [(check.type, dict(check.parameters), check.tags, str(check.where)) for check in checks] == [
        ("unique", {}, (), "project.yml:2"),
        ("greater_equal", {"threshold": 0}, ("x",), "models/m.yml:3"),
    ]


def test_selectors_have_their_place_and_may_not_go_in_circles(project):
    text = "selectors:\n  nightly: tag:nightly\n  marts:\n    select: [path:marts, selector:nightly]\n    exclude: x\n"
    assert project.write({"project.yml": text}).manifest().selectors == {
        "nightly": Selector("nightly", ("tag:nightly",), where=Location("project.yml", 2)),
        "marts": Selector("marts", ("path:marts", "selector:nightly"), ("x",), where=Location("project.yml", 3)),
    }
    with pytest.raises(ConfigError, match="in a circle: a → a") as caught:
        project.write({"project.yml": "selectors:\n\n  a: +selector:a\n"}).manifest()
    assert str(caught.value.where) == "project.yml:3"


def test_the_checksum_is_that_of_the_text_whatever_its_line_ends(project):
    unix = project.write({"models/a.ff.sql": "select 1\n  as n\n"}).manifest().nodes["a"].checksum
    assert unix
    assert project.write({"models/a.ff.sql": "\ufeffselect 1\r\n  as n"}).manifest().nodes["a"].checksum == unix
    assert project.write({"models/a.ff.sql": "select 1\n  as m\n"}).manifest().nodes["a"].checksum != unix


def test_text_is_the_file_as_written(project):
    project.write({"models/a.ff.sql": "\ufeffselect 1\r\n"})
    node = project.manifest().nodes["a"]
    assert FolderReader(project.root).text(node) == "select 1\r\n"
    node.path.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        FolderReader(project.root).text(node)


def test_a_warm_load_is_a_cold_one_and_imports_no_parser(project):
    project.write(
        {
            "models/a.ff.sql": "{{ config(meta={'x': (1, 2)}) }}create view v as select {% if true %}1{% endif %}",
            "models/b.ff.py": "@model(deps=['a', source('g', 't')], requires={'v': {'x'}}, tags=('t',))\ndef f(x): ...",
            "models/m.yml": "models: {a: {description: A}}",
            "sources.yml": "g: {t: }",
            "project.yml": "vars: {a: 1}",
        }
    )
    cold = project.manifest()
    assert (project.root / CACHE_FILE).is_file()
    assert project.manifest() == cold
    code = (
        "import sys, pathlib; from flowforge_project.reader import FolderReader;"
        "FolderReader(pathlib.Path(sys.argv[1])).manifest();"
        "print([m for m in ('jinja2', 'yaml', 'pydantic', 'difflib') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(project.root)], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_garbage_collector_is_left_as_it_was(project):
    import gc

    project.write({"models/a.ff.sql": "select 1"}).manifest()
    assert gc.isenabled()
    gc.disable()
    try:
        project.manifest()
        assert not gc.isenabled()
    finally:
        gc.enable()
    with pytest.raises(ConfigError):
        project.write({"project.yml": "x: 1"}).manifest()
    assert gc.isenabled()


def test_a_python_model_is_where_its_marker_is(project):
    text = "from flowforge import model\n\n@model()\ndef a(): ...\n\n\n@model(name='b', deps=['a'])\ndef b(a): ...\n"
    project.write({"models/a.ff.py": text})
    for nodes in (project.manifest().nodes, project.manifest().nodes):
        assert [str(nodes[name].where()) for name in "ab"] == ["models/a.ff.py:3", "models/a.ff.py:7"]


@pytest.mark.parametrize("name", ["models/users.sql", "models/deep/er/x.y.sql"])
def test_sql_that_is_no_model_by_its_name_is_told(project, name):
    with pytest.raises(ConfigError, match=r"is not read: its name must end with \.ff\.sql") as caught:
        project.write({name: "select 1", "models/helpers.py": "", "models/notes.md": ""}).manifest()
    assert str(caught.value.where) == name
    assert caught.value.hint == f"Rename it to {name.removesuffix('.sql')}.ff.sql."
