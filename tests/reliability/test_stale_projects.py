"""R3 through the files of a project: macros, variables, environment, imported modules, hooks, a table that grows.

A plain model in Python tells what each table must hold, and which models an edit reaches: exactly these are built. What
only looks like an edit (a comment, a docstring, a macro that nobody calls, an edit taken back) reaches none.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from counts import PROJECTS
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from flowforge import Project

PYTHON = """
from flowforge import model
from flowforge_testkit.sqlite.frames import Frame
from factors import factor


@model(deps=["b"])
def c(frame):
    return Frame(("n", "m"), [{"n": row["n"], "m": row["m"] * factor()} for row in frame.rows])
"""
# What each model's own definition is made of; each reads the one before it.
MADE_OF = {
    "a": ("seed", "macro"),
    "b": ("environment",),
    "c": ("module",),
    "d": ("hook",),
    "grown": ("query", "variable"),
}
PARTS = st.sampled_from([part for made_of in MADE_OF.values() for part in made_of])


def files(said, noise):
    """Return the project's files; `noise` stands where it means nothing."""
    return {
        "project.yml": "name: edited\nvars: {y: 0}\n",
        "profiles.yml": "default: {engine: sqlite, sqlite: {path: target.sqlite}}\n",
        ".env": f"STEP={said['environment']}\n",
        "seeds/s.csv": f"n\n{said['seed']}\n{said['seed'] + 1}\n",
        "macros/m.sql": f"{{% macro plus(c) %}}({{{{ c }}}} + {said['macro']}){{% endmacro %}}\n"
        f"{{% macro unused() %}}{noise}{{% endmacro %}}\n",
        "factors.py": f'"""Number {noise}."""\n# {noise}\ndef factor():\n    return {said["module"]}\n',
        "models/a.ff.sql": f"-- {noise}\nselect n, {{{{ plus('n') }}}} as m from {{{{ ref('s') }}}}",
        "models/b.ff.sql": "{{ config(materialized='view') }}\n"
        "select n, m + {{ env_var('STEP') }} as m from {{ ref('a') }}",
        "models/c.ff.py": PYTHON,
        "models/d.ff.sql": f'{{{{ config(post_hook="update {{{{ this }}}} set m = m + {said["hook"]}") }}}}\n'
        "select n, m from {{ ref('c') }}",
        "models/grown.ff.sql": "{{ config(materialized='incremental', unique_key='n') }}\n"
        f"select n, m + {said['query']} + {{{{ var('y') }}}} as m /* {noise} */ from {{{{ ref('d') }}}}",
    }


def tables(said):
    """Return what the queries give, by model: values by `n`."""
    found = {"a": {n: n + said["macro"] for n in (said["seed"], said["seed"] + 1)}}
    found["b"] = {n: m + said["environment"] for n, m in found["a"].items()}
    found["c"] = {n: m * said["module"] for n, m in found["b"].items()}
    found["d"] = {n: m + said["hook"] for n, m in found["c"].items()}
    found["grown"] = {n: m + said["query"] + said["variable"] for n, m in found["d"].items()}
    return found


@pytest.fixture(autouse=True)
def counted(record_property):
    record_property("trials", PROJECTS)


class ProjectEdits(RuleBasedStateMachine):
    """A folder that is edited, what was said in it at the last run, and the rows of the table that grows."""

    def __init__(self):
        super().__init__()
        self.open = ExitStack()
        self.root = Path(self.open.enter_context(tempfile.TemporaryDirectory()))
        self.said = {part: 1 for made_of in MADE_OF.values() for part in made_of}
        self.at_last_run = {}
        self.grown = {}
        self.noise = 0

    def teardown(self):
        self.open.close()

    @initialize()
    def first_run(self):
        self.edit_and_run([], False)

    @rule(edits=st.lists(st.tuples(PARTS, st.integers(0, 2)), max_size=2), noise=st.booleans())
    def edit_and_run(self, edits, noise):
        """Edit some parts, perhaps what means nothing too, and run."""
        self.said |= dict(edits)
        self.noise += noise
        for name, text in files(self.said, self.noise).items():
            (self.root / name).parent.mkdir(exist_ok=True)
            (self.root / name).write_text(text, encoding="utf-8")
        due = self.due()
        with Project.load(self.root, vars={"y": self.said["variable"]}) as project:
            project.seed()
            report = project.run()
            shown = {name: dict(project.show(name, 99).rows) for name in MADE_OF}
        assert report.ok, [result.error for result in report.results if result.error]
        assert [result.name for result in report.results if result.status.value == "built"] == due
        expected = tables(self.said)
        if "grown" in due:
            anew = self.said["query"] != self.at_last_run.get("query")
            self.grown = expected["grown"] if anew else self.grown | expected["grown"]
        # Where it was left as it is, to bring in what the query gives would have changed nothing.
        assert self.grown == self.grown | expected["grown"]
        assert shown == expected | {"grown": self.grown}
        self.at_last_run = dict(self.said)

    def due(self):
        """Return the models that an edit since the last run reaches."""
        reached = False
        found = []
        for name, made_of in MADE_OF.items():
            reached = reached or any(self.said[part] != self.at_last_run.get(part) for part in made_of)
            found += [name] if reached else []
        return found


ProjectEdits.TestCase.settings = settings(
    max_examples=PROJECTS, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
)
TestStaleProjects = ProjectEdits.TestCase
