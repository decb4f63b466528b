"""Inputs by number: the same seed gives the same ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from fuzz.mutate import mutate

Files = dict[str, tuple[str, tuple[str, ...]]]
# Each with its kind, and the commands that read it; those that open no engine are tried more often, for speed.
_DUCKDB: Files = {
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
# Of PostgreSQL only those that open it, and of models what reaches it, not their templates.
_POSTGRES: Files = {
    "project.yml": ("yaml", ("seed", "test")),
    "sources.yml": ("yaml", ("run --select users",)),
    "profiles.yml": ("yaml", ("debug", "seed --select people", "run --select users", "show users")),
    "models/orders.yml": ("yaml", ("test",)),
    ".env": ("env", ("run --select users", "seed --select people")),
    "models/users.ff.sql": ("postgres", ("run --select users",)),
    "models/orders.ff.sql": ("postgres", ("run --select orders",)),
    "models/marts/mart.ff.sql": ("postgres", ("run --select mart",)),
    "models/marts/enriched.ff.py": ("python", ("run --select enriched",)),
    "models/grown.ff.sql": ("postgres", ("run --select grown", "run --select grown --full-refresh")),
    "models/history.ff.sql": ("postgres", ("run --select history",)),
    "seeds/people.csv": ("postgres csv", ("seed --select people",)),
    "seeds/countries.sql": ("postgres", ("seed --select countries", "seed")),
    "seeds/sales.parquet": ("parquet", ("seed --select sales", "seed")),
    "seeds/zipped.csv.gz": ("binary", ("seed --select zipped",)),
}
_FILES = {"duckdb": _DUCKDB, "postgres": _POSTGRES}
_WORDS = [
    "run", "seed", "test", "dag", "show", "compile", "debug", "engines", "init", "init-plugin", "--select", "--exclude", "--env", "--engine", "--jobs", "--limit",
    "--html", "--output", "-o", "--quiet", "--verbose", "-v", "-q", "--log-format", "json", "text", "--help", "-h", "--version", "--", "-", "", ".", "..", "shop",
    "users", "+users+", "tag:batch", "*", "@", "+", "users,orders", "-1", "0", "99999999999999999999", "nope", "--nope", "--select=", "--env=", "--jobs=x", "duckdb",
    "sqlite", "\u202e", "😀", "a\nb", "'", '"', "%s", "{0}", "x" * 5000, "/", "/dev/null", "~", "project.yml", "models", "\x1b[31m", "--output=/dev/null/x", "default", "dev", "ls", "--vars", "{a: 1}", "{a", "--full-refresh", "--wait", "--wait=x", "--state", "--changed-since", "HEAD", "--output", "name", "path",
    "source:crm.people", "config.materialized:view", "state:modified", "result:failed", "@users", "2+users+1", "selector:nightly", "--selector", "nightly", "kind:", "us*", "nope:x",
]  # fmt: skip
_VARIABLES = {
    "FF_ENGINE": ("", "nope", "sqlite", "duckdb", "postgres", "x" * 5000, "\n"),
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
# Those of one engine, libpq's own among them.
_VARIABLES_OF: dict[str, dict[str, tuple[str, ...]]] = {
    "duckdb": {
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
    },
    "postgres": {
        "FF_PG_DSN": (
            "", "nope", "\n", "x" * 5000, "postgresql://", "postgres:///shop", "postgresql+psycopg:///shop", "postgresql:///nowhere",
            "postgresql://nobody@/shop", "postgresql://localhost:1/shop", "postgresql://127.0.0.1:99999/shop", "postgresql:///shop?host=/nowhere",
            "postgresql:///shop?sslmode=nope", "postgresql:///shop?sslmode=require", "postgresql:///shop?nope=1", "postgresql://%zz@/shop",
            "postgresql://a:b:c@d:e/f", "postgresql://a@b@c/d", "postgresql:///shop?options=-c%20nope", "postgresql:///shop?options=-c%20search_path%3Dnope",
            "postgresql:///shop?connect_timeout=x", "postgresql://[::1/shop", "postgresql:///" + "x" * 500, "postgresql:///shop?client_encoding=latin1",
            "postgresql:///shop?options=-c%20statement_timeout%3D1", "postgresql:///shop?sslrootcert=nowhere.pem&sslmode=verify-full",
            "postgresql:///shop%00", "postgresql:///shop?passfile=/dev/null", "mysql:///shop", "sqlite:///shop.db", "dbname=shop", "postgresql:///sh\u202eop",
        ),
        "FF_PG_SCHEMA": ("", "\n", " ", "x" * 63, "x" * 5000, '"', "'", "pg_catalog", "pg_nope", "information_schema", "a.b", "$user", "Public", "😀", "\0"[:0], "a;b"),
        "PGDATABASE": ("nope", "", "x" * 500),
        "PGUSER": ("nobody", ""),
        "PGPORT": ("1", "x", "99999", "-1"),
        "PGHOST": ("/nowhere", "localhost"),
        "PGSSLMODE": ("nope", "require"),
        "PGOPTIONS": ("-c nope=1", "nope", "-c statement_timeout=1", "-c default_transaction_read_only=on", "-c search_path=nope", "-c standard_conforming_strings=off"),
        "PGCLIENTENCODING": ("LATIN1", "SQL_ASCII", "nope", "UTF16"),
        "PGDATESTYLE": ("German", "SQL, DMY", "nope"),
        "PGTZ": ("nope", "Asia/Tokyo"),
        "PGSERVICE": ("nope",),
        "PGCONNECT_TIMEOUT": ("x", "0", "-1"),
        "PGAPPNAME": ("x" * 500, "\n"),
    },
}  # fmt: skip
_OPENING = ("run", "seed", "test", "show", "debug")
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

    @property
    def opens_an_engine(self) -> bool:
        return self.arguments[0] in _OPENING


def cases(seed: int, content: dict[str, bytes], engine: str = "duckdb") -> Iterator[Case]:
    """Return the inputs of a seed, without end."""
    for number in count():
        yield case(random.Random(f"{seed} {number}"), content, engine)


def case(rng: random.Random, content: dict[str, bytes], engine: str) -> Case:
    files = _FILES[engine]
    target = rng.choice([*files, *files, "arguments", "arguments", "environment"])
    if target == "arguments":
        return Case([rng.choice(_WORDS) for _ in range(rng.randint(1, 5))])
    if target == "environment":
        variables = _VARIABLES | _VARIABLES_OF[engine]
        names = rng.sample(sorted(variables), rng.randint(1, 3))
        return Case(rng.choice(_COMMANDS).split(), environment={name: rng.choice(variables[name]) for name in names})
    kind, commands = files[target]
    return Case(rng.choice(commands).split(), {target: mutate(rng, kind, content[target])})
