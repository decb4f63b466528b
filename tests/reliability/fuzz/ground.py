"""The project that is mutated: small, with something of everything that a user can write."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PROJECT = """\
name: shop
description: Everything at once.
vars: {start: 2026-01-01, limits: [1, 2, 3], deep: {a: {b: c}}}
defaults:
  owner: data-team
folders:
  marts: {tags: [daily]}
models:
  users:
    description: "One row per *user*."
    tags: [batch, key]
    meta: {pii: true, level: 2}
    columns:
      id: {description: The number., data_type: bigint, tags: [key]}
seeds:
  people:
    column_types: {id: bigint, since: date}
    null: NA
selectors:
  nightly: tag:daily
  all_but: "+mart,config.materialized:table"
tests:
  - {type: unique, table: users, column: id, tags: [batch], severity: warn}
  - {type: not_null, table: users, column: name}
  - {type: row_count_between, table: orders, min: 1, max: 99}
"""
SOURCES = """\
crm:
  people: {identifier: people, description: What the CRM exports.}
"""
# Where PostgreSQL is, libpq's own variables say: an input is the same one on every machine.
PROFILES = {
    "duckdb": """\
default:
  engine: duckdb
  duckdb: {path: "{{ env_var('FUZZ_DB', 'a.duckdb') }}", threads: 1, memory_limit: 256MB}
dev: {engine: duckdb, duckdb: {path: b.duckdb}}
""",
    "postgres": """\
default:
  engine: postgres
  postgres: {dsn: "{{ env_var('FUZZ_DB', 'postgresql:///shop') }}", db_schema: public, connect_timeout: 5}
dev: {engine: postgres, postgres: {dsn: "postgresql:///shop", db_schema: dev, statement_timeout: 30, sslmode: prefer}}
""",
}
USERS = """\
-- who they are
{{ config(materialized='table', tags=['a'], meta={'k': [1, 2.5, true, none]}) }}
select id, trim(name) as name, since
from {{ source('crm', 'people') }}
where since >= date '{{ var("start") }}'
  and name <> 'it''s; a trap' /* ; */
"""
ORDERS = """\
create or replace table orders as
select o.order_id, o.user_id, o.amount
from {{ ref('sales') }} o join {{ ref('users') }} u on u.id = o.user_id;
"""
MART = """\
{% set limits = var('limits') %}
{% macro cents(column) %}({{ column }} * 100)::bigint{% endmacro %}
select user_id, {{ cents('sum(amount)') }} as cents,
{% for n in limits %}
  count(*) filter (where amount > {{ n }}) as above_{{ n }}{{ "," if not loop.last }}
{% endfor %}
from {{ ref('orders') }}
{% if target.name == 'default' %} where true {% else %} where false {% endif %}
group by user_id
"""
MACROS = """\
{% macro euros(column, digits=2) %}
round({{ column }}::numeric, {{ digits }})
{% endmacro %}
{% macro duckdb__today() %}date '2026-01-01'{% endmacro %}
{% macro today() %}current_date{% endmacro %}
"""
GROWN = """\
{{ config(materialized='incremental', unique_key=['order_id'], on_schema_change='append_new_columns') }}
select order_id, {{ euros('amount') }} as amount, {{ today() }} as seen
from {{ ref('sales') }}
{% if is_incremental() %} where order_id >= (select max(order_id) from {{ this }}) {% endif %}
"""
HISTORY = """\
{{ config(materialized='snapshot', unique_key='id', strategy='check', check_cols=['name'], hard_deletes='invalidate') }}
select id, name from {{ ref('people') }}
"""
PYTHON = """\
from flowforge import model


@model(deps=["users", "orders"], requires={"users": {"id", "name"}}, tags=["daily"])
def enriched(frames):
    users, orders = frames["users"], frames["orders"]
    joined = orders.merge(users, left_on="user_id", right_on="id")
    return joined.assign(total=joined["amount"] * 2)[["order_id", "name", "total"]]
"""
PEOPLE = 'id,name,since,note\n1,Ann,2026-01-02,"a, ""b"""\n2,Bob,2026-02-03,NA\n3,Åsa,2026-03-04,\n'
ENVIRONMENT = {
    "duckdb": "FUZZ_DB=a.duckdb\nOTHER='x y'\n",
    "postgres": "FUZZ_DB=postgresql:///shop\nOTHER='x y'\n",
}
MODEL_YAML = "models:\n  orders: {owner: sales, columns: {amount: {description: In euros.}}}\ntests: []\n"
COUNTRIES = "select 'de' as code, 'Germany' as name union all select 'fr', 'France'\n"


def files(engine: str = "duckdb") -> dict[str, bytes]:
    """Return every file of the project on an engine."""
    sales = pa.table({"order_id": [1, 2, 3], "user_id": [1, 1, 3], "amount": [1.5, 20.0, 3.25]})
    sink = pa.BufferOutputStream()
    pq.write_table(sales, sink)
    texts = {
        "project.yml": PROJECT,
        "sources.yml": SOURCES,
        "profiles.yml": PROFILES[engine],
        ".env": ENVIRONMENT[engine],
        "models/users.ff.sql": USERS,
        "models/orders.ff.sql": ORDERS,
        "models/orders.yml": MODEL_YAML,
        "models/marts/mart.ff.sql": MART,
        "models/marts/enriched.ff.py": PYTHON,
        "models/grown.ff.sql": GROWN,
        "models/history.ff.sql": HISTORY,
        "macros/money.sql": MACROS,
        "seeds/people.csv": PEOPLE,
        "seeds/countries.sql": COUNTRIES,
    }
    data = {
        "seeds/sales.parquet": sink.getvalue().to_pybytes(),
        "seeds/zipped.csv.gz": gzip.compress(PEOPLE.encode(), mtime=0),
    }
    return {**{name: text.encode() for name, text in texts.items()}, **data}


def write(root: Path, content: Mapping[str, bytes]) -> None:
    """Write a project's files below `root`."""
    for name, data in content.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def fingerprints(root: Path) -> dict[str, str]:
    """Return a digest of every file below `root`."""
    found = (path for path in sorted(root.rglob("*")) if path.is_file() or path.is_symlink())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}
