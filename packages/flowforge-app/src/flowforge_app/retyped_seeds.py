"""What new content does to the types of a seed's columns: one bad cell makes numbers text for all who read them."""

from __future__ import annotations

from collections.abc import Iterator

from flowforge_domain.dialect import Dialect, known_name
from flowforge_domain.errors import SeedError
from flowforge_domain.model import Seed
from flowforge_domain.plan import Columns
from flowforge_domain.schema_change import holds
from flowforge_domain.seed_csv import first_cell
from flowforge_domain.seed_types import breaks
from flowforge_domain.text import Location, shortened
from flowforge_ports.seed_files import seed_file


def retyped(seed: Seed, before: Columns, after: Columns, dialect: Dialect) -> Iterator[str]:
    """Yield the notice that columns have types now which do not hold what theirs did, unless that is declared.

    It tells the first of them, and the first cell that the type does not fit where that can be told.
    """
    old = {name.casefold(): kind for name, kind in before}
    declared = {name.casefold() for name in seed.options.column_types}
    other = [
        (known_name(name, dialect), old[name.casefold()], kind)
        for name, kind in after
        if name.casefold() in old.keys() - declared and not holds(kind, old[name.casefold()])
    ]
    if other:
        yield _told(seed, *other[0], len(other) - 1)


def _told(seed: Seed, column: str, old: str, new: str, more: int) -> str:
    line, cell = _first_misfit(seed, column, old)
    because, fix = (f" because of {shortened(cell)!r}", "mend the cell or") if line else ("", "to keep types,")
    others = f", and {more} more {'columns have' if more > 1 else 'column has'} another type" if more else ""
    return f"{Location(seed.file, line)}: {column} was {old}, is {new}{because}{others}; {fix} declare `column_types`"


def _first_misfit(seed: Seed, column: str, kind: str) -> tuple[int, str]:
    try:
        return first_cell(seed, seed_file(seed.path), column, breaks(kind))
    except SeedError:
        # The engine has read it: that is no time to be stricter.
        return 0, ""
