"""R8: whatever a command is given that it cannot take, it ends with 1 and one message: what, where, and one fix.

The rows of the manual are in `test_exit_codes.py`, each as a process; these are more of each kind, in this process.
"""

from __future__ import annotations

import shlex
import shutil

import pytest
from fuzz.ground import files, write
from fuzz.judge import MOST_LINES, longest_block

from flowforge_cli.main import main

WORDS = {
    "run --vars '{start'": ("--vars:1", "Check indentation"),
    "run --vars start": ("--vars takes a mapping", "--vars '{start: 2026-01-01}'"),
    "run --vars '{strt: 1}'": ("reads the variable 'strt'", "Did you mean 'start'?"),
    "run --vars '{start: 1}' --vars '{start: 2}'": ("gives 'start' twice", "Keep one."),
    "run --full-refresh --select nope": ("No model matches 'nope'", "Known: "),
    "run --full-refresh=yes": ("'--full-refresh' does not take a value", "flowforge run --help"),
    "run --fail-fast=1": ("'--fail-fast' does not take a value", "flowforge run --help"),
    "run --wait soon": ("--wait", "flowforge run --help"),
    "run --wait -1": ("--wait", "flowforge run --help"),
    "run --jobs 0": ("--jobs", "flowforge run --help"),
    "run --resume": ("There is nothing to resume", "flowforge run"),
    "run --select 'tga:x'": ("no method 'tga'", "Did you mean 'tag:'?"),
    "run --select 'config.materialised:view'": ("no setting 'materialised'", "Did you mean 'materialized'?"),
    "run --select '@users+'": ("both @ and +", "Did you mean '@users'?"),
    "run --select 'state:modified'": ("has nothing to compare with", "--state DIR"),
    "run --select 'result:nope'": ("no result 'nope'", "Known: "),
    "run --selector nope": ("no selector 'nope'", "Known: all_but, nightly"),
    "run --state nowhere --select state:modified": ("nowhere/manifest.json", "Check what is there"),
    "run --exclude '*'": ("leaves no model", "exclude less"),
    "build --select nope": ("matches 'nope'", "Known: "),
    "build --resume": ("No such option: --resume", "flowforge build --help"),
    "build --env nope": ("profiles.yml: There is no profile 'nope'", "Known: default, dev."),
    "ls --output yaml": ("'yaml' is not one of", "flowforge ls --help"),
    "ls --resource models": ("no kind 'models'", "Did you mean 'model'?"),
    "test --select zzz": ("No test matches 'zzz'", "Known: a, batch, key, orders, users."),
    "test --select odrers": ("No test matches 'odrers'", "Did you mean 'orders'?"),
    "ls --select usrs": ("matches 'usrs'", "Did you mean 'users'?"),
    "ls nowhere": ("There is no folder", "Name the project's folder"),
    "why": ("Missing argument", "flowforge why --help"),
    "why usrs": ("There is no model 'usrs'", "Did you mean 'users'?"),
    "why users --vars '{nope: 1}'": ("reads the variable 'nope'", "Known: "),
    "clean --select users": ("No such option: --select", "flowforge clean --help"),
    "clean --env nope": ("There is no profile 'nope'", "Known: default, dev."),
    "clean --vars x": ("--vars takes a mapping", "Write for example"),
    "runs lst": ("Did you mean 'list'?", "flowforge runs --help"),
    "runs list --limit 0": ("--limit", "flowforge runs list --help"),
    "runs show": ("Missing argument", "flowforge runs show --help"),
    "runs show zzz": ("There is no run 'zzz'", "Known: "),
}

