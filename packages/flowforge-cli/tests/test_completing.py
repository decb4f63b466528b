"""What a shell is offered for the names of models."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from flowforge_cli.main import main


def environment(shell, *words):
    """Return what a shell sets when it asks what may stand in place of the last word."""
    text = " ".join(["flowforge", *map(str, words)])
    asked = {"COMP_WORDS": text, "COMP_CWORD": str(len(words)), "_TYPER_COMPLETE_ARGS": text}
    return {"_FLOWFORGE_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_FISH_ACTION": "get-args", **asked}


@pytest.fixture
def offered(monkeypatch, capsys):
    """Return what `flowforge WORDS<TAB>` offers."""

    def complete(*words, by="bash"):
        with monkeypatch.context() as patched:
            for name, value in environment(by, *words).items():
                patched.setenv(name, value)
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main([])
        said = capsys.readouterr()
        assert (ended.value.code, said.err) == (0, "")
        return said.out.split()

    return complete


NAMES = ["customers", "orders", "revenue_by_customer"]
SEEDS = ["seed_customers", "seed_orders"]


@pytest.mark.parametrize("option", ["--select", "-s", "--exclude"])
@pytest.mark.parametrize("command", ["run", "ls"])
def test_a_selection_offers_models_seeds_and_tags(offered, shop, option, command):
    assert offered(command, shop, option, "") == [*NAMES, *SEEDS, "daily"]
    assert offered(command, shop, option, "o") == ["orders"]
    assert offered(command, shop, option, "+ord") == ["+orders"]
    assert offered(command, shop, option, "daily,2+s") == ["daily,2+seed_customers", "daily,2+seed_orders"]
    assert offered(command, shop, option, "zzz") == []


def test_in_the_projects_own_folder(offered, shop, monkeypatch):
    monkeypatch.chdir(shop)
    assert offered("why", "") == NAMES
    assert offered("show", "seed_o") == ["seed_orders"]
    assert offered("run", "-q", "--select", "rev") == ["revenue_by_customer"]


def test_other_shells(offered, shop):
    assert "orders" in " ".join(offered("run", shop, "--select", "ord", by="zsh"))
    assert offered("run", shop, "--select", "ord", by="fish") == ["orders"]


def test_names_are_those_of_the_files_now(offered, shop, monkeypatch):
    monkeypatch.chdir(shop)
    (shop / "models/orders.ff.sql").rename(shop / "models/late.ff.sql")
    assert offered("why", "") == ["customers", "late", "revenue_by_customer"]


def test_several_models_of_a_file_are_known_once_a_run_has_read_it(offered, flowforge, shop, monkeypatch):
    text = "from flowforge import model\n@model(name='one')\ndef f(): ...\n@model(name='two')\ndef g(): ...\n"
    (shop / "models/many.ff.py").write_text(text)
    monkeypatch.chdir(shop)
    assert offered("why", "") == ["customers", "many", "orders", "revenue_by_customer"]
    assert flowforge("compile", shop).code == 0
    assert offered("why", "") == ["customers", "one", "orders", "revenue_by_customer", "two"]


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"[]", b"null", b'{"nodes": []}', b'{"nodes": {"a": 1, "b": {"config": []}}}', b"[" * 100_000],
)
def test_a_broken_manifest_is_no_error(offered, shop, content):
    (shop / ".flowforge/manifest.json").write_bytes(content)
    assert offered("run", shop, "--select", "") == [*NAMES, *SEEDS]


def test_a_broken_project_is_no_error(offered, shop, tmp_path):
    (shop / "project.yml").write_text("nope: [")
    (shop / "models/orders.ff.sql").write_bytes(b"\xff{{")
    assert offered("run", shop, "--select", "o") == ["orders"]
    assert offered("run", tmp_path / "nothing", "--select", "o") == []


def test_names_that_a_shell_could_run_are_not_offered(offered, shop):
    for name in ("o$(touch x)", "o;x", "o'x", 'o"x', "o x", "o`x`", "o\nx", "oé.v-2"):
        (shop / f"models/{name}.ff.sql").write_text("select 1 as n")
    for shell in ("bash", "zsh", "fish"):
        said = " ".join(offered("run", shop, "--select", "o", by=shell))
        assert ("orders" in said, "oé.v-2" in said, "x" in said.replace("_arguments", "")) == (True, True, False)


def test_tags_that_are_no_texts_are_left_out(offered, shop):
    nodes = {"a": {"config": {"tags": ["good", 1, None]}}}
    (shop / ".flowforge/manifest.json").write_text(json.dumps({"nodes": nodes}))
    assert offered("run", shop, "--select", "g") == ["good"]


def test_no_project_is_read_and_no_engine_imported(shop):
    command = [sys.executable, "-X", "importtime", "-m", "flowforge"]
    asked = {**os.environ, **environment("bash", "run", shop, "--select", "o")}
    done = subprocess.run(command, env=asked, capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()) == (0, ["orders"])
    names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "flowforge_cli.completing" in names
    heavy = ("flowforge_bootstrap", "flowforge_project", "duckdb", "pandas", "jinja2", "yaml", "pluggy")
    assert [name for name in sorted(names) if name.startswith(heavy)] == []
