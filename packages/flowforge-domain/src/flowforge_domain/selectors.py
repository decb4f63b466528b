"""Named selectors: selections that a project gives a name, used as `--selector NAME` and `selector:NAME`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from flowforge_domain.errors import ConfigError
from flowforge_domain.text import Location, did_you_mean

SELECTOR_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_DEEPEST = 50
_REFERENCE = re.compile(r"(?:^|[\s,+@])selector:([^\s,+]+)")


@dataclass(frozen=True, slots=True)
class Selector:
    """A selection with a name; no `select` means everything."""

    name: str
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    description: str = ""
    where: Location = field(default_factory=lambda: Location("project.yml"))

    @property
    def says_something(self) -> bool:
        """Whether it has a text, and none that is empty."""
        texts = (*self.select, *self.exclude)
        return bool(texts) and all(text.strip() for text in texts)


def require_selectors(selectors: Mapping[str, Selector]) -> None:
    """Raise `ConfigError` for a selector that says nothing, or uses one that does not exist, or in the end itself."""
    for selector in selectors.values():
        if not selector.says_something:
            hint = "Write for example `select: tag:nightly`."
            raise ConfigError(f"Selector {selector.name!r} says nothing.", where=selector.where, hint=hint)
        for used in references(selector):
            if used not in selectors:
                message = f"Selector {selector.name!r} uses {used!r}, which does not exist."
                raise ConfigError(message, where=selector.where, hint=did_you_mean(used, selectors))
    done: set[str] = set()
    for name in selectors:
        _require_no_cycle(name, selectors, done)


def references(selector: Selector) -> list[str]:
    """Return the names of the selectors that a selector uses, in the order written."""
    return [name for text in (*selector.select, *selector.exclude) for name in _REFERENCE.findall(text)]


def _require_no_cycle(start: str, selectors: Mapping[str, Selector], done: set[str]) -> None:
    """Walk what a selector uses, depth first; `done` are those that are known to come to an end."""
    path = [start] if start not in done else []
    open_: list[Iterator[str]] = [iter(references(selectors[name])) for name in path]
    while path:
        used = next(open_[-1], None)
        if used is None:
            done.add(path.pop())
            open_.pop()
        elif used in path:
            loop = " → ".join([*path[path.index(used) :], used])
            raise ConfigError(
                f"Selectors use each other in a circle: {loop}.",
                where=selectors[used].where,
                hint="Write out what one of them means.",
            )
        elif used not in done:
            if len(path) >= _DEEPEST:
                message = f"Selector {start!r} leads through too many steps, more than {_DEEPEST}."
                raise ConfigError(message, where=selectors[start].where, hint="Write out what they mean.")
            path.append(used)
            open_.append(iter(references(selectors[used])))
