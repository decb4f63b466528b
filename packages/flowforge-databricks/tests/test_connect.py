"""The adapter over Spark Connect, against a server in a process of its own: the code path of Databricks Connect."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
import spark_local

from flowforge_databricks.engine import open_engine
from flowforge_databricks.settings import DatabricksSparkProfile
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_testkit.fakes import claim

_SERVER = """
import sys
from pyspark import SparkConf, SparkContext
SparkContext(conf=SparkConf().setAll(list(CONF.items())))
print("ready", flush=True)
sys.stdin.read()
"""
_SCRIPT = """
import sys, threading
from functools import partial
from pathlib import Path

from pyspark.sql.functions import udf

from flowforge_databricks.engine import open_engine
from flowforge_databricks.settings import DatabricksSparkProfile
from flowforge_domain.catalog import kinds
from flowforge_domain.errors import EngineError
from flowforge_domain.results import Rows
from flowforge_testkit.fakes import claim

def opened(token):
    # Of this name alone the client takes a token without TLS.
    settings = {"remote": f"sc://localhost:{sys.argv[1]}/;token={token}", "database": "shop"}
    profile = {"engine": "databricks_spark", "databricks_spark": settings}
    return open_engine(DatabricksSparkProfile.model_validate(profile), Path.cwd(), claim())

def kind(call, *arguments):
    try:
        call(*arguments)
    except EngineError as error:
        return error.kind.name

engine = opened("hunter22")
engine.session.label({"project": "a, b", "model": "m"})
engine.session.execute("create table t as select 1 as a")
assert kinds(engine.catalog.relations()) == {"t": "table"}
assert engine.session.query("select a from t").rows == [(1,)]
assert kind(engine.session.query, "select nope from t") == "MISSING_COLUMN"
assert kind(engine.session.query, "select a from nowhere") == "MISSING_RELATION"
assert kind(engine.frames.read, "nowhere") == "MISSING_RELATION"
assert kind(engine.session.query, "selec") == "SYNTAX"
assert kind(engine.session.query, "select cast('x' as int)") == "DATA"
engine.frames.write("t", engine.frames.from_rows(Rows(("a", "b"), [(1, "x"), (2, None)])))
assert engine.frames.to_rows(engine.frames.read("t")) == Rows(("a", "b"), [(1, "x"), (2, None)])
def broken(value):
    raise ValueError("order 503 has no customer")

frame = engine.session.spark.range(1).select(udf(broken)("id").alias("a"))
for call in (partial(engine.frames.to_rows, frame), partial(engine.frames.write, "u", frame)):
    try:
        call()
    except EngineError as error:
        assert error.kind.name == "DATA", error
        assert error.message.startswith("ValueError: order 503 has no customer (line"), error.message
    else:
        raise AssertionError("nothing was raised")
engine.session.execute("create table n as select id as n from range(1024)")
ended = []
endless = "select count(*) from n a, n b, n c, n d where a.n * b.n < c.n * d.n + a.n * d.n"
thread = threading.Thread(target=lambda: ended.append(kind(engine.session.query, endless)), daemon=True)
thread.start()
for _ in range(300):
    thread.join(0.1)
    if ended:
        break
    engine.session.interrupt()
assert ended == ["CANCELLED"], ended
second = engine.fork()
assert second.session.query("select count(*) from t").rows == [(2,)]
second.session.close()
assert engine.session.query("select count(*) from t").rows == [(2,)]
engine.session.close()
assert kind(engine.session.query, "select 1") == "UNREACHABLE"
ended = opened("hunter22")
# As a server does that has waited too long for a client.
ended.session.spark.client.release_session()
assert kind(ended.session.query, "select 1") == "UNREACHABLE"
assert kind(opened, "wrong") == "CREDENTIALS"
print("whole")
"""


@pytest.fixture
def port(tmp_path):
    """Start a server and give its port."""
    spark_local.provide_java()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    conf = {
        **{key: str(value).lower() if value is False else str(value) for key, value in spark_local.CONF.items()},
        "spark.master": "local[2]",
        "spark.app.name": "connect",
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(free),
        "spark.connect.authenticate.token": "hunter22",
    }
    command = [sys.executable, "-c", f"CONF = {conf!r}\n{_SERVER}"]
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, **pipes) as server:
        assert server.stdout.readline() == "ready\n"
        yield free
        server.stdin.close()


def test_everything_works_over_spark_connect(port, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(spark_local.__file__).parent)}
    command = [sys.executable, "-c", _SCRIPT, str(port)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280)
    assert done.stdout.strip().endswith("whole"), done.stdout[-2000:] + done.stderr[-4000:]


@pytest.mark.parametrize(
    "remote",
    [
        "sc://127.0.0.1:port/;token=hunter22",
        "sc://127.0.0.1:1/;token=x=hunter22",
        "sc://:1/;token=hunter22",
        "sc://127.0.0.1:1/hunter22",
    ],
)
def test_a_remote_that_cannot_be_read_is_refused_without_its_token(remote, tmp_path):
    profile = {"engine": "databricks_spark", "databricks_spark": {"remote": remote}}
    with pytest.raises(EngineError) as refused:
        open_engine(DatabricksSparkProfile.model_validate(profile), tmp_path, claim()).session.query("select 1")
    assert refused.value.kind is ErrorKind.UNREACHABLE
    assert "hunter22" not in "".join(traceback.format_exception(refused.value))
