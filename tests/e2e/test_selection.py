"""`examples/selection`: what its README shows, and builds of what was changed."""

from __future__ import annotations

import json
import subprocess

import pytest


@pytest.fixture
def project(fresh_tree):
    return fresh_tree / "examples" / "selection"


@pytest.fixture
def said(project, in_shell):
    """Run a command in the project and return the lines that it prints; fails where it does not end with 0."""

    def run(command):
        answer = in_shell(f"flowforge {command}", project)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout.splitlines()

    return run


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("", "seed_customers seed_orders stg_customers stg_orders revenue best_customer"),
        ("--select +revenue", "seed_customers seed_orders stg_customers stg_orders revenue"),
        ("--select 'source:shop.orders+,owner:bi'", "revenue best_customer"),
        ("--select @stg_orders --resource model", "stg_customers stg_orders revenue best_customer"),
        ("--selector nightly --resource model", "stg_customers stg_orders revenue"),
        ("--selector light", "seed_customers seed_orders stg_customers stg_orders best_customer"),
        ("--select 'config.meta.team:fin*'", "revenue"),
        ("--select 'stg_*' --exclude path:staging/stg_orders.ff.sql", "stg_customers"),
    ],
)
def test_lists(said, options, names):
    assert said(f"ls {options}") == names.split()


def test_tests_as_json(said):
    found = [json.loads(line) for line in said("ls --select kind:test --resource test --output json")]
    assert [(one["type"], one["severity"]) for one in found] == [
        ("unique", "error"),
        ("not_null", "warn"),
        ("non_negative_sum", "error"),
    ]


def test_a_build_and_what_a_change_reaches(said, project, in_shell):
    assert "⚠ warned: 1" in said("build")
    said("compile")
    (project / "before").mkdir()
    (project / ".flowforge/manifest.json").rename(project / "before/manifest.json")
    nothing = in_shell("flowforge build --select state:modified+ --state before", project)
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert "The selection leaves no" in nothing.stderr
    with (project / "models/staging/stg_orders.ff.sql").open("a") as file:
        file.write("-- changed\n")
    with (project / "seeds/seed_customers.csv").open("a") as file:
        file.write("4,Dora,dora@example.com\n")
    assert said("ls --select state:modified --state before") == ["seed_customers", "stg_orders"]
    reached = ["stg_orders", "revenue", "best_customer"]
    assert said("ls --select state:modified.body+ --state before --exclude 'seed_customers stg_customers'") == reached
    assert "✓ seeded: 1" in "\n".join(said("build --select state:modified+ --state before"))


def test_changes_since_a_commit(said, project):
    for command in ("init -q", "add .", "commit -qm one"):
        identity = ["-c", "user.name=me", "-c", "user.email=me@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *command.split()], cwd=project, check=True)
    with (project / "models/marts/best_customer.ff.sql").open("a") as file:
        file.write("-- changed\n")
    assert said("ls --changed-since HEAD") == ["best_customer"]
    assert said("ls --changed-since HEAD --select 1+state:changed --resource model") == [
        "revenue",
        "best_customer",
    ]
