"""Spark Connect: a session of a server that answers within the time which the profile gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from flowforge_databricks.errors import translated
from flowforge_domain.errors import EngineError, ErrorKind

if TYPE_CHECKING:
    import grpc
    from pyspark.sql.connect.client import DefaultChannelBuilder

_ANY_CALL = "/spark.connect.SparkConnectService/Config"


def connected(remote: str, timeout: float) -> SparkSession:
    """Return a new session of the server at `remote`.

    Raises `EngineError` of kind UNREACHABLE for a remote that cannot be read, where packages are missing, and where no
    server has taken the connection after `timeout` seconds.
    """
    with translated():
        try:
            if remote.startswith("sc:"):
                from pyspark.sql.connect.client import DefaultChannelBuilder

                _require_answer(DefaultChannelBuilder(remote), timeout)
            spark: SparkSession = SparkSession.builder.remote(remote).create()
        except ImportError as error:
            hint = 'pip install "flowforge-databricks[connect]"'
            message = f"Spark Connect needs packages that are not installed: {error.name or error}"
            raise EngineError(message, kind=ErrorKind.UNREACHABLE, hint=hint) from error
        except ValueError:
            # Not chained: the parser's own words hold a token, or all of the remote.
            hint = "Write it as sc://host:port/;token=…, what is special in the token percent-encoded, as %3D for =."
            raise EngineError("The remote cannot be read.", kind=ErrorKind.UNREACHABLE, hint=hint) from None
    return spark


def _require_answer(server: DefaultChannelBuilder, timeout: float) -> None:
    """Open a connection and close it: Spark's own client would go on trying to for ten minutes, and say nothing."""
    import grpc

    with server.toChannel() as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout)
        except grpc.FutureTimeoutError as error:
            message = f"Spark Connect at {server.endpoint} took no connection in {timeout:g} s{_reason(channel)}."
            hint = "Check `remote`: host, port, `use_ssl=true` where it is TLS; or raise `connect_timeout`."
            raise EngineError(message, kind=ErrorKind.UNREACHABLE, hint=hint) from error


def _reason(channel: grpc.Channel) -> str:
    """Return why there is no connection, as far as gRPC knows it: it says so to who calls at once."""
    import grpc

    try:
        channel.unary_unary(_ANY_CALL)(b"", timeout=0.1)
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            return f": {error.details().splitlines()[0].rpartition(': ')[2].rstrip(']')}"
    return ""
