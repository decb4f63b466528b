"""S1: a password is never seen again: not in what any command says, nor in any file or table that it leaves behind.

Each secret of the corpus is the password of a PostgreSQL server that is there, of one that is not, and of a dsn that
cannot be read; at night also each token and key of a cloud's profile. It is looked for as it is, percent-encoded, in
base64, reversed, escaped, and with its letters spaced.
"""

from __future__ import annotations

import ast
import base64
import json
import os
import signal
from itertools import product
from pathlib import Path
from urllib.parse import quote, quote_plus

import postgres_server
import pytest
import spark_local
from counts import NIGHT, SECRETS
from warm import Command

CORPUS = json.loads((Path(__file__).parent / "corpora" / "secrets.json").read_text(encoding="utf-8"))
NAMES = list(CORPUS)[:SECRETS]
# A shorter one stands in every text; that it is not blotted out there is tested as well.
SHORTEST = 4
# What a Python model sees of the processes around it: what their arguments hold, any user of the machine sees too.
FRAMES = """
import glob, os
from flowforge import model


def arguments(pid):
    try:
        ours = os.getsid(int(pid)) == os.getsid(0)
        return open(f"/proc/{pid}/cmdline").read() if ours else ""
    except OSError:
        return ""


@model(deps=["users"])
def frames(df):
    seen = [arguments(path.split("/")[2]) for path in glob.glob("/proc/[0-9]*")]
    open("arguments.txt", "w").write("\\n".join(seen))
    return df
"""
FILES = {
    "project.yml": "name: shop\nretries: {delay: 0}\ntests:\n  - {type: unique, table: users, column: id}\n",
    "seeds/people.csv": "id,name\n1,Ann\n2,Bob\n",
    "models/users.ff.sql": "select id, name, '{{ target.name }}' as t, 7 as seven from {{ ref('people') }}",
    "models/frames.ff.py": FRAMES,
}
BROKEN = {
    "models/bad.ff.sql": "select nope from {{ ref('users') }}",
    "models/raises.ff.py": "from flowforge import model\n@model(deps=['users'])\ndef raises(df):\n    df['nope']\n",
    "models/loud.ff.sql": "select {{ target.dsn }} as a, {{ target.password }} as b",
}
# The server itself ends the connection, in the middle of a statement.
CUT = {"models/cut.ff.sql": "select pg_terminate_backend(pg_backend_pid()) as a"}
SAID = ("seed", "run", "test", "compile", "dag --html", "build --no-cache")
TOLD = ("show users", "why users", "debug", "clean --dry-run", "engines", "show _flowforge_state")
WELL = (*SAID, *TOLD, "ls", "runs list")
ILL = ("seed", "run", "test", "debug", "show users", "build", "why users", "clean", "compile", "dag", "ls", "runs list")
# How a command is asked to say more; not each knows each.
TALK = {"": WELL, "-v": SAID, "--log-format json": (*SAID, *TOLD), "-v --log-format json": SAID}
MODES = list(product(TALK, ("", "1")))


@pytest.fixture
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
    settings = {"engine": "postgres", "postgres": {"dsn": dsn, "connect_timeout": 2}}
    if how != "profile":
        settings["postgres"]["dsn"] = "{{ env_var('CANARY') }}"
    write(root, {**files, "profiles.yml": json.dumps({"default": settings}, ensure_ascii=False)})
    if how == ".env":
        (root / ".env").write_text(f"CANARY='{dsn}'\n")
    return {"TMPDIR": str(root / "tmp"), **({"CANARY": dsn} if how == "shell" else {})}


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "tmp").mkdir(exist_ok=True)


def left_behind(root):
    """Return the text of every file that the commands have made."""
    given = {root / "profiles.yml", root / ".env", root / "key"}
    return {
        path: path.read_bytes().decode("utf-8", "replace")
        for path in root.rglob("*")
        if path.is_file() and path not in given
    }


