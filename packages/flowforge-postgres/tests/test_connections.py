"""Connections over TCP and TLS; the tests' server speaks neither, so a proxy stands before it."""

from __future__ import annotations

import os
import select
import shutil
import socket
import ssl
import subprocess
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Thread

import postgres_server
import pytest

from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_postgres.engine import open_engine
from flowforge_postgres.settings import PostgresProfile
from flowforge_testkit.fakes import claim

SSL_REQUEST = bytes.fromhex("0000000804d2162f")
MOST_LINES = 3


def said(dsn, root=Path(), **settings):
    """Return the message of a connection that fails, and its kind."""
    with pytest.raises(EngineError) as caught:
        asked(dsn, root, **settings)
    assert len(str(caught.value).splitlines()) <= MOST_LINES
    return str(caught.value), caught.value.kind


def asked(dsn, root=Path(), **settings):
    profile = {"engine": "postgres", "postgres": {"dsn": dsn, "connect_timeout": 5, **settings}}
    engine = open_engine(PostgresProfile.model_validate(profile), root, claim())
    try:
        return engine.session.query("select current_user").rows
    finally:
        engine.session.close()


@pytest.fixture
def over_tcp(dsn):
    """The test's database over TCP without TLS."""
    with proxy(dsn) as port:
        yield dsn_at(dsn, port)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A self-signed certificate for localhost and its key, and another's certificate."""
    if shutil.which("openssl") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("openssl is needed to make certificates")
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("server", "other"):
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
                *("-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"),
            ],
            check=True,
            capture_output=True,
        )
    return folder


@pytest.fixture
def over_tls(dsn, certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    with proxy(dsn, context) as port:
        yield dsn_at(dsn, port)


def test_full_verification_with_the_right_root(over_tls, certificates):
    assert asked(over_tls, sslmode="verify-full", sslrootcert=str(certificates / "server.pem")) == [("postgres",)]
    assert asked(over_tls, sslmode="require") == [("postgres",)]


def test_files_are_relative_to_the_project(over_tls, certificates):
    over_tls += "?sslmode=verify-full"
    assert asked(over_tls, certificates, sslrootcert="server.pem") == [("postgres",)]
    assert asked(f"{over_tls}&sslrootcert=server.pem", certificates) == [("postgres",)]
    message, _ = said(f"{over_tls}&sslrootcert=sub/nosuch.pem", certificates)
    assert f'"{certificates / "sub" / "nosuch.pem"}"' in message


def test_another_root_is_refused(over_tls, certificates):
    message, kind = said(over_tls, sslmode="verify-full", sslrootcert=str(certificates / "other.pem"))
    assert "certificate verify failed" in message
    assert "sslrootcert" in message
    assert kind is ErrorKind.UNREACHABLE


def test_another_host_is_refused_by_full_verification_alone(over_tls, certificates):
    elsewhere, root = over_tls.replace("localhost", "127.0.0.1"), str(certificates / "server.pem")
    message, kind = said(elsewhere, sslmode="verify-full", sslrootcert=root)
    assert 'does not match host name "127.0.0.1"' in message
    assert kind is ErrorKind.UNREACHABLE
    assert asked(elsewhere, sslmode="verify-ca", sslrootcert=root) == [("postgres",)]


def test_root_that_is_no_file_is_named(over_tls):
    message, _ = said(over_tls, sslmode="verify-full", sslrootcert="/nosuch/root.pem")
    assert "/nosuch/root.pem" in message


def test_server_without_tls_is_refused_where_it_is_required(over_tcp):
    message, kind = said(over_tcp, sslmode="require")
    assert "SSL" in message
    assert kind is ErrorKind.UNREACHABLE
    assert asked(over_tcp, sslmode="prefer") == [("postgres",)]


def test_wrong_password_over_tcp(over_tcp, admin):
    admin("do $$ begin if to_regrole('ff_tcp') is null then create role ff_tcp login password 'right'; end if; end $$")
    with passwords_for("ff_tcp"):
        assert asked(over_tcp.replace("postgres:@", "ff_tcp:right@")) == [("ff_tcp",)]
        message, kind = said(over_tcp.replace("postgres:@", "ff_tcp:wr%40ng@"))
    assert kind is ErrorKind.CREDENTIALS
    assert "wr@ng" not in message
    assert "ff_tcp" in message


def test_unknown_host_is_named():
    message, kind = said("postgresql://ann:hunter22@nosuch.invalid:5432/db")
    assert kind is ErrorKind.UNREACHABLE
    assert "nosuch.invalid" in message
    assert "hunter22" not in message


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://ann:hunt@er22@127.0.0.1:1/shop",
        "postgresql://ann:hunt@/er22@127.0.0.1:1/shop",
        "postgresql://127.0.0.1:1/shop?user=ann&password=hunt&er22=1",
        "postgresql://127.0.0.1:1/shop?er22=1",
    ],
)
def test_what_may_be_the_end_of_a_password_is_not_told(dsn):
    message, kind = said(dsn)
    assert kind is ErrorKind.UNREACHABLE
    assert "er22" not in message
    assert "%" in message


