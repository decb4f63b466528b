"""S1: a password is never seen again: not in what any command says, nor in any file or table that it leaves behind.

Each secret of the corpus is the password of a PostgreSQL server that is there, of one that is not, and of a dsn that
cannot be read. It is looked for as it is, percent-encoded, in base64, reversed, escaped, and with its letters spaced.
"""

from __future__ import annotations

import base64
import json
from itertools import product
from pathlib import Path
from urllib.parse import quote, quote_plus

import postgres_server
import pytest
from counts import NIGHT
from warm import Command, WarmFlowForge

SECRETS = json.loads((Path(__file__).parent / "corpora" / "secrets.json").read_text(encoding="utf-8"))
# A shorter one stands in every text; that it is not blotted out there is tested as well.
SHORTEST = 4
FILES = {
    "project.yml": "name: shop\ntests:\n  - {type: unique, table: users, column: id}\n",
    "seeds/people.csv": "id,name\n1,Ann\n2,Bob\n",
    "models/users.ff.sql": "select id, name, '{{ target.name }}' as t, 7 as seven from {{ ref('people') }}",
    "models/frames.ff.py": 'from flowforge import model\n@model(deps=["users"])\ndef frames(df):\n    return df\n',
}
BROKEN = {
    "models/bad.ff.sql": "select nope from {{ ref('users') }}",
    "models/raises.ff.py": "from flowforge import model\n@model(deps=['users'])\ndef raises(df):\n    df['nope']\n",
    "models/loud.ff.sql": "select {{ target.dsn }} as a, {{ target.password }} as b",
}
WELL = ("seed", "run", "test", "compile", "dag --html", "show users", "debug", "show _flowforge_state")
ILL = ("seed", "run -v", "test", "debug", "show users", "compile -v", "dag")


@pytest.fixture(scope="module")
def flowforge():
    with WarmFlowForge() as warm:
        yield warm


@pytest.fixture(scope="module")
def database():
    dsn = postgres_server.new_database()
    yield dsn
    postgres_server.drop_database(dsn)


def forms(secret):
    """Return what gives a secret away."""
    encoded = secret.encode()
    plain = [
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
    ]
    return {*plain, base64.b64encode(encoded).decode().rstrip("="), secret[::-1], " ".join(secret), encoded.hex()}


def project(root, dsn, how, files):
    """Write a project whose dsn stands in the profile, comes from `.env` or from the shell; return the shell's."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "tmp").mkdir()
    profile = json.dumps(dsn) if how == "profile" else "\"{{ env_var('CANARY') }}\""
    (root / "profiles.yml").write_text(
        f"default: {{engine: postgres, postgres: {{dsn: {profile}, connect_timeout: 2}}}}\n"
    )
    if how == ".env":
        (root / ".env").write_text(f"CANARY='{dsn}'\n")
    return {"TMPDIR": str(root / "tmp"), **({"CANARY": dsn} if how == "shell" else {})}


def left_behind(root):
    """Return the text of every file that the commands have made."""
    given = {root / "profiles.yml", root / ".env"}
    return {
        path: path.read_bytes().decode("utf-8", "replace")
        for path in root.rglob("*")
        if path.is_file() and path not in given
    }


def require_unseen(secret, texts):
    if len(secret) < SHORTEST:
        return
    for place, text in texts.items():
        found = [form for form in forms(secret) if form in text]
        assert not found, f"{found} in {place}:\n{text[:2000]}"


def said_by(flowforge, root, commands, shell):
    ended = flowforge.run_all([Command(command.split(), root, shell) for command in commands])
    assert len(ended) == len(commands)
    assert all(one.code in (0, 1) for one in ended), ended
    return ended


@pytest.fixture
def counted(record_property):
    record_property("trials", 1)


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize("name", SECRETS)
def test_a_password_that_works_is_seen_nowhere(name, flowforge, database, tmp_path):
    secret, number = SECRETS[name], list(SECRETS).index(name)
    dsn = database.replace("postgres:@", f"postgres:{quote(secret, safe='')}@")
    assert not secret or dsn != database
    shell = project(tmp_path, dsn, ("profile", ".env", "shell")[number % 3], FILES)
    extra = {"FLOWFORGE_TRACE": "1"} if number % 2 else {}
    suffix = " --log-format json" if number % 4 == 1 else ""
    well = said_by(flowforge, tmp_path, [f"{command}{suffix}" for command in WELL], {**shell, **extra})
    assert [one.code for one in well] == [0] * len(WELL), well
    for file, text in BROKEN.items():
        (tmp_path / file).write_text(text)
    ill = said_by(flowforge, tmp_path, ["run", "run -v --log-format json", "compile"], {**shell, **extra})
    assert {one.code for one in ill} == {1}
    outputs = {
        f"{command} {stream}": text
        for command, one in zip([*WELL, "run", "run -v", "compile"], [*well, *ill], strict=True)
        for stream, text in (("out", one.out), ("err", one.err))
    }
    require_unseen(secret, {**outputs, **left_behind(tmp_path)})
    if secret == "7" and not suffix:
        assert "7" in well[WELL.index("show users")].out


# By day one fault for each secret, at night all three.
FAULTS = ("unreachable", "no port", "no scheme")
DAY = [(name, FAULTS[number % 3]) for number, name in enumerate(SECRETS)]


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize(("name", "fault"), list(product(SECRETS, FAULTS)) if NIGHT else DAY)
def test_a_password_that_does_not_work_is_seen_nowhere(name, fault, flowforge, tmp_path):
    secret, number = SECRETS[name], list(SECRETS).index(name)
    encoded = secret if fault == "no port" and not set("\n\t") & set(secret) else quote(secret, safe="")
    dsn = {
        "unreachable": f"postgresql://ann:{encoded}@127.0.0.1:1/shop",
        "no port": f"postgresql://ann:{encoded}@127.0.0.1:port/shop",
        "no scheme": f"ann:{encoded}@127.0.0.1/shop",
    }[fault]
    how = "shell" if {"'", "\n", "\\"} & set(dsn) else ("profile", ".env", "shell")[number % 3]
    shell = project(tmp_path, dsn, "shell" if "{{" in dsn else how, FILES)
    extra = {"FLOWFORGE_TRACE": "1"} if number % 2 else {}
    ended = said_by(flowforge, tmp_path, ILL, {**shell, **extra})
    assert all(one.code == 1 for one in ended[:5]), ended
    outputs = {
        f"{command} {stream}": text
        for command, one in zip(ILL, ended, strict=True)
        for stream, text in (("out", one.out), ("err", one.err))
    }
    require_unseen(secret, {**outputs, **left_behind(tmp_path)})


def test_what_is_looked_for_would_be_found():
    with pytest.raises(AssertionError, match="in somewhere"):
        require_unseen("Canary7", {"somewhere": "password 7yranaC"})