def in_tables(dsn):
    """Return the text of every table that the commands have made."""
    named = "select quote_ident(table_name) from information_schema.tables where table_schema = 'public'"
    tables = [name for (name,) in postgres_server.run(named, dsn)]
    return {name: str(postgres_server.run(f"select t::text from {name} t", dsn)) for name in tables}


def require_unseen(secret, texts):
    if len(secret) < SHORTEST:
        return
    for place, text in texts.items():
        found = [form for form in forms(secret) if form in text]
        assert not found, f"{found} in {place}:\n{text[:2000]}"


def said_by(flowforge, root, commands, shell, codes=(0, 1)):
    """Run commands, and return what each said, by command and stream, when each ended as it may."""
    ended = flowforge.run_all([Command(command.split(), root, shell) for command in commands])
    assert len(ended) == len(commands)
    wrong = [(command, one) for command, one in zip(commands, ended, strict=True) if one.code not in codes]
    assert not wrong
    return {
        f"{command} {stream}": text
        for command, one in zip(commands, ended, strict=True)
        for stream, text in (("out", one.out), ("err", one.err))
    }


def in_mode(commands, talk):
    """Return commands, those that know how to say more asked to do so."""
    known = {command.split()[0] for command in TALK[talk]}
    return [f"{command} {talk}".strip() if command.split()[0] in known else command for command in commands]


# By day one of each for each secret, at night all.
def by_day_one(names, *axes):
    every = list(product(*axes))
    if NIGHT:
        return [(name, *mixed) for name, mixed in product(names, every)]
    return [(name, *every[number % len(every)]) for number, name in enumerate(names)]


