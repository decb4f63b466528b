"""Starts fakesnow's HTTP server: `python serve.py PORT`, in this folder's own environment.

It ends with its standard input. Some things are put right around fakesnow, none of which makes a statement succeed
that Snowflake refuses: a schema that does not exist is not made by connecting to it, a request to cancel interrupts the
statement, databases can be dropped, a temporary table can be described, `merge` is DuckDB's own, and where fakesnow
itself fails it says so at once, so that the client does not try again for minutes.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import threading
from string import Template

import duckdb
import fakesnow.server as fake
import fakesnow.transforms
import snowflake.connector.errors
import sqlglot
import uvicorn
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.instance import FakeSnow
from fakesnow.transforms import transforms
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class Accounts:
    """A fakesnow for each database, since it cannot drop one, and each makes every other slower.

    One whose database was dropped serves the next: to make it costs more than all that a small test asks of it.
    """

    def __init__(self):
        self.made = {}
        self.free = []

    def connect(self, database, *arguments, **options):
        """Connect to a database, which is made with its first connection."""
        if database not in self.made:
            self.made[database] = self.free.pop() if self.free else FakeSnow(create_schema_on_connect=False)
        return self.made[database].connect(database, *arguments, **options)

    def forget(self, database):
        """Drop a database, and what fakesnow has noted beside it."""
        found = self.made.pop(database, None)
        if found is None:
            return
        found.results_cache.clear()
        kept = "select schema_name, table_name from duckdb_tables() where database_name = '_fs_global'"
        for schema, table in found.duck_conn.execute(kept).fetchall():
            found.duck_conn.execute(f'delete from _fs_global."{schema}"."{table}"')
        found.duck_conn.execute(f'detach "{database}"')
        self.free.append(found)


fake.shared_fs = Accounts()


# DuckDB keeps temporary tables in a database of their own, under any schema's name.
transforms.SQL_DESCRIBE_TABLE = Template(
    transforms.SQL_DESCRIBE_TABLE.template.replace("FROM _fs_info", "FROM _fs_global._fs_info").replace(
        "table_catalog = '${catalog}' AND table_schema = '${schema}'",
        "(table_catalog = '${catalog}' AND table_schema = '${schema}' OR table_catalog = 'temp')",
    )
)
# DuckDB has `merge into` itself; fakesnow, which had to make do without, knows it in few forms. It asks for the columns
# of what a statement answers, which DuckDB cannot tell of a merge: how many rows it wrote stays unknown.
ANSWER = sqlglot.parse_one("select 'merged' as status")
fakesnow.transforms.merge = lambda statement: [statement, *([ANSWER.copy()] if statement.key == "merge" else [])]


def described(cursor):
    """Tell the columns of the last statement, for which fakesnow has DuckDB plan it once more."""
    return [(name, str(kind), "YES", None, None, None) for name, kind, *_ in cursor._duck_conn.description]


FakeSnowflakeCursor._describe_last_sql = described


def cancellable(execute):
    """Tell of an interrupted statement as Snowflake does."""

    @functools.wraps(execute)
    def run(*arguments, **options):
        try:
            return execute(*arguments, **options)
        except duckdb.InterruptException as error:
            said = snowflake.connector.errors.ProgrammingError
            raise said(msg="SQL execution canceled", errno=604, sqlstate="57014") from error

    return run


FakeSnowflakeCursor.execute = cancellable(FakeSnowflakeCursor.execute)


async def abort(request):
    """Interrupt what the session runs."""
    fake.to_conn(fake.to_token(request))._duck_conn.interrupt()
    return JSONResponse({"success": True})


async def forget(request):
    """Drop the database that the address ends with."""
    fake.shared_fs.forget(request.path_params["database"])
    return JSONResponse({"success": True})


async def telemetry(_):
    """Take what the client tells about itself."""
    return JSONResponse({"success": True})


async def query(request):
    """Answer an inner failure with an error that the client does not retry."""
    answer: Response = await fake.query_request(request)
    if answer.status_code != 500:
        return answer
    return JSONResponse({**json.loads(answer.body), "data": {}}, status_code=200)


def end_with_stdin():
    """Leave nothing behind when whoever started the server is killed."""
    sys.stdin.read()
    os._exit(0)


OURS = {"/queries/v1/abort-request": abort, "/queries/v1/query-request": query}

if __name__ == "__main__":
    threading.Thread(target=end_with_stdin, daemon=True).start()
    routes = [Route(path, endpoint, methods=["POST"]) for path, endpoint in OURS.items()]
    routes += [Route("/databases/{database}", forget, methods=["DELETE"])]
    routes += [Route("/telemetry/send", telemetry, methods=["POST"])]
    routes += [route for route in fake.routes if route.path not in OURS]
    uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
