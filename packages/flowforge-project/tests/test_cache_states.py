"""The parse cache is never wrong: after every change of files or of the cache itself, a warm load is a cold one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from flowforge_domain.errors import FlowForgeError
from flowforge_project.folder import CACHE_FILE
from flowforge_project.reader import FolderReader

PATHS = st.sampled_from(
    [
        *("models/a.ff.sql", "models/b.ff.sql", "models/x/c.ff.sql", "models/a.ff.py", "models/d.ff.py"),
        *("models/m.yml", "models/x/m.yaml", "project.yml", "sources.yml", "seeds/s.csv"),
        *("macros/m.sql", "macros/x/n.sql", "hooks/h.py"),
    ]
)
SQL = [
    "select 1",
    "select 1 ",
    "create table t as select 1",
    "create view t as select 1",
    "select * from {{ ref('a') }}",
    "select * from\n{{ ref('b.ff') }}, {{ source('g', 't') }}",
    "{{ config(owner='me', meta={'a': [1, 'x', none]}) }}select {% if true %}1{% endif %}",
    "{{ config(tags=['t']) }}select 1",
    "select {{ m() }}",
    "select {{ ref( }}",
    "",
]
PYTHON = [
    "@model(deps=['a'])\ndef f(x): ...",
    "@model(deps=['a', source('g', 't')], requires={'a': {'y', 'x'}}, tags=('t',))\ndef f(x): ...",
    "@model(name='p')\ndef f(): ...\n@model(name='q', deps=['p'])\ndef g(x): ...",
    "@model(deps=x)\ndef f(): ...",
    "@hook('on_run_end')\ndef f(x): ...",
    "def (",
]
YAML = [
    "models: {a: {owner: x, tags: [y]}}",
    "models:\n  b: {description: B, columns: {id: {tags: [k]}}}",
    "tests: [{type: unique, table: a, column: b}]",
    "vars: {x: 1}\nname: n",
    "g: {t: {identifier: i}}",
    "g: {t: }",
    "on_run_start: ['select 1', '{{ m() }}']",
    "models: {b: {post_hook: '{{ m() }}'}}",
    "models: {",
    "nothing: 1",
]
MACROS = [
    "{% macro m() %}1{% endmacro %}",
    "{% macro m() %}{{ ref('b') }}{% endmacro %}",
    "{% macro m() %}{{ n() }}{% endmacro %}",
    "{% macro n() %}{{ ref('d') }}{{ source('g', 't') }}{% endmacro %}",
    "{% macro duckdb__n() %}{{ ref('c') }}{% endmacro %}",
    "{% macro m() %}{{ nobody() }}{% endmacro %}",
    "{% macro m() %}",
]
CONTENTS = st.sampled_from([*SQL, *SQL, *PYTHON, *YAML, *MACROS])
REACHED: Counter[str] = Counter()


class ChangingProject(RuleBasedStateMachine):
    """A project under edit; what is written anywhere may be SQL, Python or YAML."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp()).resolve()
        self.cache = self.root / CACHE_FILE

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    @initialize()
    def start(self) -> None:
        self.put("models/a.ff.sql", SQL[0])
        self.put("models/b.ff.sql", SQL[4])
        self.edit_macro(0)

    @rule(path=PATHS, content=CONTENTS)
    def put(self, path: str, content: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(content)
        os.utime(self.root / path, (1_000_000_000, 1_000_000_000))

    @rule(path=PATHS, kind=st.sampled_from(["sql", "py", "yml"]), index=st.integers(0, 10))
    def put_fitting(self, path: str, kind: str, index: int) -> None:
        kind = path.rpartition(".")[2].replace("yaml", "yml")
        choices = MACROS if path.startswith("macros") else {"sql": SQL, "py": PYTHON, "yml": YAML}.get(kind, SQL)
        self.put(path, choices[index % len(choices)])

    @rule(index=st.integers(0, 2))
    def edit_macro(self, index: int) -> None:
        """Give the macro that a model calls another body, and nothing else."""
        self.put("macros/m.sql", MACROS[index])
        self.put("models/x/c.ff.sql", "select {{ m() }}")

    @rule(path=PATHS)
    def delete(self, path: str) -> None:
        (self.root / path).unlink(missing_ok=True)

    @rule(path=PATHS, other=PATHS)
    def rename(self, path: str, other: str) -> None:
        if (self.root / path).exists():
            (self.root / other).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).rename(self.root / other)

    @rule(path=PATHS, other=PATHS)
    def swap(self, path: str, other: str) -> None:
        if (self.root / path).exists() and (self.root / other).exists():
            one, two = (self.root / path).read_text(), (self.root / other).read_text()
            self.put(path, two)
            self.put(other, one)

    @rule(path=PATHS)
    def touch(self, path: str) -> None:
        if (self.root / path).exists():
            os.utime(self.root / path)

    @precondition(lambda self: self.cache.exists())
    @rule(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
    def corrupt(self, place: float, bit: int) -> None:
        content = bytearray(self.cache.read_bytes())
        if content:
            content[int(place * len(content))] ^= 1 << bit
            self.cache.write_bytes(content)
            REACHED["corrupt"] += 1

    @precondition(lambda self: self.cache.exists())
    @rule(part=st.floats(0, 1))
    def truncate(self, part: float) -> None:
        content = self.cache.read_bytes()
        self.cache.write_bytes(content[: int(part * len(content))])

    @rule()
    def keep_an_old_cache(self) -> None:
        """Put back the cache of an earlier state, as a restored backup would."""
        if self.cache.exists():
            old = self.cache.with_name("old")
            if old.exists():
                shutil.copy(old, self.cache)
            else:
                shutil.copy(self.cache, old)

    @invariant()
    def warm_is_cold(self) -> None:
        warm = self.outcome()
        kept = self.cache.read_bytes() if self.cache.exists() else None
        self.cache.unlink(missing_ok=True)
        cold = self.outcome()
        assert warm == cold
        if kept is not None:
            self.cache.write_bytes(kept)
        REACHED["error" if isinstance(cold, tuple) else "manifest"] += 1
        REACHED["macro"] += not isinstance(cold, tuple) and any(node.macros for node in cold.nodes.values())

    def outcome(self) -> object:
        try:
            return FolderReader(self.root).manifest()
        except FlowForgeError as error:
            return type(error), str(error)


def test_a_warm_load_is_a_cold_one_whatever_happened():
    REACHED.clear()
    run_state_machine_as_test(
        ChangingProject, settings=settings(max_examples=40, stateful_step_count=30, deadline=None, derandomize=True)
    )
    assert min(REACHED["error"], REACHED["manifest"], REACHED["corrupt"], REACHED["macro"]) > 10
