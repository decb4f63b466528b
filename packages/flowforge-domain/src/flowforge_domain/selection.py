"""Selecting nodes: by name, tag, path and many other things, with `+` and `@` for what lies upstream or downstream.

A term is an exact name first, then a tag, then a path pattern, unless it says by which method it is meant; see
`selection_terms.py` for the grammar. Terms with spaces between them are a union, with commas an intersection.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flowforge_domain.checks import Check
from flowforge_domain.dag import downstream, upstream
from flowforge_domain.errors import SelectionError
from flowforge_domain.manifest import Manifest, run_order, table_relation, with_seeds
from flowforge_domain.model import Node, Seed
from flowforge_domain.relation import same_relation
from flowforge_domain.selectable import (
    NOWHERE,
    OF_THE_WORLD,
    Selectable,
    SelectionContext,
    check_selectable,
    matcher,
    node_selectable,
    seed_selectable,
    suggestion,
)
from flowforge_domain.selection_terms import Term, parsed
from flowforge_domain.text import did_you_mean

_FOLLOWS_UP, _FOLLOWS_DOWN = re.compile(r"^(@|\d*\+)"), re.compile(r"^@|\+\d*$")
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Selection:
    """What the user asked for; no `include` means everything. `context` is what its terms may ask of the world."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    context: SelectionContext = field(default=NOWHERE, compare=False)

    @property
    def is_everything(self) -> bool:
        """Whether nothing is narrowed down."""
        return not (self.include or self.exclude) and self.context.changed is None


EVERYTHING = Selection()
_CHANGED = "state:changed"


def selection(
    include: Iterable[str] | str | None,
    exclude: Iterable[str] | str | None = None,
    selector: Iterable[str] | str | None = None,
    context: SelectionContext = NOWHERE,
) -> Selection:
    """Return a selection from what a command line or a caller gives; `selector` names selectors of the project.

    Raises `SelectionError` for an `include` that is given and says nothing; that would otherwise mean everything.
    """
    given = _listed(include)
    included = _said(given)
    if given and not included:
        raise SelectionError("The selection is empty.", hint="Name something after --select, or drop it.")
    named = tuple(f"selector:{name}" for name in _said(_listed(selector)))
    return Selection((*included, *named), _said(_listed(exclude)), context)


def selected_nodes(manifest: Manifest, wanted: Selection) -> list[Node]:
    """Return the selected models in run order.

    Raises `FlowForgeError` for a wrong graph or selection, `SelectionError` when a term or the whole names nothing.
    """
    order = run_order(manifest)
    if wanted.is_everything:
        return [manifest.nodes[name] for name in order]
    chosen = select(selectable_nodes(manifest.nodes), wanted, manifest)
    return [manifest.nodes[name] for name in order if name in chosen]


def selected_seeds(manifest: Manifest, wanted: Selection) -> list[Seed]:
    """Return the selected seeds by name; raise `SelectionError` as `select` does."""
    chosen = select(selectable_seeds(manifest), wanted, manifest, "seed")
    return [seed for name, seed in sorted(manifest.seeds.items()) if name in chosen]


def selected_checks(manifest: Manifest, wanted: Selection) -> list[Check]:
    """Return the selected tests in the project's order; raise `SelectionError` as `select` does."""
    chosen = select(selectable_checks(manifest), wanted, manifest, "test")
    return [check for place, check in enumerate(manifest.checks) if place in chosen]


def select(
    items: Mapping[Key, Selectable], wanted: Selection, manifest: Manifest, what: str = "model", way: str = ""
) -> set[Key]:
    """Return the keys of `items` that are selected; `+` and `@` follow the graph, seeds and sources included.

    Where the context knows what changed since a commit and no term asks for it, only what changed is selected. Raises
    `SelectionError` when a term, or the whole selection, names nothing, or only things of another kind; `way` is then
    how to get at those.
    """
    choice = _Choice(items, manifest, wanted.context, what)
    found = choice.made(wanted.include, wanted.exclude)
    chosen = found.keys
    if wanted.context.changed is not None and not choice.asked_for_changes:
        chosen = chosen & choice.made((_CHANGED,)).keys
    if not chosen and not wanted.is_everything:
        message, hint = f"The selection leaves no {what}.", "Select more, or exclude less."
        if wanted.context.changed is not None:
            hint = "Nothing that is selected has changed since that commit."
        elif choice.unmet and wanted.context.ran:
            hint = f"{wanted.context.ran} has no {what} that is {' or '.join(choice.unmet)}."
        elif found.names and not wanted.exclude:
            others = _counted(with_seeds(manifest)[name] for name in found.names)
            message, hint = f"The selection names {others}, and no {what}.", _hint_for(what, wanted.include, way)
        raise SelectionError(message, hint=hint)
    return chosen


def selectable_nodes(nodes: Mapping[str, Node]) -> dict[str, Selectable]:
    """Return the nodes as things that can be selected."""
    return {name: node_selectable(node) for name, node in nodes.items()}


def selectable_seeds(manifest: Manifest) -> dict[str, Selectable]:
    """Return the seeds as things that can be selected."""
    return {name: seed_selectable(seed) for name, seed in manifest.seeds.items()}


