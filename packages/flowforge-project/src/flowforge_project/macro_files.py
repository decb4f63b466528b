"""Macro files: what each macro names, read from its syntax tree, and what a rendering calls."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import nodes
from jinja2.environment import Template

from flowforge_domain.errors import TemplateError
from flowforge_domain.macros import by_call, chosen
from flowforge_project.facts import MacroFacts
from flowforge_project.jinja_names import RESERVED, require_known_tags, unknown_names
from flowforge_project.jinja_parts import calls_of, parts_of
from flowforge_project.jinja_sql import (
    environment,
    errors_told,
    literal_refs,
    literal_sources,
    read_variables,
)
from flowforge_project.sandbox import error_at


@dataclass(frozen=True)
class MacroTree:
    """One macro as a template of its own, and the file it comes from."""

    name: str
    file: str
    text: str
    tree: nodes.Template


@dataclass(frozen=True)
class MacroLibrary:
    """The macros of a project, compiled when they are first called."""

    trees: Mapping[str, MacroTree] = field(default_factory=dict)
    _compiled: dict[str, Template] = field(default_factory=dict)

    def texts(self, names: Iterable[str]) -> dict[str, str]:
        """Return the texts of the files of these macros, for messages."""
        return {tree.file: tree.text for name in names if (tree := self.trees.get(name))}

    def put(self, names: Iterable[str], known: dict[str, Any], engine: str) -> None:
        """Put these macros into what a template can call, each also as the name that means it on the engine.

        They look up what they call in `known` too.
        """
        found = [name for name in names if name in self.trees]
        macros = {name: self._macro(name, known) for name in found}
        known.update(macros)
        for call in by_call(found):
            name = chosen(call, engine, found)
            known[call] = macros[name] if name else _for_others(call, engine)

    def _macro(self, name: str, known: dict[str, Any]) -> Any:
        if name not in self._compiled:
            tree = self.trees[name]
            code = environment().compile(tree.tree, tree.file, tree.file)
            self._compiled[name] = Template.from_code(environment(), code, {})
        template = self._compiled[name]
        context = template.new_context(known, shared=True)
        deque(template.root_render_func(context), maxlen=0)
        return context.vars[name]


def parse_macros(text: str, file: str) -> list[MacroTree]:
    """Return the macros of a file; raise `TemplateError` for bad syntax, and for anything else in it."""
    with errors_told(text, file):
        body = environment().parse(text, file, file).body
    found: list[MacroTree] = []
    for part in body:
        if isinstance(part, nodes.Macro):
            tree = nodes.Template([part], lineno=part.lineno)
            tree.set_environment(environment())
            found.append(MacroTree(part.name, file, text, tree))
        elif stray := _stray(part):
            message = "A macro file holds macros, and nothing beside them."
            raise error_at(
                text, file, stray[0], message, "Write {% macro name() %}…{% endmacro %} around it.", stray[1]
            )
    return found


def macro_facts(text: str, file: str) -> list[MacroFacts]:
    """Return what each macro of a file names.

    Raises `TemplateError` also for a name that is taken, for `config()`, and for calls of the wrong form.
    """
    with errors_told(text, file):
        return [_facts(macro) for macro in parse_macros(text, file)]


def _facts(macro: MacroTree) -> MacroFacts:
    tree, text, file = macro.tree, macro.text, macro.file
    parts, line = parts_of(tree), tree.body[0].lineno
    if macro.name in RESERVED or macro.name in environment().globals:
        raise error_at(text, file, line, f"{macro.name!r} is FlowForge's own.", "Give the macro another name.")
    for call in calls_of(parts, "config"):
        hint = "Write config() into the model: its settings are read without running anything."
        raise error_at(text, file, call.lineno, "A macro cannot call config().", hint, "config")
    require_known_tags(parts, environment(), text, file)
    return MacroFacts(
        name=macro.name,
        line=line,
        refs=literal_refs(parts, text, file),
        sources=literal_sources(parts, text, file),
        names=unknown_names(parts, environment()),
        variables=read_variables(parts),
        digest=hashlib.sha256(repr(tree).encode("utf-8", "surrogatepass")).hexdigest(),
    )


def _stray(part: nodes.Node) -> tuple[int, str] | None:
    """Return line and first word, "" of a tag, of what is not space in a part of a file; None where all is."""
    for piece in part.nodes if isinstance(part, nodes.Output) else [part]:
        if not isinstance(piece, nodes.TemplateData):
            return piece.lineno, ""
        if words := piece.data.split(maxsplit=1):
            return piece.lineno + piece.data[: piece.data.index(words[0])].count("\n"), words[0]
    return None


def _for_others(call: str, engine: str) -> Callable[..., str]:
    def refuse(*_: Any, **__: Any) -> str:
        raise TemplateError(f"There is no macro {call!r} for {engine}.", hint=f"Add a macro default__{call}.")

    return refuse