SNAPSHOT = "{{{{ config(materialized='snapshot', {}) }}}}\nselect id, name from {{{{ ref('people') }}}}\n"
GROWING = "{{{{ config(materialized='incremental', {}) }}}}\nselect {}order_id, amount from {{{{ ref('sales') }}}}\n"
HISTORY, GROWN, PROJECT = "models/history.ff.sql", "models/grown.ff.sql", "project.yml"
PYTHON = "models/extra.ff.py"
BY_PYTHON = "from flowforge import model\n\n@model({})\ndef f({}):\n    return 1\n"
# The command, the file that is wrong, its text, and what is said of it.
FILES = (
    ("run", HISTORY, SNAPSHOT.format("unique_ky='id'"), (f"{HISTORY}:1", "Did you mean 'unique_key'?")),
    ("run", HISTORY, SNAPSHOT.format("strategy='check'"), (f"{HISTORY}:1", "needs `unique_key`", "Add unique_key=")),
    ("run", HISTORY, SNAPSHOT.format("unique_key='id', strategy='chek'"), (f"{HISTORY}:1", "'check'", "Choose one")),
    ("run", HISTORY, SNAPSHOT.format("unique_key='id', strategy='timestamp'"), (f"{HISTORY}:1", "`updated_at`")),
    (
        "run --select history", HISTORY,
        SNAPSHOT.format("unique_key='id', strategy='check', check_cols=['nmae']"),
        (HISTORY, "`check_cols` names 'nmae'", "Did you mean 'name'?"),
    ),
    ("run", GROWN, GROWING.format("incremental_strategy='upsert'", ""), (f"{GROWN}:1", "'merge'", "Choose one")),
    ("run", GROWN, GROWING.format("incremental_strategy='merge'", ""), (f"{GROWN}:1", "needs `unique_key`")),
    ("run", GROWN, GROWING.format("unique_key=[]", ""), (f"{GROWN}:1", "`unique_key` names no column")),
    ("run", GROWN, GROWING.format("unique_key=none", ""), (f"{GROWN}:1", "`unique_key` names no column")),
    (
        "run", GROWN, GROWING.format("unique_key='id', incremental_strategy='append'", ""),
        (f"{GROWN}:1", "knows no key", "Use merge"),
    ),
    (
        "run", GROWN, GROWING.format("incremental_strategy='insert_overwrite'", ""),
        (f"{GROWN}:1", "needs `partition_by`", "Add partition_by="),
    ),
    (
        "run", GROWN, GROWING.format("unique_key='id', incremental_predicates=\"target.day >= '{{ var(1) }}'\"", ""),
        (f"{GROWN}:1", "`incremental_predicates` are not rendered", "Write the value out"),
    ),
    (
        "run --select grown", GROWN, GROWING.format("unique_key='order_id', on_schema_change='fail'", "1 as more, "),
        (GROWN, "more is new", "--full-refresh"),
    ),
    ("ls", "models/users.ff.sql", "{{ config(materialized='tabel') }}\nselect 1 as id\n",
     ("models/users.ff.sql:1", "no materialization 'tabel'", "Did you mean 'table'?")),
    ("run --select users", PROJECT, "name: shop\nvars: {start: 2026-01-01}\non_run_start: ['delete from nowhere']\n",
     (f"{PROJECT}:3", "on_run_start failed", "    1 | delete from nowhere", "Correct the hook.")),
    ("run --select users", "hooks/h.py", "from flowforge import hook\n@hook('on_run_strat')\ndef a(c): pass\n",
     ("hooks/h.py:2", '@hook("on_run_start")')),
    ("run --select users", "hooks/h.py", "from flowforge import hook\n@hook('on_run_start')\ndef a(c):\n    1 / 0\n",
     ("hooks/h.py:4", "ZeroDivisionError", "Correct the function")),
    ("compile", "macros/money.sql", "{% macro euros(a) %}{{ a", ("macros/money.sql:1", "Check the brackets")),
    ("compile", "macros/money.sql", "{% macro euros(a) %}{{ rfe(a) }}{% endmacro %}{% macro today() %}1{% endmacro %}",
     ("macros/money.sql:1", "'rfe' is undefined", "Did you mean 'ref'?")),
    ("ls", "models/users.ff.sql", "{{ config(\n  materialized='tabel') }}\nselect 1 as id\n",
     ("models/users.ff.sql:2", "    2 |   materialized='tabel') }}", "Did you mean 'table'?")),
    ("ls", "macros/money.sql", "{% macro euros(a) %}{{ a }}{% endmacro %}\n\n# stray\n",
     ("macros/money.sql:3", "    3 | # stray", "holds macros, and nothing beside them")),
    ("ls", "models/more.ff.sql", "select {{ var('start') }}, {{ ref('users') }\n",
     ("more.ff.sql:1", f"\n{' ' * 51}^\n", "Check the brackets, quotes")),
    ("ls", "models/more.ff.sql", "select * from {{ ref(users) }}\n",
     ("'users' is undefined", "Write ref('users').")),
    *(
        ("run --select more", "models/more.ff.sql", f"{{{{ config(schema='{schema}') }}}}\nselect 1 as id\n",
         ("models/more.ff.sql: Model 'more' cannot be in the schema", "the database or the engine", "another schema"))
        for schema in ("a", "A", "temp", "system", "pg_catalog", "information_schema")
    ),
    *(
        ("run --select fresh", "models/fresh.ff.sql", GROWING.format(f"unique_key='order_id', {setting}", ""),
         ("models/fresh.ff.sql:1: Model 'fresh' failed:", said, hint))
        for setting, said, hint in (
            ("merge_update_columns='amonut'", "`merge_update_columns` names 'amonut'", "Did you mean 'amount'?"),
            ("merge_exclude_columns=['amonut']", "`merge_exclude_columns` names 'amonut'", "Did you mean 'amount'?"),
            ("merge_update_columns='order_id'", "names the key 'order_id'", "Leave the key out."),
            ("incremental_strategy='insert_overwrite', partition_by='dya'", "`partition_by` names 'dya'", "Known: "),
        )
    ),
    *(
        (f"{command} --select sly", "models/sly.ff.sql",
         f"{head}\nwith w as (\n  delete from users returning id)\nselect id from w\n",
         ("models/sly.ff.sql:3", "`delete`, which changes another table", "`post_hook`"))
        for command in ("run", "compile")
        for head in (
            "", "create table sly as", "{% if true %}{% endif %}", "{{ config(materialized='view') }}{% set x = 1 %}",
            "{{ config(materialized='incremental') }}{% set x = 1 %}",
            "{{ config(materialized='snapshot', unique_key='id', strategy='check', check_cols='all') }}{% set x = 1 %}",
        )
    ),
    ("ls", PROJECT, "defaults:\n  owner: me\n  materialized: tabel\n", (f"{PROJECT}:1", "    1 | defaults:")),
    ("run", PROJECT, "seeds:\n  poeple: {null: x}\n", (f"{PROJECT}:2", "    2 |   poeple:", "Did you mean 'people'?")),
    ("run", PROJECT, "name: shop\ndescription: a\0b\n", (f"{PROJECT}:2", "holds a NUL byte", "Remove it")),
    ("ls", PYTHON, BY_PYTHON.format("deps=['users'], requires={'usres': {'id'}}", "df"),
     (f"{PYTHON}:3", "'usres' is not an input. Did you mean 'users'?", "relation_for(dep)")),
    ("compile", PYTHON, BY_PYTHON.format("deps=['users']", ""),
     (f"{PYTHON}:4", "f() cannot take its input: too many positional arguments", "def f():", "Write `def f(df):`")),
    ("dag", PYTHON, BY_PYTHON.format("deps=['users', 'orders']", "users, orders"),
     (f"{PYTHON}:4", "cannot take its inputs: missing a required argument: 'orders'", "one dict")),
    ("ls", PYTHON, BY_PYTHON.format("", "df"),
     (f"{PYTHON}:4", "missing a required argument: 'df'", "Write `def f():`, or name what it reads: deps=[…].")),
    ("ls", PYTHON, BY_PYTHON.format("deps=['users']", "this, df"), (f"{PYTHON}:4", "multiple values for argument")),
    ("ls", PYTHON, BY_PYTHON.format("deps=['users']", "df, df"), (f"{PYTHON}:4", "duplicate parameter name")),
    ("run --select extra", PYTHON, BY_PYTHON.format("deps=['users']", "").replace("@model", "@twice\n@model").replace(
        "\n\n", "\ntwice = lambda f: f\n\n"),
     (f"{PYTHON}:5", "TypeError", "takes 0 positional arguments")),
    ("run --select extra", PYTHON, BY_PYTHON.format("deps=['users']", "df").replace("1", "df.select('id')"),
     (f"{PYTHON}:5", "no attribute 'select'", "what it is given, pandas.", "docs/guide/models.md")),
    *(
        ("ls", PYTHON, f"from flowforge import *\n\n@model({first})\ndef f(): ...\n@model({second})\ndef g(): ...\n",
         (f"{PYTHON}:5: The name {name!r} is given twice: here and in {PYTHON}:3.", "Give each function its own"))
        for first, second, name in (("", "", "extra"), ("'one'", "name='one'", "one"))
    ),
    ("ls --selector a", PROJECT, "name: shop\nselectors: {a: 'selector:b', b: 'selector:a'}\n",
     (f"{PROJECT}:2", "a → b → a", "Write out")),
    ("build", PROJECT, "name: shop\ntests:\n  - {type: uniqe, table: users, column: id}\n",
     (f"{PROJECT}:3", "no test 'uniqe'", "Did you mean 'unique'?")),
    ("seed", PROJECT, "seeds:\n  people:\n    column_types:\n      id: bigint\n      nmae: text\n",
     (f"{PROJECT}:5", "'nmae'", "seeds/people.csv lacks", "Did you mean 'name'?")),
    ("seed", PROJECT, "seeds:\n  people:\n    column_types: {id: bigint,\n      name: txt}\n",
     (f"{PROJECT}:4", "'txt', declared for column 'name', is no type of ", "Use one like")),
    ("seed", PROJECT, "seeds:\n  people:\n    column_types: {name: bigint}\n",
     ("seeds/people.csv:2", "Column 'name' holds", f"declare another type ({PROJECT}:3)")),
    ("seed", PROJECT, "seeds:\n  people:\n    column_types: {id: bigint}\n    delimiter: ';'\n",
     (f"{PROJECT}:4", "`delimiter` is ';'", "the only column of seeds/people.csv is 'id,name", "Did you mean ','?")),
    ("seed", PROJECT, "seeds:\n  people:\n    delimiter: '||'\n", (f"{PROJECT}:3", "'||' is not one character")),
    ("ls", PROJECT, 'seeds:\n  people:\n    quote: "\\n"\n', (f"{PROJECT}:3", "ends a line", "Write one sign")),
    ("ls", PROJECT, "seeds:\n  people: {delimiter: '\"',\n    quote: '\"'}\n", (f"{PROJECT}:3", "are both", "Choose")),
    *(
        ("ls", PROJECT, f"seeds:\n  people:\n    {sign}: ''\n", (f"{PROJECT}:3", "The sign is empty.", "drop the line"))
        for sign in ("delimiter", "quote")
    ),
    ("seed", "seeds/more.sql", "-- all\nselect 1 as a; select 2\n",
     ("seeds/more.sql:2", "A SQL seed is one statement", "Give it a file of its own")),
    ("seed", "seeds/more.sql", "insert into users values (1)",
     ("seeds/more.sql:1", "A SQL seed is a query, not `insert`.")),
    ("seed", "seeds/more.sql", "\nwith w as (delete from users) select 1",
     ("seeds/more.sql:2", "A SQL seed is a query, and this part of it is `delete`", "Let a model write")),
    ("seed", "seeds/more.sql", "-- all\nwith w as (select 1) delete from w",
     ("seeds/more.sql:2", "requires a SELECT clause", "Correct the query.")),
    ("seed", "seeds/more.parquet", "not at all",
     ("seeds/more.parquet: File 'seeds/more.parquet' too small", "Correct")),
    *(
        ("run", "models/more.ff.sql", f"-- all\n\n{body}\n",
         ("models/more.ff.sql:3", f"A SQL model is a query, not `{body.split()[0]}`.", "Write `create or replace"))
        for body in ("pragma version", "explain select 1", "call x()", "vacuum", "use b", "comment on table a is 'b'")
    ),
    ("run --select more", "models/more.ff.sql", "-- all\n\nwith w as (select 1 as a) delete from w\n",
     ("models/more.ff.sql:3", "    3 | with w", "requires a SELECT clause", ".flowforge/compiled/models/more.sql")),
    ("run", PROJECT, "name: shop\non_run_start: ['select 1; select 2']\nvars: {start: 2026-01-01}\n",
     (f"{PROJECT}:2", "A SQL hook is one statement", "Make it a hook of its own")),
    ("run", PROJECT, "seeds:\n  people:\n    encoding: utf-9\n",
     (f"{PROJECT}:3", "'utf-9' is no text encoding", "latin-1")),
    ("seed", "seeds/more.CSV", "a\n1\n", ("seeds/more.CSV", "must end with .csv", "Rename it to seeds/more.csv.")),
    ("seed", "seeds/more.Csv.GZ", "", ("seeds/more.Csv.GZ", "Rename it to seeds/more.csv.gz.")),
    ("build", "seeds/more.PARQUET", "", ("seeds/more.PARQUET", "Rename it to seeds/more.parquet.")),
    ("ls", "seeds/more.tsv", "a\tb\n1\t2\n", ("seeds/more.tsv", "Rename it to seeds/more.csv.")),
    ("run", "models/more.FF.SQL", "select 1 as a", ("models/more.FF.SQL", "Rename it to models/more.ff.sql.")),
    ("run", "models/more.SQL", "select 1 as a", ("models/more.SQL", "Rename it to models/more.ff.sql.")),
    ("run", "models/more.Ff.Py", "", ("models/more.Ff.Py", "Rename it to models/more.ff.py.")),
    ("run", "models/more.YML", "", ("models/more.YML", "Rename it to models/more.yml.")),
    ("run", "macros/more.SQL", "", ("macros/more.SQL", "Rename it to macros/more.sql.")),
    ("run", "hooks/more.PY", "", ("hooks/more.PY", "Rename it to hooks/more.py.")),
    ("run --state s --select state:modified", "s/manifest.json", "{",
     ("s/manifest.json", "no manifest", "flowforge run")),
)  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = tmp_path_factory.mktemp("ground") / "shop"
    write(root, files())
    assert main(["build", str(root), "-q"]) == 0
    return root


@pytest.fixture
def refused(built, tmp_path, monkeypatch, capsys):
    """Run a command on a project, of which one file may be another, and return its one message."""

    def run(command, changed=None):
        root = shutil.copytree(built, tmp_path / "shop")
        write(root, {name: text.encode() for name, text in (changed or {}).items()})
        monkeypatch.chdir(root)
        capsys.readouterr()
        assert main(shlex.split(command)) == 1
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        assert len(said.err.splitlines()) <= MOST_LINES
        assert longest_block(said.out) <= MOST_LINES
        message = said.out if "↳" in said.out else said.err
        assert len(message.strip().splitlines()) >= 2
        return message

    return run


@pytest.mark.parametrize("command", WORDS)
def test_wrong_words(refused, command):
    said = refused(command)
    assert [part for part in WORDS[command] if part not in said] == [], said


@pytest.mark.parametrize(
    ("command", "name", "text", "says"), FILES, ids=[f"{number} {each[1]}" for number, each in enumerate(FILES)]
)
def test_wrong_files(refused, command, name, text, says):
    said = refused(command, {name: text})
    assert [part for part in says if part not in said] == [], said
