"""What can be selected, and the words under which each method finds it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from typing import Any

from flowforge_domain.checks import Check
from flowforge_domain.config import ModelConfig
from flowforge_domain.errors import SelectionError
from flowforge_domain.model import Node, Seed, node_name
from flowforge_domain.selection_terms import Term
from flowforge_domain.text import did_you_mean, nearest

STATES = ("new", "old", "modified", "unmodified", "modified.body", "modified.config", "modified.macros", "changed")
RESULTS = ("built", "skipped", "unchanged", "failed", "error", "unfinished", "not_run", "passed", "warned")
_SETTINGS = tuple(setting.name for setting in fields(ModelConfig))
_PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Selectable:
    """What can be selected: a name, its tags, and the file it stands in (relative to the project).

    A test stands under the name and in the file of the node that it looks at; `title` is its own name. `kinds` are the
    words for `kind:`, `groups` those for `source:`.
    """

    name: str
    tags: tuple[str, ...] = ()
    file: str = ""
    title: str = ""
    kinds: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    owner: str = ""
    config: ModelConfig | None = None


@dataclass(frozen=True)
class SelectionContext:
    """What a selection may ask of the world outside the project, as data; None is what nobody looked up.

    `modified` tells which parts of each node differ from another manifest, None for a new one, and `modified_tests` the
    same of tests by their titles. `results` says how each node ended in the last run, `verdicts` pairs the title of
    each test with how that ended when tests were last run; `ran` names that run where there is one, and otherwise says
    why not. `changed` are the nodes that changed since a commit.
    """

    modified: Mapping[str, frozenset[str] | None] | None = field(default=None, repr=False)
    modified_tests: Mapping[str, frozenset[str] | None] = field(default_factory=dict, repr=False)
    results: Mapping[str, str] | None = field(default=None, repr=False)
    verdicts: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)
    ran: str = field(default="", repr=False)
    changed: frozenset[str] | None = field(default=None, repr=False)


NOWHERE = SelectionContext()


def node_selectable(node: Node) -> Selectable:
    """Return a node, or the leaf of a seed or source, as something that can be selected."""
    groups = tuple(word for group, table in node.sources for word in (group, f"{group}.{table}"))
    is_leaf = node.kind in ("seed", "source")
    return Selectable(
        node.name,
        node.config.tags,
        node.file,
        kinds=(node.kind,) if is_leaf else (node.kind, "model"),
        groups=groups if node.kind == "source" else (),
        owner=node.config.owner,
        config=None if is_leaf else node.config,
    )


def seed_selectable(seed: Seed) -> Selectable:
    """Return a seed as something that can be selected."""
    return Selectable(seed.name, file=seed.file, kinds=("seed",))


def check_selectable(check: Check, node: Node | None) -> Selectable:
    """Return a test as something that can be selected, by its own tags and by the node that it looks at, if any."""
    if node is None:
        return Selectable(check.table, check.tags, title=check.title, kinds=("test",))
    at = node_selectable(node)
    return replace(at, tags=(*check.tags, *at.tags), title=check.title, kinds=("test", *at.kinds))


def matcher(term: Term, context: SelectionContext) -> Callable[[Iterable[tuple[Any, Selectable]]], set[Any]]:
    """Return what picks from keyed things the keys of those that a term names directly.

    Raises `SelectionError` for a word that the method does not know, and for a method that needs what is not given.
    """
    if not term.method:
        return lambda things: _by_any_word(term.value, list(things))
    if term.method == "path":
        return lambda things: {key for key, thing in things if lies_at(term.value, thing.file)}
    _require_known(term, context)
    value = node_name(term.value) if term.method == "name" else term.value
    words = WORDS[term.method]
    return lambda things: {key for key, thing in things if _fits(value, words(thing, term.argument, context))}


def suggestion(
    term: Term, things: Iterable[Selectable], others: Iterable[Selectable], context: SelectionContext
) -> str:
    """Return the known word that a term most likely meant, of these things or others, or those that these have."""
    words, more = list(_words(term, things, context)), list(_words(term, others, context))
    meant = nearest(term.value, [*words, *more])
    return f"Did you mean {meant!r}?" if meant else did_you_mean(term.value, words or more)


def _words(term: Term, things: Iterable[Selectable], context: SelectionContext) -> Iterator[str]:
    for thing in things:
        if term.method == "path":
            yield thing.file
        elif term.method:
            yield from WORDS[term.method](thing, term.argument, context)
        else:
            yield from (thing.name, *thing.tags)


def lies_at(pattern: str, file: str) -> bool:
    """Tell whether a file lies at a path pattern, in a folder of that name, or there below `models/` or `seeds/`."""
    doubled = _doubled(file)
    return any(fnmatchcase(doubled, glob) for glob in _globs(pattern))


def _by_any_word(value: str, things: list[tuple[Any, Selectable]]) -> set[Any]:
    """Return what has this name, else this tag, else a name or tag of this pattern, else lies at this path."""
    name = node_name(value)
    ways: list[Callable[[Selectable], bool]] = [
        lambda thing: name == thing.name or value == thing.title,
        lambda thing: value in thing.tags,
    ]
    if _PATTERN.search(value):
        ways += [lambda thing: fnmatchcase(thing.name, name), lambda thing: _fits(value, thing.tags)]
    globs = _globs(value)
    ways.append(lambda thing: any(fnmatchcase(_doubled(thing.file), glob) for glob in globs))
    return next((found for way in ways if (found := {key for key, thing in things if way(thing)})), set())


def _globs(pattern: str) -> list[str]:
    pattern = pattern.removeprefix("./").rstrip("/")
    return [_doubled(root + p) for root in ("", "models/", "seeds/") for p in (pattern, f"{pattern}/*")]


def _doubled(path: str) -> str:
    """Double each slash, so that a `*` between two of them, which is what `/**/` becomes, may stand for no folder."""
    return "/*/".join(part.replace("/", "//") for part in re.split(r"/(?:\*\*/)+", f"/{path}"))


def _fits(value: str, words: Iterable[str]) -> bool:
    return any(fnmatchcase(word, value) or word == value for word in words)


def _require_known(term: Term, context: SelectionContext) -> None:
    if term.method == "config" and (key := term.argument.partition(".")[0]) not in _SETTINGS:
        raise SelectionError(f"There is no setting {key!r} for {term.text!r}.", hint=did_you_mean(key, _SETTINGS))
    known = {"state": STATES, "result": RESULTS}.get(term.method, ())
    if known and term.value not in known:
        raise SelectionError(f"There is no {term.method} {term.value!r}.", hint=did_you_mean(term.value, known))
    if not _is_given(term, context):
        hint = {
            "result": "Run something first, or add --state DIR.",
            "state": "Add --state DIR, the folder of another run's manifest.json.",
        }[term.method]
        if term.value == "changed":
            hint = "Add --changed-since and a git reference, such as main."
        why = context.ran if term.method == "result" else ""
        raise SelectionError(f"{term.text!r} has nothing to compare with. {why}".rstrip(), hint=hint)


def _is_given(term: Term, context: SelectionContext) -> bool:
    if term.method == "state":
        return (context.changed if term.value == "changed" else context.modified) is not None
    return term.method != "result" or context.results is not None


def _settings(thing: Selectable, path: str, _: SelectionContext) -> Iterator[str]:
    """Yield the values of a setting as text; `path` leads through mappings, as in `meta.team`."""
    value: Any = thing.config
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else getattr(value, key, None)
    for one in value if isinstance(value, tuple | list) else [value]:
        if one is not None and not isinstance(one, Mapping):
            yield str(one).lower() if isinstance(one, bool) else str(one)


def _states(thing: Selectable, _: str, context: SelectionContext) -> Iterator[str]:
    if thing.name in (context.changed or ()):
        yield "changed"
    both = ((context.modified or {}, thing.name), (context.modified_tests, thing.title))
    known = [parts[name] for parts, name in both if name in parts]
    if not known:
        return
    modified = {part for parts in known for part in parts or ()}
    yield "new" if None in known else "old"
    yield "modified" if None in known or modified else "unmodified"
    yield from sorted(f"modified.{part}" for part in modified)


def _results(thing: Selectable, _: str, context: SelectionContext) -> Iterator[str]:
    """Yield how a node ended, and of a test how itself and what it looks at did; `failed` and `error` overlap."""
    if status := (context.results or {}).get(thing.name):
        yield status.replace(" ", "_")
    if status == "failed":
        yield "error"
    ended = [word for word in RESULTS if (thing.title, word.replace("_", " ")) in context.verdicts]
    yield from ended
    if "error" in ended:
        yield "failed"


Words = Callable[[Selectable, str, SelectionContext], Iterable[str]]

WORDS: Mapping[str, Words] = {
    "name": lambda thing, _, __: (thing.name,),
    "tag": lambda thing, _, __: thing.tags,
    "source": lambda thing, _, __: thing.groups,
    "owner": lambda thing, _, __: (thing.owner,) if thing.owner else (),
    "kind": lambda thing, _, __: thing.kinds,
    "config": _settings,
    "state": _states,
    "result": _results,
}
"""Under which words each method finds a thing."""

OF_THE_WORLD = ("state", "result", "selector")
"""Methods whose terms may name nothing without being a mistake."""
