"""Refuse what a profile's engine cannot build, by what its plugin says of it: nothing was opened yet."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from flowforge_app.abilities import require_abilities
from flowforge_bootstrap.plugins import Plugins
from flowforge_domain.checks import Check
from flowforge_domain.errors import UnsupportedByEngineError
from flowforge_domain.model import Node, Seed
from flowforge_ports.engine import EngineSpec
from flowforge_ports.project import ProjectReader


def require_able(
    things: Collection[Node | Seed | Check], spec: EngineSpec, plugins: Plugins, reader: ProjectReader
) -> None:
    """Raise `UnsupportedByEngineError` that names all of these which the engine cannot build, each with a way out.

    Where another value of a setting makes it an engine that can, that is said as well.
    """
    built = [thing for thing in things if not isinstance(thing, Check)]
    try:
        require_abilities(built, spec, reader.places)
    except UnsupportedByEngineError as error:
        ways = " or ".join(_other_ways(built, spec, plugins))
        if ways:
            own = [] if error.where is None else [error.hint]
            error.hint = "\n".join([*own, f"Or set {ways}."])
        raise


def _other_ways(things: Collection[Node | Seed], spec: EngineSpec, plugins: Plugins) -> Iterator[str]:
    """Yield the settings that hand over to an engine which can build all of these, with their values."""
    for path, names in spec.variants.items():
        able = [str(value) for value, name in names.items() if _is_able(things, plugins.engine(name))]
        if able:
            yield f"{'.'.join(path)} to {' or '.join(able)}"


def _is_able(things: Collection[Node | Seed], spec: EngineSpec) -> bool:
    try:
        require_abilities(things, spec)
    except UnsupportedByEngineError:
        return False
    return True
