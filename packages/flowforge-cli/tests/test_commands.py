"""What each command says and writes, on a project that is already built."""

from __future__ import annotations

import json
import re

import pytest

from flowforge_cli.main import app


def masked(text):
    """Replace durations, so that output can be compared."""
    return re.sub(r" *\d+(\.\d+)?m?s\b", " T", text)


class TestInit:
    def test_it_lists_the_files_and_what_to_do_next(self, flowforge, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        answer = flowforge("init", "new", "--engine", "sqlite")
        assert answer.code == 0
        assert "  new/models/customers.ff.sql" in answer.lines
        for command in re.findall(r"flowforge (\w+ new.*)", answer.out):
            assert flowforge(*command.split()).code == 0

    def test_it_overwrites_nothing(self, flowforge, shop):
        answer = flowforge("init", shop, "--engine", "sqlite")
        assert answer.code == 1
        assert "exists already" in answer.err


class TestInitPlugin:
    def test_it_lists_the_files_what_to_do_next_and_where_that_is_explained(self, flowforge, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        answer = flowforge("init-plugin", "mini_db")
        assert answer.code == 0
        assert "  flowforge-mini-db/src/flowforge_mini_db/engine.py" in answer.lines
        assert "  cd flowforge-mini-db" in answer.lines
        assert "docs/guide/plugins.md of FlowForge's repository" in answer.out

    def test_a_name_that_would_take_the_place_of_our_own_package(self, flowforge, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        answer = flowforge("init-plugin", "domain")
        assert (answer.code, list(tmp_path.iterdir())) == (1, [])
        assert "✗ flowforge-domain is a package of FlowForge's own." in answer.err


class TestSeed:
    def test_a_line_per_seed(self, flowforge, shop):
        assert masked(flowforge("seed", shop).out) == (
            "✓ seed_customers                         3 rows T\n"
            "✓ seed_orders                            4 rows T\n"
            "\n✓ seeded: 2 in T\n"
        )

    def test_quiet_says_nothing(self, flowforge, shop):
        answer = flowforge("seed", shop, "--quiet")
        assert (answer.code, answer.out, answer.err) == (0, "", "")

    def test_none_are_there(self, flowforge, shop):
        for path in (shop / "seeds").iterdir():
            path.unlink()
        (shop / "sources.yml").write_text("")
        answer = flowforge("seed", shop)
        assert (answer.code, answer.out) == (0, "")
        assert "There are no seeds" in answer.err

    def test_a_bad_file(self, flowforge, shop):
        (shop / "seeds" / "seed_orders.csv").write_text("a,b\n1,2,3\n")
        answer = flowforge("seed", shop, "-q")
        assert answer.code == 1
        assert "seeds/seed_orders.csv" in answer.err


class TestRun:
    def test_all_is_well(self, flowforge, shop):
        assert masked(flowforge("run", shop, "--no-cache").out) == (
            "Running 3 models on sqlite (.local/data.sqlite)\n\n"
            "✓ customers                      table          3 rows T\n"
            "✓ orders                         table          4 rows T\n"
            "✓ revenue_by_customer            table          3 rows T\n\n"
            "Totals\n──────\n✓ built: 3\n↷ skipped: 0\n✗ failed: 0\nDone in T\n"
        )

    def test_a_failure_a_skip_and_what_to_do(self, flowforge, shop):
        (shop / "models" / "orders.ff.sql").write_text("select nope\n")
        answer = flowforge("run", shop, "--no-cache")
        assert answer.code == 1
        assert masked(answer.out) == (
            "Running 3 models on sqlite (.local/data.sqlite)\n\n"
            "✓ customers                      table          3 rows T\n"
            "✗ orders                         table          failed T\n"
            "   ↳ models/orders.ff.sql: Model 'orders' failed: no such column: nope\n"
            "   See the SQL that was run: .flowforge/compiled/models/orders.sql\n"
            "↷ revenue_by_customer            skipped (orders failed)\n\n"
            "Totals\n──────\n✓ built: 1\n↷ skipped: 1\n✗ failed: 1 (orders)\nDone in T\n"
        )

    def test_the_file_that_an_error_names_holds_what_ran(self, flowforge, shop):
        grows = "{{ config(materialized='incremental') }}\nselect 1 as n, 2 as m"
        (shop / "models" / "grown.ff.sql").write_text(f"{grows}{{% if is_incremental() %}}, nope{{% endif %}}\n")
        assert flowforge("run", shop, "-s", "grown").code == 0
        answer = flowforge("run", shop, "-s", "grown", "--no-cache")
        (said,) = [line for line in answer.lines if "See the SQL that was run: " in line]
        assert "2 as m, nope" in (shop / said.rpartition(": ")[2]).read_text()

    def test_what_is_unchanged_is_said(self, flowforge, shop):
        assert masked(flowforge("run", shop).out) == (
            "Running 3 models on sqlite (.local/data.sqlite)\n\n"
            "· customers                      skipped (unchanged)\n"
            "· orders                         skipped (unchanged)\n"
            "· revenue_by_customer            skipped (unchanged)\n\n"
            "Totals\n──────\n✓ built: 0\n· unchanged: 3\n↷ skipped: 0\n✗ failed: 0\nDone in T\n"
        )

    def test_what_changed_and_what_reads_it_is_built(self, flowforge, shop):
        (shop / "models" / "orders.ff.sql").write_text("select * from {{ source('shop', 'orders') }} where true\n")
        lines = flowforge("run", shop).lines
        assert [line.split()[:2] for line in lines if line.startswith(("·", "✓"))][:3] == [
            ["·", "customers"],
            ["✓", "orders"],
            ["✓", "revenue_by_customer"],
        ]

    def test_quiet_says_what_failed(self, flowforge, shop):
        assert flowforge("run", shop, "-q").out == ""
        (shop / "models" / "orders.ff.sql").write_text("select nope\n")
        out = flowforge("run", shop, "-q").out
        assert out.startswith("✗ orders")
        assert "Totals" not in out

    def test_verbose_says_profile_and_relations(self, flowforge, shop):
        (shop / "models" / "x.ff.sql").write_text("create table y as select 1 as n")
        out = flowforge("run", shop, "-v").out
        assert out.startswith("Profile default, engine sqlite\n")
        assert "   ↳ writes y\n" in out

    def test_verbose_shows_the_sql_of_each_model_before_it_is_built(self, flowforge, shop):
        (shop / "models" / "x.ff.sql").write_text("-- first\nselect 1 as n,\n  2 as m\n")
        (shop / "models" / "y.ff.sql").write_text("select nope from {{ ref('x') }}\n")
        lines = flowforge("run", shop, "-v", "-s", "x", "-s", "y").lines
        at = lines.index("  x runs")
        assert lines[at + 1 : at + 4] == ["   create table `x` as -- first", "   select 1 as n,", "     2 as m"]
        assert lines[at + 4].startswith("✓ x ")
        assert lines[lines.index("  y runs") + 1] == "   create table `y` as select nope from `x`"
        assert "runs" not in flowforge("run", shop, "-s", "x", "--no-cache").out

    def test_verbose_json_has_the_sql_as_an_event(self, flowforge, shop):
        (shop / "models" / "x.ff.sql").write_text("select 1 as n\n")
        events = flowforge("run", shop, "-v", "-s", "x", "--log-format", "json").events
        assert [e["data"] for e in events if e["event"] == "statement_started"] == [
            {"model": "x", "sql": "create table `x` as select 1 as n"}
        ]
        events = flowforge("run", shop, "-s", "x", "--no-cache", "--log-format", "json").events
        assert "statement_started" not in {event["event"] for event in events}

    def test_long_names_stay_in_columns(self, flowforge, shop):
        (shop / "models" / f"{'long_' * 12}name.ff.sql").write_text("select 1 as n")
        lines = [line for line in flowforge("run", shop).lines if line.startswith("✓") and "row" in line]
        assert len({line.index(" table ") for line in lines}) == 1

    def test_a_name_longer_than_a_line_widens_only_its_own(self, flowforge, shop):
        name = "x" * 200
        (shop / "models" / f"{name}.ff.sql").write_text("select 1 as n")
        lines = flowforge("run", shop, "--no-cache").lines
        assert next(line for line in lines if "customers" in line).index(" table ") < 40
        assert f"✓ {name} table " in next(line for line in lines if name in line)

    def test_the_longest_name_that_a_file_can_have(self, flowforge, shop):
        name = "x" * 248
        (shop / "models" / f"{name}.ff.sql").write_text("select 1 as n")
        answer = flowforge("run", shop, "-s", name)
        assert (answer.code, answer.err) == (0, "")
        assert "select 1 as n" in (shop / f".flowforge/compiled/models/{name}.sql").read_text()
        assert flowforge("compile", shop, "-s", name).code == 0
        assert not list(shop.rglob("*.tmp"))

    def test_many_failures_are_named_briefly(self, flowforge, shop):
        for i in range(8):
            (shop / "models" / f"bad{i}.ff.sql").write_text("select nope")
        assert "✗ failed: 8 (bad0, bad1, bad2, bad3, bad4, …)" in flowforge("run", shop).out

    def test_no_models(self, flowforge, shop):
        for path in (shop / "models").rglob("*.sql"):
            path.unlink()
        (shop / "project.yml").write_text("name: shop\n")
        answer = flowforge("run", shop)
        assert (answer.code, answer.out) == (0, "")
        assert "There are no models" in answer.err

    def test_what_only_others_hold_is_told_as_such(self, flowforge, shop):
        (shop / "models/hot.ff.sql").write_text("{{ config(materialized='ephemeral') }}\nselect 1 as a")
        answer = flowforge("run", shop, "--select", "hot")
        assert answer.code == 0
        assert answer.err == ("! There is nothing to build: an ephemeral model becomes a part of those that read it.\n")

    def test_memory_keeps_nothing_and_says_so(self, flowforge, shop, monkeypatch):
        monkeypatch.setenv("FF_SQLITE_PATH", ":memory:")
        assert "nothing will be kept" in flowforge("seed", shop).err
        answer = flowforge("run", shop)
        assert "nothing will be kept" in answer.err
        assert (
            "An in-memory target keeps nothing between commands: give the profile one that lasts, as a file does."
            in answer.out
        )

    def test_the_trace_of_a_model_is_shown_on_demand(self, flowforge, shop, monkeypatch):
        (shop / "models" / "p.ff.py").write_text("from flowforge import model\n@model()\ndef p():\n    return 1 / 0\n")
        assert "Traceback" not in flowforge("run", shop, "--select", "p").err
        monkeypatch.setenv("FLOWFORGE_TRACE", "1")
        assert "ZeroDivisionError: division by zero" in flowforge("run", shop, "--select", "p").err


class TestTest:
    def test_a_long_subject_stays_in_columns(self, flowforge, shop):
        with (shop / "project.yml").open("a") as file:
            file.write(f"  - {{type: row_count_between, table: {'t' * 50}}}\n")
        lines = [line for line in flowforge("test", shop).lines if line[0:1] in "✅❌"]
        assert len({line.index(" (") for line in lines if line}) == 1

    def test_quiet_says_nothing_when_all_is_well(self, flowforge, shop):
        assert flowforge("test", shop, "-q").out == ""

    def test_verbose_shows_the_queries(self, flowforge, shop):
        assert (
            "project.yml:18  row_count_between revenue_by_customer\nselect count(*)"
            in flowforge("test", shop, "-v").out
        )

    def test_an_error_wins_over_a_failure(self, flowforge, shop):
        with (shop / "project.yml").open("a") as file:
            file.write("  - {type: row_count_between, table: orders, min: 99}\n")
        assert flowforge("test", shop).code == 2
        with (shop / "project.yml").open("a") as file:
            file.write("  - {type: row_count_between, table: nowhere}\n")
        answer = flowforge("test", shop)
        assert answer.code == 1
        assert answer.lines[-3:] == ["✓ passed: 4", "✗ failed: 1", "! could not run: 1"]

    def test_no_tests(self, flowforge, shop):
        (shop / "project.yml").write_text("name: shop\n")
        answer = flowforge("test", shop)
        assert answer.code == 0
        assert "There are no tests" in answer.err


class TestDag:
    def test_the_path_is_as_the_user_would_type_it(self, flowforge, shop):
        assert flowforge("dag", "shop").out == "Graph: shop/.flowforge/docs/dag.mmd\n"
        assert (shop / ".flowforge/docs/dag.mmd").read_text().startswith("flowchart LR")

    def test_html_and_another_folder(self, flowforge, shop, tmp_path):
        out = flowforge("dag", shop, "--html", "--output", "site").out
        assert out == "Graph: site/dag.mmd\nSite: site/index.html\n"
        assert (tmp_path / "site" / "index.html").is_file()

    def test_a_path_elsewhere_is_absolute(self, flowforge, shop, monkeypatch):
        monkeypatch.chdir(shop / "models")
        assert flowforge("dag", "..").out == f"Graph: {shop.resolve()}/.flowforge/docs/dag.mmd\n"

    def test_a_part_of_it(self, flowforge, shop):
        assert flowforge("dag", shop, "--select", "orders").code == 0
        drawn = (shop / ".flowforge/docs/dag.mmd").read_text()
        assert "orders" in drawn
        assert "customers" not in drawn

    def test_seeds_are_drawn_as_on_the_site(self, flowforge, shop):
        (shop / "seeds/unread.csv").write_text("a\n1\n")
        assert flowforge("dag", shop).code == 0
        drawn = (shop / ".flowforge/docs/dag.mmd").read_text().splitlines()
        ids = {line.split('"')[1]: line.split("[")[0].strip() for line in drawn if ":::" in line}
        assert {"seed_customers", "seed_orders", "unread"} < ids.keys()
        assert f"  {ids['seed_orders']} --> {ids['shop.orders']}" in drawn
        assert f"  {ids['shop.orders']} --> {ids['orders']}" in drawn

    def test_an_unknown_environment(self, flowforge, shop):
        assert flowforge("dag", shop, "--env", "nope").code == 1

    def test_an_unknown_engine(self, flowforge, shop, monkeypatch):
        assert flowforge("dag", shop, "--engine", "nope").code == 1
        monkeypatch.setenv("FF_ENGINE", "nope")
        assert "There is no engine 'nope'" in flowforge("dag", shop).err


class TestShow:
    def test_numbers_to_the_right(self, flowforge, shop):
        assert flowforge("show", "orders", shop, "-n", "1").out == (
            "order_id   customer_id   ordered_on   amount\n"
            "────────────────────────────────────────────\n"
            "     100             1   2026-01-05     19.9\n"
            "1 row\n"
        )

    def test_columns_of_any_name(self, flowforge, shop):
        """Such as those that the printing function calls its own arguments."""
        sql = "select 1 as name, 2 as level, 3 as message, 4 as self, 5 as event, 6 as data"
        (shop / "models" / "odd.ff.sql").write_text(sql)
        flowforge("run", shop, "--select", "odd")
        [event] = flowforge("show", "odd", shop, "--log-format", "json").events
        assert event["data"] == {"name": 1, "level": 2, "message": 3, "self": 4, "event": 5, "data": 6}
        assert flowforge("show", "odd", shop).code == 0

    def test_text_is_as_it_is_and_moves_no_cursor(self, flowforge, shop):
        sql = (
            "select null as a, '[red]x[/red]' as b, 'ü' as c, char(27) || '[2J' as d, 'two' || char(10) || 'lines' as e"
        )
        (shop / "models" / "odd.ff.sql").write_text(sql)
        flowforge("run", shop, "--select", "odd")
        assert flowforge("show", "odd", shop).out == (
            "   a   b              c   d         e\n"
            "──────────────────────────────────────────────\n"
            "NULL   [red]x[/red]   ü   \\x1b[2J   two\\nlines\n"
            "1 row\n"
        )

    def test_null_and_an_empty_text_differ(self, flowforge, shop):
        (shop / "models" / "odd.ff.sql").write_text("select 'x' as a, null as b, '' as c, 'y' as d")
        flowforge("run", shop, "--select", "odd")
        assert flowforge("show", "odd", shop).lines[2].split() == ["x", "NULL", "y"]

    def test_what_an_error_quotes_moves_no_cursor(self, flowforge, shop):
        (shop / "models" / "p.ff.py").write_text(
            "from flowforge import model\n@model()\ndef p():\n    raise ValueError('\\x1b[2J')\n"
        )
        assert "\\x1b[2J" in flowforge("run", shop, "--select", "p").out

    def test_no_rows(self, flowforge, shop):
        (shop / "models" / "odd.ff.sql").write_text("select 1 as n where 1 = 0")
        flowforge("run", shop, "--select", "odd")
        assert flowforge("show", "odd", shop).lines[-1] == "0 rows"

    def test_what_is_not_there(self, flowforge, shop):
        answer = flowforge("show", "ordrs", shop)
        assert (answer.code, answer.err) == (1, "✗ There is no table 'ordrs' in the target.\nDid you mean 'orders'?\n")


class TestCompile:
    def test_a_line_per_model(self, flowforge, shop):
        answer = flowforge("compile", shop, "--select", "orders")
        assert answer.out == "orders: shop/.flowforge/compiled/models/orders.sql\n"

    def test_a_selection_without_sql(self, flowforge, shop):
        (shop / "models" / "p.ff.py").write_text("from flowforge import model\n@model()\ndef p(): ...\n")
        answer = flowforge("compile", shop, "--select", "p")
        assert (answer.code, answer.out, answer.err) == (0, "", "! The selection holds no SQL model.\n")

    def test_no_sql_at_all(self, flowforge, shop):
        for path in (shop / "models").rglob("*.sql"):
            path.unlink()
        (shop / "project.yml").write_text("name: shop\n")
        assert "There is no SQL model: such files" in flowforge("compile", shop).err

    def test_verbose_shows_the_sql(self, flowforge, shop):
        assert "create table `orders` as select" in flowforge("compile", shop, "-v").out


class TestDebug:
    def test_all_is_well(self, flowforge, shop):
        answer = flowforge("debug", shop)
        assert answer.code == 0
        assert answer.lines[0].startswith("✓ flowforge   0.1.0 on Python 3.")
        assert all(line.startswith(("✓ ", "- cannot ", "  ")) for line in answer.lines)

    def test_what_is_wrong(self, flowforge, shop):
        answer = flowforge("debug", shop, "--env", "nope")
        assert answer.code == 1
        assert "✗ profile     profiles.yml: There is no profile 'nope'.\n              Known: default." in answer.out

    def test_models_that_are_named_as_helpers_are_told(self, flowforge, shop):
        (shop / "models/late.py").write_text(
            "from flowforge import model\n@model(deps=['orders'])\ndef late(df): ...\n"
        )
        said = "models/late.py holds @model, and is read as a helper: rename it to models/late.ff.py if it is a model."
        for command in ("run", "ls", "compile", "dag"):
            answer = flowforge(command, shop)
            assert (answer.code, answer.err) == (0, f"! {said}\n")
        assert f"              {said}" in flowforge("debug", shop).lines


class TestEngines:
    def test_what_is_installed(self, flowforge):
        answer = flowforge("engines")
        assert (answer.code, answer.err) == (0, "")
        assert "sqlite        flowforge-testkit 0.1.0" in answer.lines
        assert "  cannot      Parquet seeds" in answer.lines
        assert "  not proved  anything: no statement was run on Delta" in answer.lines
        assert max(map(len, answer.lines)) <= 100

    def test_as_json(self, flowforge):
        told = {event["msg"]: event["data"] for event in flowforge("engines", "--log-format", "json").events}
        assert told["sqlite"]["distribution"] == "flowforge-testkit 0.1.0"
        assert "views" in told["sqlite"]["can"]
        assert (told["sqlite"]["limits"], told["sqlite"]["unproved"]) == ("", "")

    def test_the_schema_of_profiles(self, flowforge):
        schema = json.loads(flowforge("engines", "--schema").out)
        assert "SqliteProfile" in schema["$defs"]


class TestVersionAndHelp:
    def test_version(self, flowforge):
        assert flowforge("--version").out == "flowforge 0.1.0\n"

    @pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
    def test_help(self, flowforge, arguments):
        answer = flowforge(*arguments)
        assert answer.code == 0
        assert answer.out.startswith("Usage: flowforge")

    @pytest.mark.parametrize("command", [command.name for command in app.registered_commands])
    def test_help_of_a_command(self, flowforge, command):
        assert flowforge(command, "-h").out.startswith(f"Usage: flowforge {command} ")
        summary = next(line for line in flowforge("-h").lines if line.startswith(f"  {command} "))
        assert not summary.endswith("...")

    def test_completion(self, process, monkeypatch):
        # Otherwise typer looks for the shell among the processes above, where there may be none.
        monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
        answer = process("--show-completion", "bash")
        assert answer.returncode == 0
        assert "_FLOWFORGE_COMPLETE=complete_bash" in answer.stdout


class TestVars:
    @pytest.fixture
    def shop(self, shop):
        (shop / "models" / "chosen.ff.sql").write_text("select {{ var('least', 1) }} as least\n")
        return shop

    def test_every_command_that_renders_takes_them(self, flowforge, shop):
        sql = shop / ".flowforge" / "compiled" / "models" / "chosen.sql"
        assert flowforge("compile", shop, "--vars", "{least: 5}").code == 0
        assert "select 5" in sql.read_text()
        assert flowforge("run", shop, "-s", "chosen", "--vars", '{"least": 6}').code == 0
        assert "    6" in flowforge("show", "chosen", shop).lines
        assert flowforge("dag", shop, "--html", "--vars", "{least: 7}").code == 0

    def test_several_add_up_and_none_is_given_twice(self, flowforge, shop):
        (shop / "project.yml").write_text("vars: {most: 2}\n")
        assert flowforge("compile", shop, "--vars", "{least: 5}", "--vars", "{most: 6}").code == 0
        answer = flowforge("compile", shop, "--vars", "{least: 5}", "--vars", "{least: 6}")
        assert (answer.code, answer.err) == (1, "✗ --vars gives 'least' twice.\nKeep one.\n")

    @pytest.mark.parametrize("command", ["run", "build", "compile", "dag", "ls", "clean"])
    def test_one_that_nothing_reads_is_misspelt(self, flowforge, shop, command):
        answer = flowforge(command, shop, "--vars", "{leest: 5}")
        assert (answer.code, answer.out) == (1, "")
        assert answer.err == "✗ No model, macro or hook reads the variable 'leest'.\nDid you mean 'least'?\n"

    def test_names_of_another_kind_are_listed(self, flowforge, shop):
        (shop / "project.yml").write_text("vars: {most: 2}\n")
        answer = flowforge("compile", shop, "--vars", "{region: eu}")
        assert answer.err == "✗ No model, macro or hook reads the variable 'region'.\nKnown: least, most.\n"

    @pytest.mark.parametrize(
        ("file", "text"),
        [
            ("project.yml", "vars: {least: 1, given: 1}\n"),
            ("project.yml", "on_run_end: select {{ var('given', 1) }}\n"),
            ("project.yml", "defaults: {post_hook: \"select {{ var('given', 1) }}\"}\n"),
            ("macros/m.sql", "{% macro m() %}{{ var('given', 1) }}{% endmacro %}"),
            ("models/other.ff.sql", "select 1 as n {% if false %}{{ var('given') }}{% endif %}"),
            ("models/other.ff.sql", "select {{ var(name='given', default=1) }} as n"),
        ],
    )
    def test_whatever_reads_one_counts(self, flowforge, shop, file, text):
        (shop / file).parent.mkdir(exist_ok=True)
        (shop / file).write_text(text)
        for _ in range(2):  # the second time, all is read from the cache
            answer = flowforge("compile", shop, "--vars", "{given: 5}")
            assert (answer.code, answer.err) == (0, "")
        assert flowforge("compile", shop, "--vars", "{givn: 5}").err.endswith("Did you mean 'given'?\n")

    @pytest.mark.parametrize(
        "text", ["{% set name = 'a' %}select {{ var(name, 1) }} as n", "{% set f = var %}select {{ f('a', 1) }} as n"]
    )
    def test_a_computed_name_may_be_any(self, flowforge, shop, text):
        (shop / "models/other.ff.sql").write_text(text)
        answer = flowforge("compile", shop, "--vars", "{leest: 5}")
        said = (
            "! No model, macro or hook reads the variable 'leest', unless by a computed name. Did you mean 'least'?\n"
        )
        assert (answer.code, answer.err) == (0, said)
        assert flowforge("compile", shop, "--vars", "{least: 5}").err == ""

    def test_what_is_no_mapping(self, flowforge, shop):
        answer = flowforge("run", shop, "--vars", "[hunter2]")
        assert answer.code == 1
        assert answer.err == "✗ --vars takes a mapping.\nWrite for example --vars '{start: 2026-01-01}'.\n"


def test_a_test_of_severity_warn_is_shown_and_fails_nothing(flowforge, shop):
    with (shop / "project.yml").open("a") as file:
        file.write("  - {type: row_count_between, table: orders, min: 99, severity: warn}\n")
    answer = flowforge("test", shop)
    assert answer.code == 0
    assert "⚠ row_count_between  orders" in answer.out
    assert answer.lines[-3:] == ["✓ passed: 4", "✗ failed: 0", "⚠ warned: 1"]
    with (shop / "project.yml").open("a") as file:
        file.write("  - {type: row_count_between, table: orders, min: 99, severity: error}\n")
    assert flowforge("test", shop).code == 2


class TestHooks:
    def test_one_that_fails_before_the_models_stops_the_run(self, flowforge, shop):
        project = shop / "project.yml"
        project.write_text(project.read_text() + "\non_run_start: drop table nowhere\n")
        answer = flowforge("run", shop)
        assert answer.code == 1
        assert "built" not in answer.out
        assert re.search(r"✗ project\.yml:\d+: on_run_start failed: .*nowhere", answer.err)

    def test_one_that_fails_after_them_is_told_beside_what_was_built(self, flowforge, shop):
        project = shop / "project.yml"
        project.write_text(project.read_text() + "\non_run_end: [drop table nowhere]\n")
        answer = flowforge("run", shop)
        assert answer.code == 1
        assert "· unchanged: 3" in answer.out
        assert re.search(r"✗ project\.yml:\d+: on_run_end failed: .*nowhere", answer.out)
        events = flowforge("run", shop, "--log-format", "json").events
        failed = [event for event in events if "hook_failed" in json.dumps(event)]
        assert len(failed) == 1
        assert "nowhere" in json.dumps(failed[0])

    def test_a_models_own_is_the_models(self, flowforge, shop):
        (shop / "models" / "m.yml").write_text("models:\n  orders: {pre_hook: drop table nowhere}\n")
        answer = flowforge("run", shop)
        assert answer.code == 1
        assert "models/m.yml:2: Model 'orders' failed in its pre_hook" in answer.out
        assert "↷ revenue_by_customer" in answer.out
