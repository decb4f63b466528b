"""A server of Spark Connect that does not answer, or says no, as users meet it: no Spark runs here."""

from __future__ import annotations

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest

_PROFILE = """
default:
  engine: databricks_spark
  databricks_spark: {{remote: "sc://{host}:{port}/;token=hunter22", connect_timeout: 1}}
"""


@pytest.fixture
def nobody():
    """Give a port on which nobody listens, taken for as long as the test runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def silent():
    """Give a port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_closed_port_is_told_within_the_time_that_the_profile_gives(nobody, tmp_path):
    said = flowforge("run", nobody, tmp_path)
    assert f"Spark Connect at 127.0.0.1:{nobody} took no connection in 1 s: Connection refused." in said
    assert "Check `remote`" in said


def test_server_that_never_answers_is_told_too(silent, tmp_path):
    assert f"Spark Connect at 127.0.0.1:{silent} took no connection in 1 s." in flowforge("debug", silent, tmp_path)


@pytest.mark.parametrize(
    ("code", "words", "hint"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, "no such token", "Check the token in `remote`."),
        (grpc.StatusCode.PERMISSION_DENIED, "not on this cluster", "Ask the owner to grant it"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "too many sessions", "Run again."),
    ],
)
def test_server_that_says_no_is_told_in_its_own_words(code, words, hint, tmp_path):
    with refusing(code, words) as port:
        # Of this name alone the client takes a token without TLS.
        said = flowforge("run", port, tmp_path, host="localhost")
    assert f"{words} {hint}" in said


class Refusal(grpc.GenericRpcHandler):
    """Ends every call with a code."""

    def __init__(self, code, words):
        self.code, self.words = code, words

    def service(self, _call):
        return grpc.unary_unary_rpc_method_handler(lambda _given, context: context.abort(self.code, self.words))


@contextmanager
def refusing(code, words):
    """Give the port of a server that says nothing but no."""
    server = grpc.server(ThreadPoolExecutor(4), handlers=[Refusal(code, words)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(0)


def flowforge(command, port, folder, host="127.0.0.1"):
    """Run a command on a project whose server is at a port; it must fail, without the token or a trace."""
    (folder / "models").mkdir()
    (folder / "project.yml").write_text("name: shop\n")
    (folder / "profiles.yml").write_text(_PROFILE.format(host=host, port=port))
    (folder / "models/numbers.ff.sql").write_text("select 1 as a")
    arguments = [sys.executable, "-m", "flowforge", command]
    # Spark's own client would try for ten minutes.
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=240)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "hunter22" not in said
    assert "Traceback" not in said
    return " ".join(said.split())