def test_no_right_to_connect_over_tcp(over_tcp, admin):
    admin("do $$ begin if to_regrole('ff_out') is null then create role ff_out login; end if; end $$")
    ((database,),) = admin("select current_database()")
    admin(f"revoke connect on database {database} from public")
    message, kind = said(over_tcp.replace("postgres:@", "ff_out@"))
    assert f'permission denied for database "{database}"' in message
    assert kind is ErrorKind.PERMISSION


def test_no_right_to_make_the_schema_over_tcp(over_tcp, admin):
    admin("do $$ begin if to_regrole('ff_poor') is null then create role ff_poor login; end if; end $$")
    poor = {"dsn": over_tcp.replace("postgres:@", "ff_poor@"), "db_schema": "ours"}
    engine = open_engine(PostgresProfile.model_validate({"engine": "postgres", "postgres": poor}), Path(), claim())
    with pytest.raises(EngineError) as caught, engine.lock.hold(claim()):
        pass
    message, kind = str(caught.value), caught.value.kind
    engine.session.close()
    assert "permission denied for database" in message
    assert kind is ErrorKind.PERMISSION


def dsn_at(dsn, port):
    return dsn.partition("?")[0].replace("@/", f"@localhost:{port}/")


@contextmanager
def passwords_for(role):
    """Have the server ask one role for its password."""
    file = postgres_server.server().pgdata / "pg_hba.conf"
    before = file.read_text()
    loaded = "select pg_conf_load_time()"
    try:
        file.write_text(f"local all {role} scram-sha-256\n{before}")
        earlier = postgres_server.run(loaded)
        postgres_server.run("select pg_reload_conf()")
        # A new connection is served by a process that inherits what was loaded last.
        while postgres_server.run(loaded) == earlier:
            pass
        yield
    finally:
        file.write_text(before)
        postgres_server.run("select pg_reload_conf()")


@contextmanager
def proxy(dsn, context=None):
    """Listen on a port, end TLS if asked to, and pass everything on to the server's socket."""
    folder = Path(dsn.partition("host=")[2])
    (path,) = [file for file in folder.iterdir() if file.name.startswith(".s.PGSQL.") and file.suffix != ".lock"]
    with socket.create_server(("localhost", 0)) as listener:
        Thread(target=accept, args=(listener, str(path), context), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def accept(listener, path, context):
    with suppress(OSError):
        while True:
            Thread(target=serve, args=(listener.accept()[0], path, context), daemon=True).start()


def serve(client, path, context):
    with ExitStack() as open_sockets, suppress(OSError):
        open_sockets.enter_context(client)
        first = client.recv(len(SSL_REQUEST), socket.MSG_WAITALL)
        if first == SSL_REQUEST:
            client.sendall(b"S" if context else b"N")
            client = open_sockets.enter_context(context.wrap_socket(client, server_side=True)) if context else client
            first = b""
        server = open_sockets.enter_context(socket.socket(socket.AF_UNIX))
        server.connect(path)
        server.sendall(first)
        relay(client, server)


def relay(client, server):
    """Pass on until one of them ends; in one thread, since TLS is not to be used by two."""
    while True:
        for source in select.select([client, server], [], [])[0]:
            data = source.recv(1 << 16)
            if not data:
                return
            while isinstance(source, ssl.SSLSocket) and source.pending():
                data += source.recv(1 << 16)
            (server if source is client else client).sendall(data)
