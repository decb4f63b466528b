"""A model that reads another one's table without `ref()`: nothing orders them, and that is told, with what to write."""

from __future__ import annotations

import pytest

NOTICE = "bare reads the table of users, which may be built after it: write ref('users') in models/bare.ff.sql"


@pytest.fixture
def shop(new_project):
    return new_project(
        {
            "models/users.ff.sql": "select 1 as id\n",
            "models/bare.ff.sql": "select count(*) as n from Users\n",
        }
    )


def test_where_the_table_is_not_there_yet_the_error_says_what_to_write(shop, in_shell):
    # With more jobs either may come first.
    ran = in_shell("flowforge run --jobs 1", shop)
    assert ran.returncode == 1
    assert "models/bare.ff.sql:1" in ran.stdout
    assert "Write ref('users') for the table of that model: only then it is built first." in ran.stdout


def test_where_it_is_the_run_says_so_until_it_is_named(shop, in_shell):
    in_shell("flowforge run", shop)
    assert in_shell("flowforge run", shop).returncode == 0
    assert NOTICE in in_shell("flowforge run", shop).stderr
    (shop / "models/bare.ff.sql").write_text("select count(*) as n from {{ ref('users') }}\n")
    assert "bare" not in in_shell("flowforge run", shop).stderr


@pytest.mark.parametrize("read", ["information_schema.tables", "generate_series(1, 3)", "range(3) as users(n)"])
def test_what_is_no_table_of_the_project_s_models_is_not_told(shop, in_shell, read):
    (shop / "models/bare.ff.sql").write_text(f"select count(*) as n from {read}\n")
    for _ in range(2):
        ran = in_shell("flowforge run", shop)
        assert (ran.returncode, ran.stderr) == (0, "")
