"""SQL seeds: the select in a seed's file becomes its table, by statements that every engine has."""

from __future__ import annotations

from flowforge_app.replace import replacing
from flowforge_domain.dialect import RelationKind, count_rows
from flowforge_domain.errors import EngineError
from flowforge_domain.model import Seed
from flowforge_domain.seed_sql import create_seed, seed_query, seed_query_error
from flowforge_domain.seed_text import readable
from flowforge_ports.engine import Engine


def load_sql(seed: Seed, existing: RelationKind | None, engine: Engine) -> int:
    """Replace the seed's table, which is `existing` now, inside the open transaction and return its rows.

    Raises `SeedError` that points into the file.
    """
    with readable(seed):
        query = seed_query(seed, seed.path.read_bytes(), seed.relation, engine.dialect)
    try:
        with replacing(engine, seed.relation, "table", existing) as into:
            rows = engine.session.execute(create_seed(query, into, engine.dialect))
    except EngineError as error:
        raise seed_query_error(query, error) from error
    if rows is None:
        ((rows,),) = engine.session.query(count_rows(seed.relation, engine.dialect)).rows
    return int(rows)
