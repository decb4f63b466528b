"""What users read when their code or their SQL fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowforge_app.model_errors import about_rows, function_error, statement_error
from flowforge_domain.config import ModelConfig
from flowforge_domain.errors import EngineError, ErrorKind, ModelError
from flowforge_domain.inputs import ModelInputs
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node, Seed, SourceTable, model
from flowforge_testkit.sqlite.frames import Frame

MODEL = Node("m", "sql", Path("models/m.ff.sql"), deps=("a", "s"), sources=(("crm", "users"),), file="models/m.ff.sql")
MANIFEST = Manifest(
    "x",
    Path("x"),
    nodes={"m": MODEL, "a": Node("a", "sql", Path("models/a.ff.sql"))},
    seeds={"s": Seed("s", "csv", Path("seeds/s.csv"), "s", "seeds/s.csv")},
    sources={("crm", "users"): SourceTable("crm", "users", "raw_users")},
)


HEAD = "create table `m` as "


@pytest.fixture
def sql_error(world):
    def failed(
        message="bad", text="select\n  nope\nfrom a", statement=None, keeps=True, kept="compiled/m.sql", **facts
    ):
        engine = world.without(keeps=keeps)
        return statement_error(
            EngineError(message, **facts), MODEL, statement or HEAD + text, HEAD, text, MANIFEST, engine, kept
        )

    return failed


class TestStatements:
    def test_line_snippet_and_caret(self, sql_error):
        error = sql_error(kind=ErrorKind.MISSING_COLUMN, line=2, column=3)
        assert str(error) == (
            "models/m.ff.sql:2: Model 'm' failed: bad\n    2 |   nope\n          ^\n"
            "See the SQL that was run: compiled/m.sql"
        )

    def test_no_file_is_named_where_none_holds_what_ran(self, sql_error):
        assert sql_error(kept="").hint == "Correct its SQL."

    def test_the_engines_own_hint_comes_first(self, sql_error):
        assert sql_error(kind=ErrorKind.SYNTAX, line=1, hint='Did you mean "id"?').hint == 'Did you mean "id"?'

    def test_a_line_that_a_template_moved_is_found_by_its_text(self, sql_error):
        text = "{% set columns = ['a'] %}\nselect\n  nope\nfrom a"
        error = sql_error(text=text, statement="create table m as \nselect\n  a,\n  b,\n  nope\nfrom a", line=5)
        assert error.where.line == 3

    def test_a_line_that_a_template_made_is_told_by_the_one_that_looks_most_like_it(self, sql_error):
        text = "{% set columns = ['a'] %}\nselect\n  {{ columns[0] }}nope\nfrom a"
        error = sql_error(text=text, statement="create table m as \nselect\n  anope\nfrom a\n", line=3)
        assert error.where.line == 3
        error = sql_error(text="{{ all }}", statement="create table m as select\n  nope\nfrom a", line=2)
        assert error.where.line == 1
        assert "nope" in error.snippet

    @pytest.mark.parametrize(
        ("text", "column", "snippet"),
        [
            ("select nope", 8, "    1 | select nope\n               ^"),
            ("select nope", 0, "    1 | select nope"),
            ("select nope", 3 - len(HEAD), "    1 | select nope"),
        ],
        ids=["within", "unknown", "in-our-head"],
    )
    def test_what_we_put_before_a_plain_select_is_not_shown(self, sql_error, text, column, snippet):
        error = sql_error(text=text, line=1, column=column and len(HEAD) + column)
        assert (error.snippet, error.where.line) == (snippet, 1)

    def test_what_the_user_wrote_before_it_is_shown(self, sql_error):
        error = sql_error(text="create table m as select nope", statement=f"{HEAD}select nope", line=1, column=28)
        assert error.snippet.splitlines()[0].endswith("| create table `m` as select nope")

    def test_a_seed_that_is_gone_with_the_memory_it_was_in(self, sql_error):
        facts = {"message": "no such table: s", "kind": ErrorKind.MISSING_RELATION}
        assert sql_error(**facts).hint == "Load the seeds first: flowforge seed"
        assert sql_error(**facts, keeps=False).hint == (
            "An in-memory target keeps nothing between commands: give the profile one that lasts, as a file does."
        )

    @pytest.mark.parametrize(
        ("message", "hint"),
        [
            ("no such table: a", "Build what it reads first: flowforge run --select +m"),
            ("no such table: raw_users", "Create the table, or correct its name in sources.yml."),
        ],
    )
    def test_a_missing_table_names_what_makes_it(self, sql_error, message, hint):
        assert sql_error(message, kind=ErrorKind.MISSING_RELATION).hint == hint


class TestFunctions:
    @pytest.fixture
    def raised(self, tmp_path):
        def run(body, inputs=("users",), file="models/p.ff.py", frame=None):
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            code = f"def p(df=None):\n    {body}\n"
            path.write_text(code)
            names = {}
            exec(compile(code, str(path), "exec"), names)
            node = Node("p", "python", path, file=file)
            try:
                names["p"](*([frame] if frame else []))
            except (LookupError, ArithmeticError, ValueError, AttributeError, TypeError) as error:
                given = ModelInputs(dict.fromkeys(inputs, frame), dict(zip(inputs, inputs, strict=True)))
                return function_error(error, node, given, tmp_path)

        return run

    def test_key_error_points_at_its_line_and_at_the_columns(self, raised):
        assert str(raised("return {}['email']")) == (
            "models/p.ff.py:2: Model 'p' failed: KeyError: 'email'\n    2 |     return {}['email']\n"
            "Check the columns of 'users': flowforge show users"
        )

    def test_the_one_input_taken_for_a_mapping_of_inputs(self, raised):
        error = raised("return {}['users']")
        assert error.hint == "A function of one input is given its frame itself: drop the key."

    def test_key_error_with_many_inputs_tells_how_they_are_keyed(self, raised):
        hint = raised("return {}['users.ff']", inputs=("users", "orders")).hint
        assert "relation_for(dep): 'users', 'orders'" in hint

    def test_key_error_without_inputs(self, raised):
        assert raised("return {}['x']", inputs=()).hint == "Check the key."

    def test_another_exception_names_its_type(self, raised):
        error = raised("1 / 0")
        assert error.message == "Model 'p' failed: ZeroDivisionError: division by zero"
        assert "FLOWFORGE_TRACE=1" in error.hint

    @pytest.mark.parametrize("body", ["return df.assign(b=1)", "df['b'] = 1", "return len(df.rows, 1)"])
    def test_a_function_for_other_frames_is_told_which_it_is_given(self, raised, body):
        frame = Frame(("n",), [{"n": 1}])
        assert raised(body, frame=frame).hint == (
            "Correct the function for what it is given, flowforge_testkit.sqlite.frames.Frame. "
            "How to convert it: docs/guide/models.md, Frames."
        )

    @pytest.mark.parametrize("body", ["return None.assign", "import json; json.nope", "return 1 / 0"])
    def test_what_has_to_do_with_no_frame_names_none(self, raised, body):
        assert "FLOWFORGE_TRACE=1" in raised(body, frame=Frame(("n",), [])).hint

    def test_an_exception_without_words(self, raised):
        assert raised("raise ValueError").message == "Model 'p' failed: ValueError"

    def test_a_long_message_stays_within_fifteen_lines(self, raised):
        assert len(str(raised("raise ValueError('x\\n' * 99)")).splitlines()) == 15

    def test_the_line_is_the_projects_and_not_a_librarys(self, raised):
        error = raised("import json; json.loads('{')")
        assert str(error.where) == "models/p.ff.py:2"


def test_an_engines_word_on_a_frame(world):
    node = Node("p", "python", Path("models/p.ff.py"), file="models/p.ff.py")
    with pytest.raises(ModelError) as caught, about_rows(node, MANIFEST, world.engine):
        raise EngineError("no frame", kind=ErrorKind.DATA)
    assert str(caught.value) == (
        "models/p.ff.py: Model 'p' failed: no frame\nCheck what the function returns, and what it reads."
    )


@model()
def g():
    return Frame(("n",), [{"n": 1}])


@pytest.mark.parametrize("made", ["select 1 as n", g], ids=["sql", "python"])
def test_what_fails_when_new_rows_are_brought_in_is_not_told_of_the_models_own_lines(world, made):
    config = ModelConfig(materialized="incremental", unique_key=("n",), incremental_predicates=("target.nope > 1",))
    world.given({"g": made}, configs={"g": config}).run()
    error = world.run(no_cache=True).results[0].error
    assert error.message.startswith("Model 'g' failed while its new rows were brought into g: ")
    assert "nope" in error.message
    assert (error.snippet, error.where.path) == ("", "models/g.ff.sql" if isinstance(made, str) else "models/g.ff.py")
    # What the function returned was stored before.
    assert error.hint == "Check its settings, and the types of its columns."
