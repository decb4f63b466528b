"""Inputs by number: the same seed gives the same ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from fuzz.mutate import mutate

# Each with its kind, and the commands that read it; those that open no engine are tried more often, for speed.
FILES: dict[str, tuple[str, tuple[str, ...]]] = {
    "project.yml": ("yaml", ("compile", "dag", "compile", "dag", "seed", "test")),
    "sources.yml": ("yaml", ("compile", "dag", "run --select users")),
    "profiles.yml": ("yaml", ("compile", "debug", "seed --select people", "run --select users", "show users")),
    "models/orders.yml": ("yaml", ("compile", "dag", "test")),
    ".env": ("env", ("compile", "run --select users", "seed --select people")),
    "models/users.ff.sql": ("sql", ("compile", "run --select users", "run --select users")),
    "models/orders.ff.sql": ("sql", ("dag", "run --select orders", "run --select orders")),
    "models/marts/mart.ff.sql": ("jinja", ("compile", "compile", "run --select mart")),
    "models/marts/enriched.ff.py": ("python", ("dag", "run --select enriched", "run --select enriched")),
    "models/grown.ff.sql": ("jinja", ("compile", "run --select grown", "run --select grown", "ls")),
    "models/history.ff.sql": ("jinja", ("run --select history", "run --select history")),
    "macros/money.sql": ("jinja", ("compile", "compile", "run --select grown", "dag")),
    "seeds/people.csv": ("csv", ("seed --select people",)),
    "seeds/countries.sql": ("sql", ("seed --select countries",)),
    "seeds/sales.parquet": ("binary", ("seed --select sales",)),
    "seeds/zipped.csv.gz": ("binary", ("seed --select zipped",)),
}
_WORDS = [
    "run", "seed", "test", "dag", "show", "compile", "debug", "engines", "init", "init-plugin", "--select", "--exclude", "--env", "--engine", "--jobs", "--limit",
    "--html", "--output", "-o", "--quiet", "--verbose", "-v", "-q", "--log-format", "json", "text", "--help", "-h", "--version", "--", "-", "", ".", "..", "shop",
    "users", "+users+", "tag:batch", "*", "@", "+", "users,orders", "-1", "0", "99999999999999999999", "nope", "--nope", "--select=", "--env=", "--jobs=x", "duckdb",
    "sqlite", "\u202e", "😀", "a\nb", "'", '"', "%s", "{0}", "x" * 5000, "/", "/dev/null", "~", "project.yml", "models", "\x1b[31m", "--output=/dev/null/x", "default", "dev", "ls", "--vars", "{a: 1}", "{a", "--full-refresh", "--wait", "--wait=x", "--state", "--changed-since", "HEAD", "--output", "name", "path",
    "source:crm.people", "config.materialized:view", "state:modified", "result:failed", "@users", "2+users+1", "selector:nightly", "--selector", "nightly", "kind:", "us*", "nope:x",
]  # fmt: skip
_VARIABLES = {
    "FF_ENGINE": ("", "nope", "sqlite", "duckdb", "postgres", "x" * 5000, "\n"),
    "FF_DUCKDB_PATH": (
        "",
        "/",
        "/nowhere/a.duckdb",
        "project.yml",
        ".",
        "\n",
        "x" * 5000,
        ":memory:",
        "~",
        "a\tb",
        "models/users.ff.sql/x",
    ),
    "FF_SQLITE_PATH": ("", "/", "project.yml", "x" * 5000),
    "FUZZ_DB": ("", "/", "{{ 1 }}", "a: b", "x" * 5000, "\n"),
    "FLOWFORGE_FAILPOINT": ("nope", "done:1:kill", ":::"),
    "NO_COLOR": ("", "1"),
    "COLUMNS": ("0", "-1", "x", "1"),
    "LINES": ("x",),
    "TERM": ("", "dumb", "nope"),
    "LANG": ("", "C", "nope"),
    "PYTHONIOENCODING": ("ascii",),
    "TZ": ("nope", "", "UTC-99"),
    "HOME": ("", "/nowhere", "x"),
    "TMPDIR": ("/nowhere", ""),
    "PATH": ("",),
}
_COMMANDS = ("compile", "run --select users", "seed --select people", "dag", "test", "show users", "debug")


@dataclass(frozen=True)
class Case:
    """One input: what of the project is other than it should be, and the command."""

    arguments: list[str]
    changed: dict[str, bytes] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def mutated(self) -> str:
        return next(iter(self.changed), "")


def cases(seed: int, count: int, content: dict[str, bytes]) -> Iterator[Case]:
    """Return the first `count` inputs of a seed."""
    for number in range(count):
        yield case(random.Random(f"{seed} {number}"), content)


def case(rng: random.Random, content: dict[str, bytes]) -> Case:
    target = rng.choice([*FILES, *FILES, "arguments", "arguments", "environment"])
    if target == "arguments":
        return Case([rng.choice(_WORDS) for _ in range(rng.randint(1, 5))])
    if target == "environment":
        names = rng.sample(sorted(_VARIABLES), rng.randint(1, 3))
        return Case(rng.choice(_COMMANDS).split(), environment={name: rng.choice(_VARIABLES[name]) for name in names})
    kind, commands = FILES[target]
    return Case(rng.choice(commands).split(), {target: mutate(rng, kind, content[target])})