@pytest.mark.parametrize(("name", "talk", "trace"), by_day_one(NAMES, TALK, ("", "1")))
def test_a_password_that_works_is_seen_nowhere(name, talk, trace, flowforge, database, tmp_path, record_property):
    secret, number = CORPUS[name], list(CORPUS).index(name)
    dsn = database.replace("postgres:@", f"postgres:{quote(secret, safe='')}@")
    assert not secret or dsn != database
    shell = project(tmp_path, dsn, ("profile", ".env", "shell")[number % 3], FILES)
    shell |= {"FLOWFORGE_TRACE": trace}
    well = said_by(flowforge, tmp_path, in_mode(WELL, talk), shell, codes=(0,))
    write(tmp_path, BROKEN)
    ill = said_by(flowforge, tmp_path, in_mode(("run", "compile"), talk), shell, codes=(1,))
    write(tmp_path, CUT)
    (tmp_path / "models/loud.ff.sql").unlink()
    cut = said_by(flowforge, tmp_path, in_mode(("run --select cut", "run"), talk), shell, codes=(1,))
    told = {"well": well, "ill": ill, "cut": cut}
    texts = {f"{how} {command}": text for how, said in told.items() for command, text in said.items()}
    seen = (tmp_path / "arguments.txt").read_text()
    assert "python" in seen
    tables = in_tables(database)
    assert {"users", "_flowforge_state"} <= set(tables)
    require_unseen(secret, {**texts, **left_behind(tmp_path), **tables})
    record_property("trials", len(texts) // 2)
    if secret == "7" and not talk:
        assert "7" in well["show users out"]


FAULTS = {
    "unreachable": "postgresql://ann:{coded}@127.0.0.1:1/shop",
    "no such user": "postgresql://nobody:{coded}@{server}",
    "no port": "postgresql://ann:{plain}@127.0.0.1:port/shop",
    "no scheme": "ann:{coded}@127.0.0.1/shop",
    # What the driver's own library says of these holds a part of the dsn, or all of it.
    "no percent-encoding": "postgresql://ann:{coded}%zz@127.0.0.1:1/shop",
    "an open bracket": "postgresql://ann:{coded}@[::1/shop",
    "behind the bracket": "postgresql://ann:{coded}@[::1]x/shop",
    # The end of a password that should have been percent-encoded.
    "an @ as it is": "postgresql://ann:x@{coded}@127.0.0.1:1/shop",
    "an & as it is": "postgresql://127.0.0.1:1/shop?user=ann&password=x&{coded}=1",
    "a password as a setting": "postgresql://127.0.0.1:1/shop?user=ann&password={coded}",
}


@pytest.mark.parametrize(("name", "fault"), by_day_one(NAMES, FAULTS))
def test_a_password_that_does_not_work_is_seen_nowhere(name, fault, flowforge, tmp_path, record_property):
    secret, number = CORPUS[name], list(CORPUS).index(name)
    coded = quote(secret, safe="")
    plain = coded if set("\n\r\t") & set(secret) else secret
    server = postgres_server.server().get_uri().partition("@")[2] if "{server}" in FAULTS[fault] else ""
    dsn = FAULTS[fault].format(coded=coded, plain=plain, server=server)
    how = "shell" if {"'", "\n", "\\"} & set(dsn) else ("profile", ".env", "shell")[number % 3]
    shell = project(tmp_path, dsn, "shell" if "{" in dsn else how, FILES)
    talk, trace = MODES[number % len(MODES)]
    commands = in_mode(ILL, talk)
    said = said_by(flowforge, tmp_path, commands, {**shell, "FLOWFORGE_TRACE": trace})
    require_unseen(secret, {**said, **left_behind(tmp_path)})
    record_property("trials", len(commands))


@pytest.mark.parametrize(("name", "action"), by_day_one(NAMES if NIGHT else NAMES[:4], ("kill", "raise", "enospc")))
def test_a_command_that_crashes_leaves_no_password_behind(name, action, flowforge, database, tmp_path, record_property):
    secret = CORPUS[name]
    dsn = database.replace("postgres:@", f"postgres:{quote(secret, safe='')}@")
    shell = {**project(tmp_path, dsn, "profile", FILES), "FLOWFORGE_TRACE": "1", "FLOWFORGE_TEST_FAILPOINTS": "1"}
    crashed = 0
    for at in (2, 5, 9, 14):
        crash = Command(["build", "-v", "--no-cache"], tmp_path, {**shell, "FLOWFORGE_FAILPOINT": f"*:{at}:{action}"})
        (ended,) = flowforge.run_all([crash])
        crashed += ended.code == (-signal.SIGKILL if action == "kill" else 1)
        assert ended.code in (0, 1) or action == "kill", ended.said
        require_unseen(secret, {"out": ended.out, "err": ended.err, **left_behind(tmp_path), **in_tables(database)})
    assert crashed
    record_property("trials", crashed)


NOWHERE = {"host": "127.0.0.1", "port": 1, "protocol": "http", "login_timeout": 1}
SNOWFLAKE = {"account": "shop", "user": "ann", "database": "shop", "warehouse": "w", **NOWHERE}
BIGQUERY = {"dataset": "shop", "project": "shop", "endpoint": "http://127.0.0.1:1", "retry_deadline": 0}
CLOUDS = {
    "a password of Snowflake": ("snowflake_snowpark", {**SNOWFLAKE, "password": "CANARY"}),
    "a token of Snowflake": ("snowflake_snowpark", {**SNOWFLAKE, "authenticator": "oauth", "token": "CANARY"}),
    "a key file of Snowflake": ("snowflake_snowpark", {**SNOWFLAKE, "private_key_file": "key"}),
    "a passphrase of Snowflake": (
        "snowflake_snowpark",
        {**SNOWFLAKE, "private_key_file": "key", "private_key_passphrase": "CANARY"},
    ),
    "a token of BigQuery": ("bigquery", {**BIGQUERY, "token": "CANARY"}),
    "a key file of BigQuery": ("bigquery", {**BIGQUERY, "keyfile": "key"}),
    "a token of Databricks": ("databricks_spark", {"remote": "sc://127.0.0.1:port/;token=CANARY"}),
    "an = in a token of Databricks": ("databricks_spark", {"remote": "sc://127.0.0.1:1/;token=x=CANARY"}),
    "no host of Databricks": ("databricks_spark", {"remote": "sc://:1/;token=CANARY"}),
    "no remote of Databricks": ("databricks_spark", {"remote": "CANARY"}),
    "a setting of Spark": ("databricks_spark", {"conf": {"spark.hadoop.secret": ["CANARY"]}}),
    "no setting": ("bigquery", {**BIGQUERY, "api_token": "CANARY"}),
    "a setting of a wrong kind": ("snowflake_snowpark", {**SNOWFLAKE, "password": ["CANARY"]}),
}


@pytest.mark.parametrize(("name", "cloud"), by_day_one(NAMES if NIGHT else NAMES[:3], CLOUDS))
def test_the_secrets_of_clouds_are_seen_nowhere(name, cloud, flowforge, tmp_path, record_property):
    secret, number = CORPUS[name], list(CORPUS).index(name)
    engine, settings = CLOUDS[cloud]
    by_shell = number % 2 and "CANARY" in settings.values()
    filled = json.loads(
        json.dumps(settings).replace("CANARY", "{{ env_var('CANARY') }}" if by_shell else json.dumps(secret)[1:-1])
    )
    profile = json.dumps({"default": {"engine": engine, engine: filled}}, ensure_ascii=False)
    key = json.dumps({"type": "service_account", "private_key": secret}) if engine == "bigquery" else secret
    write(tmp_path, {**FILES, "profiles.yml": profile, "key": key})
    shell = {"TMPDIR": str(tmp_path / "tmp"), "HOME": str(tmp_path), "FLOWFORGE_TRACE": "1"}
    commands = ("run -v", "debug", "show users --log-format json", "dag")
    said = said_by(flowforge, tmp_path, commands, {**shell, **({"CANARY": secret} if by_shell else {})})
    require_unseen(secret, {**said, **left_behind(tmp_path)})
    record_property("trials", len(commands))


# What a Spark has of its secrets is looked at as well: in a file that holds them, Java reads some signs as its own.
SPARK_FRAMES = FRAMES.replace(
    "    return df",
    """
    java = df.sparkSession._jvm.java.lang.System
    keys = [f"spark.hadoop.canary.{at}" for at in range(int(os.environ["CANARIES"]))]
    open("had.txt", "w").write(repr([java.getProperty(key) for key in keys]))
    return df""",
)


def test_the_secrets_of_a_spark_that_is_started_are_seen_nowhere(flowforge, tmp_path, record_property):
    secrets = [CORPUS[name] for name in NAMES]
    conf = {f"spark.hadoop.canary.{at}": f"{{{{ env_var('CANARY_{at}') }}}}" for at in range(len(secrets))}
    settings = {"master": "local[1]", "conf": {"spark.ui.enabled": False, **conf}}
    profile = {"default": {"engine": "databricks_spark", "databricks_spark": settings}}
    write(tmp_path, {**FILES, "models/frames.ff.py": SPARK_FRAMES, "profiles.yml": json.dumps(profile)})
    spark_local.provide_java()
    shell = {"TMPDIR": str(tmp_path / "tmp"), "FLOWFORGE_TRACE": "1", "CANARIES": str(len(secrets))}
    shell |= spark_local.quick_commands() | {name: os.environ[name] for name in ("JAVA_HOME",) if name in os.environ}
    shell |= {f"CANARY_{at}": secret for at, secret in enumerate(secrets)}
    said = said_by(flowforge, tmp_path, ("build -v",), shell, codes=(0,))
    had = ast.literal_eval((tmp_path / "had.txt").read_text())
    # Spark trims what it reads.
    assert [text.strip(" \t") for text in had] == [text.strip(" \t") for text in secrets]
    (tmp_path / "had.txt").unlink()
    assert "org.apache.spark" in (tmp_path / "arguments.txt").read_text()
    for secret in secrets:
        require_unseen(secret, {**said, **left_behind(tmp_path)})
    record_property("trials", len(secrets))


def test_what_is_looked_for_would_be_found():
    with pytest.raises(AssertionError, match="in somewhere"):
        require_unseen("Canary7", {"somewhere": "password 7yranaC"})