def selectable_checks(manifest: Manifest) -> dict[int, Selectable]:
    """Return the tests as things that can be selected, by their place in the project."""
    graph = with_seeds(manifest)
    relations = {same_relation(seed.relation): seed.name for seed in manifest.seeds.values()}
    by_relation = {same_relation(node.relation): node for node in graph.values()}
    by_relation |= {relation: graph[name] for relation, name in relations.items()}
    looked_at = [by_relation.get(same_relation(table_relation(manifest, check.table))) for check in manifest.checks]
    return {
        place: check_selectable(check, node)
        for place, (check, node) in enumerate(zip(manifest.checks, looked_at, strict=True))
    }


@dataclass(frozen=True)
class _Found:
    """What a term names: keys of the things that can be selected, and names in the graph, from which it goes on."""

    keys: set[Any] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def __or__(self, other: _Found) -> _Found:
        return _Found(self.keys | other.keys, self.names | other.names)

    def __and__(self, other: _Found) -> _Found:
        return _Found(self.keys & other.keys, self.names & other.names)

    def __sub__(self, other: _Found) -> _Found:
        return _Found(self.keys - other.keys, self.names - other.names)

    def __bool__(self) -> bool:
        return bool(self.keys or self.names)


class _Choice:
    """One choice among `items` in the graph of a project."""

    def __init__(
        self, items: Mapping[Any, Selectable], manifest: Manifest, context: SelectionContext, what: str
    ) -> None:
        self._items, self._context, self._what = items, context, what
        self._selectors = manifest.selectors
        self._graph = with_seeds(manifest)
        self._nodes = selectable_nodes(self._graph)
        both = [*items.values(), *self._nodes.values()]
        self._names = {name for thing in both for name in (thing.name, thing.title) if name}
        self._tags = {tag for thing in both for tag in thing.tags}
        self._known: dict[str, _Found] = {}
        self.asked_for_changes = False
        self.unmet: list[str] = []

    def made(self, include: tuple[str, ...], exclude: tuple[str, ...] = ()) -> _Found:
        found = self._union(include) if include else _Found(set(self._items), set(self._graph))
        return found - self._union(exclude) if exclude else found

    def _union(self, texts: tuple[str, ...]) -> _Found:
        found = _Found()
        for factors in parsed(texts, self._names, self._tags):
            common = self._reached(factors[0])
            for factor in factors[1:]:
                common &= self._reached(factor)
            found |= common
        return found

    def _reached(self, term: Term) -> _Found:
        found = self._selector(term) if term.method == "selector" else self._direct(term)
        if not found and term.method not in OF_THE_WORLD:
            hint = suggestion(term, self._items.values(), self._nodes.values(), self._context)
            raise SelectionError(f"No {self._what} matches {term.text!r}.", hint=hint or "The project has none.")
        if not term.at and term.up is None and term.down is None:
            return found
        start = found.names | {self._items[key].name for key in found.keys} & self._graph.keys()
        reached = self._around(term, start)
        return _Found(found.keys | {key for key, item in self._items.items() if item.name in reached}, reached)

    def _around(self, term: Term, start: set[str]) -> set[str]:
        if term.at:
            return upstream(self._graph, downstream(self._graph, start))
        above = start if term.up is None else upstream(self._graph, start, _depth(term.up))
        below = start if term.down is None else downstream(self._graph, start, _depth(term.down))
        return above | below

    def _direct(self, term: Term) -> _Found:
        self.asked_for_changes = self.asked_for_changes or (term.method, term.value) == ("state", "changed")
        match = matcher(term, self._context)
        found = _Found(match(self._items.items()), match(self._nodes.items()))
        if not found and term.method == "result":
            self.unmet.append(term.value)
        return found

    def _selector(self, term: Term) -> _Found:
        selector = self._selectors.get(term.value)
        if selector is None:
            hint = did_you_mean(term.value, self._selectors) or "Add it below `selectors:` in project.yml."
            raise SelectionError(f"There is no selector {term.value!r}.", hint=hint)
        try:
            if term.value not in self._known:
                self._known[term.value] = self.made(selector.select, selector.exclude)
        except SelectionError as error:
            error.where = error.where or selector.where
            raise
        return self._known[term.value]


def _counted(nodes: Iterable[Node]) -> str:
    """Return how many nodes there are of each kind, as in `1 source, 2 seeds`."""
    kinds = Counter(node.kind if node.kind in ("seed", "source") else "model" for node in nodes)
    return ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in sorted(kinds.items()))


def _hint_for(what: str, terms: tuple[str, ...], way: str) -> str:
    """Return what else to ask for; terms that follow the graph already find nothing more that way."""
    term = terms[0] if len(terms) == 1 and not {*"+@, "} & {*terms[0]} else "TERM"
    hints = {"seed": f"Add + for what it reads: +{term}.", "test": "No test looks at that."}
    hint = hints.get(what, f"Add + for what reads it: {term}+.")
    if what != "test" and all((_FOLLOWS_UP if what == "seed" else _FOLLOWS_DOWN).search(each) for each in terms):
        hint = "It reads no seed." if what == "seed" else f"No {what} reads it."
    return f"{hint} {way}".rstrip()


def _listed(given: object) -> list[str]:
    if isinstance(given, str):
        return [given]
    listed: list[Any] = list(given or ()) if isinstance(given, Iterable | None) else [given]
    if not all(isinstance(one, str) for one in listed):
        raise SelectionError(f"A selection is text, or a list of texts, not {given!r}.", hint="Write select='orders+'.")
    return listed


def _said(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(said for text in texts if (said := text.strip()))


def _depth(steps: int) -> int | None:
    return None if steps < 0 else steps
