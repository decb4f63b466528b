"""One bad cell makes a column text: which it is, real engines' own names of types tell well enough."""

from __future__ import annotations

import postgres_server
import pytest

from flowforge import Project
from flowforge_ports.progress import Notice

GOOD = "id,amount,day,at,done\n1,0.5,2024-02-29,2024-02-29 10:00,true\n"
BAD = {
    "id": ("x", "bigint"),
    "amount": ("n.a.", "double"),
    "day": ("2023-02-29", "date"),
    "at": ("soon", "timestamp"),
    "done": ("yes", "boolean"),
}


@pytest.fixture(params=["duckdb", "postgres"])
def seeded(request, tmp_path):
    """Load a text as the seed of a project and return what is told."""
    dsn = postgres_server.new_database() if request.param == "postgres" else ""
    settings = f'{{dsn: "{dsn}"}}' if dsn else "{path: shop.duckdb}"
    (tmp_path / "profiles.yml").write_text(f"default: {{engine: {request.param}, {request.param}: {settings}}}\n")
    (tmp_path / "project.yml").write_text("name: shop\n")
    (tmp_path / "seeds").mkdir()

    def load(text):
        (tmp_path / "seeds" / "o.csv").write_text(text)
        heard = []
        with Project.load(tmp_path, progress=heard.append) as project:
            project.seed()
        return [event.message for event in heard if isinstance(event, Notice)]

    yield load
    if dsn:
        postgres_server.drop_database(dsn)


def test_the_first_cell_that_does_not_fit_is_named(seeded):
    header, row = GOOD.splitlines()
    for column, (cell, kind) in BAD.items():
        assert not [notice for notice in seeded(GOOD) if "because" in notice]
        cells = dict(zip(header.split(","), row.split(","), strict=True)) | {column: cell}
        (told,) = seeded(f"{GOOD}{','.join(cells.values())}\n")
        assert told.lower().startswith(f"seeds/o.csv:3: {column} was {kind}")
        assert f" because of {cell!r}; mend the cell or declare `column_types`" in told
