"""Which models are due because of what hooks write, those of this run and those of before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from flowforge_app.hook_effects import Effect, HookEffects
from flowforge_domain.errors import FlowForgeError
from flowforge_domain.fingerprint import hooks_of_version
from flowforge_domain.manifest import input_relations
from flowforge_domain.model import Node
from flowforge_domain.state import StateRow


@dataclass(frozen=True)
class HooksAtWork:
    """Knows what the hooks of a run do to other relations than their own model's.

    `expected` are those of models that the run builds, and grows while these are looked for. Of `unknown` ones, which
    ran, nobody can tell what they did.
    """

    effects: HookEffects
    expected: list[Effect] = field(default_factory=list)
    unknown: list[Effect] = field(default_factory=list)

    def expect(self, node: Node) -> None:
        """Take note that the run builds `node`."""
        with suppress(FlowForgeError):
            # What cannot be read is not built either.
            self.expected.extend(self.effects.across(node))

    def reasons(self, node: Node, readers: Sequence[Node], row: StateRow | None) -> Iterator[str]:
        """Yield why hooks have `node` built, whose last build `row` tells of; `readers` are all that it reads through.

        Raises `TemplateError` for one that cannot be rendered.
        """
        if node.config.is_replaced and row is not None:
            yield from self._left(node, hooks_of_version(row.data_version))
        effects = [effect for effect in (*self.effects.at_start, *self.expected) if effect.model != node.name]
        if not effects:
            return
        own = [node.relation] if node.config.is_replaced else []
        manifest = self.effects.definitions.manifest
        relations = dict.fromkeys([*own, *(name for one in readers for name in input_relations(manifest, one))])
        for effect in effects:
            if effect.writes is None:
                # It may also define what the model calls.
                yield f"{effect.title} may do anything"
            elif found := [one for one in relations if self.effects.names.may_be(effect.writes, one)]:
                yield f"{effect.title} may write to {found[0]}"

    def _left(self, node: Node, before: Sequence[str]) -> Iterator[str]:
        """Yield which hooks have written to what `node` makes anew with each build, and do not any more."""
        if not before:
            return
        nodes = self.effects.definitions.manifest.nodes.values()
        effects = [effect for one in nodes if one.hooks for effect in self.effects.across(one)]
        now = [effect for effect in effects if self.effects.names.may_be(effect.writes, node.relation)]
        # Where a hook stands in its file does not count.
        known = {_without_place(effect.title) for effect in now}
        yield from (f"{title} wrote to it, and does not now" for title in before if _without_place(title) not in known)


def _without_place(title: str) -> str:
    return title.partition(" (")[0]
