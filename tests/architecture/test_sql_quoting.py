"""SQL is put together from parts in a few known places, where names are quoted; anywhere else it is an error."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

DOMAIN_HOMES = {
    "checks.py",
    "ddl.py",
    "dialect.py",
    "frame_types.py",
    "incremental.py",
    "materialize.py",
    "plan.py",
    "relation.py",
    "schema_change.py",
    "sessions.py",
    "snapshot.py",
    "state.py",
    "swap.py",
}
# Of an engine's folder, the one with its dialect: whatever fulfils a port by sending statements.
ENGINE_HOMES = {
    "catalog.py",
    "connection.py",
    "dependents.py",
    "dialect.py",
    "engine.py",
    "frames.py",
    "lock.py",
    "run_lock.py",
    "seeds.py",
    "session.py",
    "state.py",
    "statements.py",
}

# Tests that ship: they write models as a user does, with numbers put in.
CASES = "packages/flowforge-testkit/src/flowforge_testkit/conformance/"

HOLE = "\0"  # stands where a value is put in
STATEMENT = re.compile(
    rf"""\s*\(?\s*(?:
        select\s | insert\s+into\s | delete\s+from\s | merge\s+into\s | update\s+\S+\s+set\s
      | copy\s+\S+\s+(?:from|to)\s
      | with\s+(?:recursive\s+)?\S+\s+as\s* \( | truncate\s | attach\s | describe\s+{HOLE} | use\s+{HOLE} | pragma\s
      | (?:create|drop|alter)\s+(?:or\s+replace\s+)?(?:temp\w*\s+)?(?:table|view|schema|sequence|index|{HOLE})
    )""",
    re.VERBOSE | re.IGNORECASE,
)


def test_sql_is_put_together_at_home_only():
    offenders = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sources()
        if not is_home(path)
        for line in assembled_sql(path.read_text(encoding="utf-8"))
    ]
    assert offenders == []


def test_who_puts_sql_together_also_quotes():
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sources()}
    quoting = re.compile("quote_|from flowforge_domain.plan import .*listed")
    assert [path for path, text in texts.items() if assembled_sql(text) and not quoting.search(text)] == []


def test_every_home_in_the_domain_exists_or_is_announced():
    """A home nobody lives in any more is a hole in the rule."""
    source = ROOT / "packages/flowforge-domain/src/flowforge_domain"
    assert {home for home in DOMAIN_HOMES if not (source / home).exists()} <= {"sessions.py"}


@pytest.mark.parametrize(
    "source",
    [
        'f"select * from {name}"',
        'f"SELECT {columns} FROM t"',
        'f"create or replace table {name} as select 1"',
        'f"drop {kind} {name}"',
        'f"  insert into {name} values (1)"',
        'f"with {name} as (select 1)"',
        'f"(select {x})"',
        '"delete from %s" % name',
        '"update {} set x = 1".format(name)',
        '"select * from " + name',
        '"select * from " "t where x = " + name + " and 1"',
        '("select a "\n f"from {name}")',
    ],
)
def test_planted_sql_is_found(source):
    assert assembled_sql(source) == [1]


@pytest.mark.parametrize(
    "source",
    [
        '"select * from t"',
        'f"Select a model from {names}"',
        'f"no {name} to select from"',
        'f"created {count} tables"',
        'f"update {name} with care"',
        'dialect.exists.format(relation="t")',
        '"select * from t where x = ?", name',
    ],
)
def test_words_and_constants_are_left_alone(source):
    assert assembled_sql(source) == []


def sources() -> list[Path]:
    found = sorted(ROOT.glob("packages/*/src/**/*.py"))
    return [path for path in found if not path.relative_to(ROOT).as_posix().startswith(CASES)]


def is_home(path: Path) -> bool:
    package = path.relative_to(ROOT).parts[1]
    if package == "flowforge-domain":
        return path.name in DOMAIN_HOMES
    folder_is_an_engine = (path.parent / "dialect.py").exists()
    return folder_is_an_engine and path.name in ENGINE_HOMES


def assembled_sql(source: str) -> list[int]:
    """Return the lines on which a string that begins like a statement takes something in."""
    return sorted({node.lineno for node in outermost(ast.parse(source)) if looks_like_sql(template(node))})


def outermost(tree: ast.AST) -> Iterator[ast.expr]:
    """Walk down to whatever puts a string together, and not into its parts."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.expr) and HOLE in template(child):
            yield child
        yield from outermost(child) if not isinstance(child, ast.JoinedStr) else ()


def template(node: ast.expr) -> str:
    """Return the text of a string expression with a hole for everything that is put in; empty for anything else."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(HOLE if isinstance(part, ast.FormattedValue) else template(part) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right) if template(left):
            return template(left) + (template(right) or HOLE)
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod()):
            return re.sub(r"%(\(\w+\))?[a-z]", HOLE, text)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
            return re.sub(r"\{[^{}]*\}", HOLE, text)
    return ""


def looks_like_sql(text: str) -> bool:
    found = STATEMENT.match(text)
    # `Select a model` is a sentence; SQL is written in one case.
    word = re.findall(r"[A-Za-z]+", text)[:1] if found else []
    return bool(word) and (word[0].islower() or word[0].isupper())
