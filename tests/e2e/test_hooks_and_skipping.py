"""What hooks write and read counts for what is skipped: no more than that, and no less."""

from __future__ import annotations

import duckdb
import postgres_server
import pytest

SEED = {"seeds/raw.csv": "id,v\n1,10\n2,20\n"}
SOURCE = {"sources.yml": "raw: {orders: {}}\n"}
OF_SOURCE = {**SOURCE, "models/m.ff.sql": "select * from {{ source('raw', 'orders') }}\n"}


@pytest.fixture
def shop(new_project, in_shell):
    """Write a project, and return what runs commands in it."""

    def given(files):
        folder = new_project(files)

        def flowforge(command, code=0):
            answer = in_shell(f"flowforge {command}", folder)
            assert answer.returncode == code, answer.stdout + answer.stderr
            return answer.stdout + answer.stderr

        flowforge.folder = folder
        return flowforge

    return given


@pytest.fixture
def orders(tmp_path):
    """A table that somebody else made."""
    others(tmp_path, "create table orders as select 1 as v")


def others(folder, sql):
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        connection.execute(sql)


def rows(folder, query):
    with duckdb.connect(str(folder / "shop.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def skipped(said):
    return [line.split()[1] for line in said.splitlines() if "skipped (unchanged)" in line]


class TestOfAModel:
    @pytest.mark.parametrize(
        ("hook", "why"),
        [
            ("update {{ this }} set v = (select max(v) from other)", "reads other, which no ref() or source() names"),
            ("delete from {{ this }} using other where false", "reads other, which no ref() or source() names"),
            ("update {{ this }} set t = now()", "gives another result each time: now"),
            ("{% if is_incremental() %}update {{ this }} set t = now(){% endif %}", "gives another result each time"),
        ],
    )
    def test_what_it_makes_of_its_own_table_counts_as_the_models_own_sql(self, shop, hook, why):
        model = f'{{{{ config(materialized="incremental", unique_key="v", post_hook="{hook}") }}}}\n'
        files = {
            "models/a.ff.sql": model + "select 1 as v, null::timestamptz as t\n",
            "models/d.ff.sql": "select * from {{ ref('a') }}\n",
        }
        flowforge = shop(files)
        others(flowforge.folder, "create table other as select 5 as v")
        flowforge("run")
        assert skipped(flowforge("run")) == []
        told = flowforge("why a")
        assert "post_hook of a (models/a.ff.sql:1)" in told
        assert why in told

    @pytest.mark.parametrize(
        "hook",
        [
            "insert into audit select now(), max(v) from other",
            "comment on table {{ this }} is 'made'",
            "analyze",
            "create index if not exists i on {{ this }} (v)",
            "select 1",
            "{{ nothing() }}",
        ],
    )
    def test_one_that_writes_nothing_of_the_project_is_no_reason(self, shop, orders, hook):
        files = {
            **OF_SOURCE,
            "macros/m.sql": "{% macro nothing() %}{% endmacro %}",
            "models/a.ff.sql": f'{{{{ config(post_hook="{hook}") }}}}\nselect * from {{{{ ref("m") }}}}\n',
        }
        flowforge = shop(files)
        others(flowforge.folder, "create table audit (t timestamptz, n int); create table other as select 5 as v")
        flowforge("run")
        assert skipped(flowforge("run")) == ["m", "a"]
        assert "proved unchanged" in flowforge("why a")

    def test_what_it_writes_to_another_model_is_data_of_that_one(self, shop):
        a = "{{{{ config(post_hook=\"update {{{{ ref('b') }}}} set v = v + 1\") }}}}\nselect {} as x\n"
        files = {
            **SEED,
            "models/b.ff.sql": "select * from {{ ref('raw') }}\n",
            "models/a.ff.sql": a.format(1),
            "models/c.ff.sql": "-- depends_on: {{ ref('a') }}\nselect * from {{ ref('b') }}\n",
        }
        flowforge = shop(files)
        flowforge("seed")
        flowforge("run")
        assert skipped(flowforge("run")) == ["b", "a", "c"]
        (flowforge.folder / "models/a.ff.sql").write_text(a.format(2))
        told = flowforge("why b")
        assert "post_hook of a (models/a.ff.sql:1) may write to b" in told
        assert skipped(flowforge("run")) == []
        assert rows(flowforge.folder, "select v from b order by v") == [(11,), (21,)]
        assert rows(flowforge.folder, "select v from c order by v") == [(11,), (21,)]
        assert skipped(flowforge("run")) == ["b", "a", "c"]
        (flowforge.folder / "models/a.ff.sql").write_text("-- depends_on: {{ ref('b') }}\nselect 2 as x\n")
        assert "post_hook of a (models/a.ff.sql:1) wrote to it, and does not now" in flowforge("why b")
        flowforge("run")
        assert rows(flowforge.folder, "select v from c order by v") == [(10,), (20,)]
        assert skipped(flowforge("run")) == ["b", "a", "c"]

    def test_a_part_of_a_run_leaves_the_rest_to_the_next(self, shop):
        """The hook writes to what the run does not build, and others read."""
        a = "{{ config(post_hook=\"update {{ ref('b') }} set v = v + 1\") }}\nselect 1 as x\n"
        files = {
            **SEED,
            "models/b.ff.sql": "select * from {{ ref('raw') }}\n",
            "models/a.ff.sql": a,
            "models/c.ff.sql": "-- depends_on: {{ ref('a') }}\nselect * from {{ ref('b') }}\n",
        }
        flowforge = shop(files)
        flowforge("seed")
        flowforge("run")
        flowforge("run --select a --no-cache")
        assert rows(flowforge.folder, "select min(v) from b") == [(12,)]
        assert "post_hook of a (models/a.ff.sql:1) may have written to b since it was built" in flowforge("why b")
        assert skipped(flowforge("run")) == []
        assert rows(flowforge.folder, "select min(v) from b union all select min(v) from c") == [(11,), (11,)]
        assert skipped(flowforge("run")) == ["b", "a", "c"]

    def test_what_it_writes_to_a_seed_is_read_anew(self, shop):
        a = "{{ config(post_hook=\"update raw set v = v + 1\") }}\nselect {{ var('x') }} as x\n"
        files = {
            **SEED,
            "project.yml": "name: shop\nvars: {x: 1}\n",
            "models/a.ff.sql": a,
            "models/c.ff.sql": "-- depends_on: {{ ref('a') }}\nselect * from {{ ref('raw') }}\n",
        }
        flowforge = shop(files)
        flowforge("seed")
        flowforge("run")
        assert skipped(flowforge("run")) == ["a", "c"]
        flowforge("run --vars '{x: 2}' --select a")
        assert "post_hook of a (models/a.ff.sql:1) may have written to it" in flowforge("why c --vars '{x: 2}'")
        assert skipped(flowforge("run --vars '{x: 2}'")) == ["a"]
        assert rows(flowforge.folder, "select min(v) from c") == [(12,)]

    def test_what_it_writes_to_a_source_is_read_anew_and_no_other_source(self, shop, orders):
        files = {
            "sources.yml": "raw: {orders: {}, users: {}}\n",
            "models/a.ff.sql": '{{ config(post_hook="update orders set v = v + 1") }}\nselect {{ var("x") }} as x\n',
            "models/m.ff.sql": "-- depends_on: {{ ref('a') }}\nselect * from {{ source('raw', 'orders') }}\n",
            "models/n.ff.sql": "select * from {{ source('raw', 'users') }}\n",
            "project.yml": "name: shop\nvars: {x: 1}\n",
        }
        flowforge = shop(files)
        others(flowforge.folder, "create table users as select 1 as v")
        flowforge("run")
        flowforge("run")
        assert skipped(flowforge("run")) == ["a", "m", "n"]
        flowforge("run --vars '{x: 2}' --select a")
        told = flowforge("why m --vars '{x: 2}'")
        assert "raw.orders has new data: post_hook of a (models/a.ff.sql:1) may have written to it" in told
        assert skipped(flowforge("run --vars '{x: 2}'")) == ["a", "n"]

    @pytest.mark.parametrize("hook", ["call pragma_version()", "select mine(1)"])
    def test_one_of_which_nobody_knows_what_it_does_may_do_anything(self, shop, orders, hook):
        files = {
            **SEED,
            **OF_SOURCE,
            "models/a.ff.sql": f'{{{{ config(post_hook="{hook}") }}}}\nselect 1 as x\n',
            "models/c.ff.sql": "select * from {{ ref('raw') }}\n",
        }
        flowforge = shop(files)
        others(flowforge.folder, "create macro mine(x) as x")
        flowforge("seed")
        flowforge("run")
        assert skipped(flowforge("run")) == []
        assert "post_hook of a (models/a.ff.sql:1) may do anything" in flowforge("why c")
        assert "post_hook of a (models/a.ff.sql:1) may do anything" in flowforge("why a")
        (flowforge.folder / "models/a.ff.sql").write_text("select 1 as x\n")
        flowforge("run --select a")
        told = flowforge("why c")
        assert "post_hook of a (models/a.ff.sql:1) may have written to " in told
        assert skipped(flowforge("run")) == ["a"]
        assert skipped(flowforge("run")) == ["a", "c", "m"]


class TestOfARun:
    def test_what_one_at_the_start_writes_to_a_seed_is_read_anew(self, shop):
        files = {
            **SEED,
            "project.yml": "name: shop\non_run_start: update raw set v = v + 1\n",
            "models/c.ff.sql": "select * from {{ ref('raw') }}\n",
            "models/e.ff.sql": "select 1 as x\n",
        }
        flowforge = shop(files)
        flowforge("seed")
        flowforge("run")
        assert "on_run_start (project.yml:2) may write to raw" in flowforge("why c")
        assert skipped(flowforge("run")) == ["e"]
        assert rows(flowforge.folder, "select v from c order by v") == [(12,), (22,)]
        flowforge("run --select e")
        (flowforge.folder / "project.yml").write_text("name: shop\n")
        assert "raw has new data: on_run_start (project.yml:2) may have written to it" in flowforge("why c")
        assert skipped(flowforge("run")) == ["e"]
        assert rows(flowforge.folder, "select v from c order by v") == [(13,), (23,)]
        assert skipped(flowforge("run")) == ["c", "e"]

    def test_what_one_at_the_end_writes_to_a_model_is_made_anew_by_the_next(self, shop):
        files = {
            **SEED,
            "project.yml": "name: shop\non_run_end: \"update {{ ref('b') }} set v = v + 1\"\n",
            "models/b.ff.sql": "select * from {{ ref('raw') }}\n",
            "models/c.ff.sql": "select * from {{ ref('b') }}\n",
            "models/e.ff.sql": "select * from {{ ref('raw') }}\n",
        }
        flowforge = shop(files)
        flowforge("seed")
        flowforge("run")
        told = flowforge("why b")
        assert "on_run_end (project.yml:2) may have written to b since it was built" in told
        assert skipped(flowforge("run")) == ["e"]
        assert rows(flowforge.folder, "select min(v) from b union all select min(v) from c") == [(11,), (10,)]

    def test_one_that_keeps_a_log_of_its_own_is_no_reason(self, shop, orders):
        hooks = (
            "on_run_start: create table if not exists log (id varchar, model varchar, s double)\n"
            'on_run_end:\n  - "{{ write_log(results, run_id) }}"\n'
        )
        macro = (
            "{% macro write_log(results, id) %}insert into log values "
            "{% for one in results %}('{{ id }}', '{{ one.name }}', {{ one.seconds }})"
            "{{ ',' if not loop.last }}{% endfor %}{% endmacro %}"
        )
        flowforge = shop({**OF_SOURCE, "project.yml": f"name: shop\n{hooks}", "macros/m.sql": macro})
        flowforge("run")
        kept = (flowforge.folder / ".flowforge/cache/sql.jsonl").read_text()
        assert skipped(flowforge("run")) == ["m"]
        assert (flowforge.folder / ".flowforge/cache/sql.jsonl").read_text() == kept
        others(flowforge.folder, "update orders set v = 2")
        assert skipped(flowforge("run")) == []
        assert rows(flowforge.folder, "select count(*) from log") == [(3,)]

    @pytest.mark.parametrize("when", ["on_run_start", "on_run_end"])
    def test_what_a_source_gets_from_one_is_read_anew(self, shop, orders, when):
        files = {**OF_SOURCE, "project.yml": f"name: shop\n{when}: insert into orders values (2)\n"}
        flowforge = shop(files)
        for count in (1, 2):
            flowforge("run")
            assert rows(flowforge.folder, "select count(*) from m") == [(count + (when == "on_run_start"),)]
        assert f"{when} (project.yml:2) may " in flowforge("why m")

    def test_one_in_python_may_write_to_sources(self, shop, orders):
        code = "from flowforge import hook\n\n\n@hook('on_run_end')\ndef tell(context):\n    print(context.run_id)\n"
        files = {**SEED, **OF_SOURCE, "hooks/tell.py": code, "models/c.ff.sql": "select * from {{ ref('raw') }}\n"}
        flowforge = shop(files)
        flowforge("seed")
        flowforge("run")
        assert skipped(flowforge("run")) == ["c"]
        assert "on_run_end (hooks/tell.py:4) may have written to" in flowforge("why m")

    def test_what_one_defines_for_models_is_made_anew(self, shop):
        hook = "name: shop\non_run_start: create or replace macro tax(x) as x * {}\n"
        grown = "{{ config(materialized='incremental', unique_key='k') }}\nselect 1 as k, tax(1) as v\n"
        files = {"project.yml": hook.format(119), "models/m.ff.sql": "select tax(1) as v\n", "models/n.ff.sql": grown}
        flowforge = shop(files)
        flowforge("run")
        (flowforge.folder / "project.yml").write_text(hook.format(120))
        assert "on_run_start (project.yml:2) may do anything" in flowforge("why n")
        flowforge("run")
        assert rows(flowforge.folder, "select v from m union all select v from n") == [(120,), (120,)]

    def test_a_seed_loaded_in_the_same_run_does_not_vouch_for_them(self, shop, orders):
        files = {**SEED, **OF_SOURCE, "models/c.ff.sql": '{{ config(post_hook="update orders set v = 9") }} select 1'}
        flowforge = shop(files)
        flowforge("build")
        flowforge("run")
        assert rows(flowforge.folder, "select v from m") == [(9,)]

    def test_another_project_that_reads_what_one_writes_sees_it(self, shop, orders, tmp_path, in_shell):
        (tmp_path / "other").mkdir()
        other = {
            "project.yml": "name: other\non_run_end: insert into orders values (2)\n",
            "profiles.yml": "default: {engine: duckdb, duckdb: {path: ../shop.duckdb}}\n",
            "models/o.ff.sql": "select 1 as x\n",
        }
        flowforge = shop({**OF_SOURCE, **{f"other/{name}": text for name, text in other.items() if "/" not in name}})
        (tmp_path / "other/models").mkdir()
        (tmp_path / "other/models/o.ff.sql").write_text(other["models/o.ff.sql"])
        flowforge("run")
        flowforge("run other")
        assert skipped(flowforge("run")) == []
        assert skipped(flowforge("run")) == ["m"]

    def test_run_id_reaches_a_macro_as_an_argument_only(self, shop):
        macro = "{% macro log() %}select '{{ run_id }}'{% endmacro %}"
        flowforge = shop({"project.yml": 'name: shop\non_run_end: "{{ log() }}"\n', "macros/m.sql": macro})
        answer = flowforge("ls", code=1)
        assert "'run_id' is undefined" in answer
        assert "as an argument" in answer


def test_on_postgres(in_shell, new_project):
    dsn = postgres_server.new_database()
    a = (
        "{{ config(post_hook=['grant select on {{ this }} to public',"
        ' \'update {{ ref("raw") }} set v = v + {{ var("x") }}\']) }}\nselect 1 as x\n'
    )
    b = "{{ config(post_hook='update {{ this }} set t = now()') }}\nselect null::timestamptz as t\n"
    folder = new_project(
        {
            **SEED,
            "profiles.yml": f"default: {{engine: postgres, postgres: {{dsn: '{dsn}'}}}}\n",
            "project.yml": "name: shop\nvars: {x: 1}\non_run_start: create table if not exists log (t timestamptz)\n"
            "on_run_end: insert into log select now()\n",
            "models/a.ff.sql": a,
            "models/b.ff.sql": b,
            "models/c.ff.sql": "-- depends_on: {{ ref('a') }}\nselect * from {{ ref('raw') }}\n",
        }
    )

    def flowforge(command):
        answer = in_shell(f"flowforge {command}", folder)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    try:
        flowforge("seed")
        flowforge("run")
        assert skipped(flowforge("run")) == ["a", "c"]
        assert "post_hook of b (models/b.ff.sql:1) gives another result each time: now" in flowforge("why b")
        flowforge("run --select a --vars '{x: 2}'")
        assert "post_hook of a (models/a.ff.sql:1) may have written to it" in flowforge("why c --vars '{x: 2}'")
        assert skipped(flowforge("run --vars '{x: 2}'")) == ["a"]
        assert "13" in flowforge("show c")
        (folder / "project.yml").write_text(
            "name: shop\nvars: {x: 2}\non_run_end: select set_config('a.b', 'c', true)\n"
        )
        assert skipped(flowforge("run")) == ["a", "c"]
        assert "on_run_end (project.yml:3) may have written to c since it was built" in flowforge("why c")
    finally:
        postgres_server.drop_database(dsn)


def test_a_hook_of_a_run_that_locks_what_views_read_ends_on_postgres(in_shell, new_project):
    # Its own session alone may look at the catalog until it commits: another would wait for its locks, and it for that.
    with postgres_server.lent_database() as dsn:
        files = {
            "profiles.yml": f"default: {{engine: postgres, postgres: {{dsn: '{dsn}'}}}}\n",
            "project.yml": "name: shop\non_run_start: truncate raw\n",
            "models/v.ff.sql": "{{ config(materialized='view') }}\nselect * from {{ ref('raw') }}\n",
            **SEED,
        }
        folder = new_project(files)
        for command in ("seed", "run", "run"):
            done = in_shell(f"timeout 60 flowforge {command}", folder)
            assert done.returncode == 0, done.stdout + done.stderr
        assert postgres_server.run("select count(*) from v", dsn) == [(0,)]
