"""The facts of a Python model file, read from its syntax tree; nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields
from inspect import Parameter, Signature
from typing import Any

from flowforge_domain.config import ModelConfig
from flowforge_domain.errors import ModuleLoadError
from flowforge_domain.model import node_name, spec_of
from flowforge_domain.source import SourceRef
from flowforge_domain.text import Location, caret, did_you_mean
from flowforge_project.facts import ModelFacts

_OWN: dict[str, Any] = {"name": None, "deps": (), "requires": {}}
_LITERAL = "The arguments of @model must be literal, since the graph is read without running anything."
_EXAMPLE = 'Write for example @model(deps=["users"], requires={"users": {"id"}}).'
_FIXES = (
    "Write `def {}():`, or name what it reads: deps=[…].",
    "Write `def {}(df):`, and `this` after it for the rows that stand.",
    "Write `def {}(inputs):`: more than one dep come as one dict, by their names.",
)
_KNOWN = (*_OWN, *(setting.name for setting in fields(ModelConfig)))
Marked = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def python_facts(text: str, file: str) -> tuple[ModelFacts, ...]:
    """Return the facts of each function marked with `@model(...)`.

    Raises `ModuleLoadError` for bad syntax, no marked function, and arguments that are not literal.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        tree = ast.parse(text, file)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _syntax_error(error, text, file) from error
    source = _Source(text, file, called(tree, "source"))
    found = tuple(source.facts(place, mark) for place, mark in source.marks(tree))
    if not found:
        raise ModuleLoadError(
            "The file has no function marked with @model.",
            where=Location(file, 1),
            hint="Write `from flowforge import model` and put `@model(deps=[…])` above a function.",
        )
    return found


class _Source:
    """One file's text and name, which every message needs, and what it calls `source`."""

    def __init__(self, text: str, file: str, sources: frozenset[str]) -> None:
        self.text = text
        self.file = file
        self.sources = sources

    def marks(self, tree: ast.Module) -> Iterator[tuple[ast.FunctionDef, ast.Call]]:
        """Yield each marked function and its marker; raise `ModuleLoadError` for what cannot be marked."""
        top = set(tree.body)
        found = sorted(marked(tree), key=lambda pair: pair[1].lineno)
        for place, mark in found:
            if place not in top or not isinstance(place, ast.FunctionDef):
                message = (
                    "@model marks a plain function at the top of a file, not a class, a method or an async function."
                )
                raise self.error(message, mark, "Write `def` at the top of the file.")
            if not isinstance(mark, ast.Call):
                raise self.error("@model needs brackets.", mark, "Write @model().")
            if sum(other is place for other, _ in found) > 1:
                raise self.error(f"{place.name} is marked twice.", mark, "Keep one @model.")
            yield place, mark

    def facts(self, function: ast.FunctionDef, mark: ast.Call) -> ModelFacts:
        """Return what a marker says; raise `ModuleLoadError` where it is not literal or not of the right kind."""
        places = self.arguments(mark)
        given = {key: self.literal(value) for key, value in places.items()}
        for key in _OWN.keys() & given.keys():
            self.require_kind(key, given[key], places[key])
        own = {key: given.get(key) or empty for key, empty in _OWN.items()}
        spec = spec_of(**own, settings={})
        items = getattr(places.get("deps"), "elts", ())
        deps = list(zip(own["deps"], items, strict=True))
        self.require_parameters(function, len(set(own["deps"])))
        return ModelFacts(
            refs=tuple((node_name(dep), item.lineno) for dep, item in deps if not isinstance(dep, SourceRef)),
            sources=tuple((*dep.key, item.lineno) for dep, item in deps if isinstance(dep, SourceRef)),
            settings={key: value for key, value in given.items() if key not in _OWN},
            setting_lines={key: place.lineno for key, place in places.items()},
            name=spec.name,
            function=function.name,
            requires={relation: tuple(sorted(columns)) for relation, columns in spec.requires.items()},
            line=mark.lineno,
        )

    def arguments(self, mark: ast.Call) -> dict[str, ast.expr]:
        places: dict[str, ast.expr] = {}
        keywords = {keyword.arg: keyword for keyword in mark.keywords}
        pairs = [*zip(_OWN, mark.args, strict=False), *((keyword.arg, keyword.value) for keyword in mark.keywords)]
        if len(mark.args) > len(_OWN):
            raise self.error("@model takes name, deps and requires.", mark.args[len(_OWN)], "Give the rest by name.")
        for key, value in pairs:
            if key is None or isinstance(value, ast.Starred):
                raise self.error(_LITERAL, value, _EXAMPLE)
            if key not in _KNOWN:
                raise self.error(f"Unknown key {key!r}.", keywords[key], did_you_mean(key, _KNOWN))
            if key in places:
                raise self.error(f"{key!r} is given twice.", value, "Keep one.")
            places[key] = value
        return places

    def literal(self, value: ast.expr) -> Any:
        """Return a literal's value; `source("g", "t")` among the items of a list is one too."""
        if isinstance(value, ast.List | ast.Tuple):
            return [self.literal(item) for item in value.elts]
        if isinstance(value, ast.Call) and is_named(value.func, "source", self.sources) and not value.keywords:
            parts = [self.literal(part) for part in value.args]
            if len(parts) != 2 or not all(isinstance(part, str) and part for part in parts):
                raise self.error("source() takes 2 names as texts.", value, 'Write source("shop", "orders").')
            return SourceRef(*parts)
        try:
            return ast.literal_eval(value)
        except (ValueError, TypeError, RecursionError, MemoryError) as error:
            raise self.error(_LITERAL, value, _EXAMPLE) from error

    def require_kind(self, key: str, value: Any, place: ast.expr) -> None:
        try:
            spec_of(**{**_OWN, key: _OWN[key] if value is None else value}, settings={})
        except TypeError as error:
            raise self.error(f"In @model, {error}.", place, _EXAMPLE) from error

    def require_parameters(self, function: ast.FunctionDef, inputs: int) -> None:
        """Refuse a function that a build could not call; what a further decorator makes of it, nobody knows."""
        try:
            signature = signature_of(function.args)
            named = {"this": None} if "this" in signature.parameters else {}
            signature.bind(*[None] * min(inputs, 1), **named)
        except (TypeError, ValueError) as error:
            if len(function.decorator_list) == 1:
                what = "its inputs" if inputs > 1 else "its input" if inputs else "no input"
                message = f"{function.name}() cannot take {what}: {error}."
                raise self.error(message, function, _FIXES[min(inputs, 2)].format(function.name)) from error

    def error(self, message: str, place: ast.expr | ast.keyword | ast.FunctionDef, hint: str) -> ModuleLoadError:
        column = len(self.text.split("\n")[place.lineno - 1].encode()[: place.col_offset].decode()) + 1
        return ModuleLoadError(
            message,
            where=Location(self.file, place.lineno),
            snippet=caret(self.text, place.lineno, column),
            hint=hint,
        )


def marked(tree: ast.Module) -> Iterator[tuple[Marked, ast.expr]]:
    """Yield what is marked with `@model` in a file, each with its marker."""
    names = called(tree, "model")
    for place in ast.walk(tree):
        if isinstance(place, Marked):
            for decorator in place.decorator_list:
                if is_named(decorator.func if isinstance(decorator, ast.Call) else decorator, "model", names):
                    yield place, decorator


def signature_of(arguments: ast.arguments) -> Signature:
    """Return the signature of a function from its text; raise `ValueError` for two parameters of one name."""
    plain, first = [*arguments.posonlyargs, *arguments.args], len(arguments.posonlyargs)
    kinds = [Parameter.POSITIONAL_ONLY if i < first else Parameter.POSITIONAL_OR_KEYWORD for i in range(len(plain))]
    defaults = [Parameter.empty] * (len(plain) - len(arguments.defaults)) + [*arguments.defaults]
    found = [Parameter(a.arg, kind, default=value) for a, kind, value in zip(plain, kinds, defaults, strict=True)]
    if arguments.vararg:
        found.append(Parameter(arguments.vararg.arg, Parameter.VAR_POSITIONAL))
    for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found.append(Parameter(arg.arg, Parameter.KEYWORD_ONLY, default=default or Parameter.empty))
    if arguments.kwarg:
        found.append(Parameter(arguments.kwarg.arg, Parameter.VAR_KEYWORD))
    return Signature(found)


def called(tree: ast.Module, name: str) -> frozenset[str]:
    """Return what a file calls `name` of flowforge: that, or what it is imported as."""
    imports = [place for place in tree.body if isinstance(place, ast.ImportFrom)]
    ours = [place for place in imports if (place.module or "").partition(".")[0] == "flowforge"]
    return frozenset({name, *(one.asname for place in ours for one in place.names if one.name == name and one.asname)})


def is_named(expression: ast.expr, name: str, names: frozenset[str]) -> bool:
    """Tell whether an expression is one of `names`, or `name` of a module, as in `flowforge.model`."""
    if isinstance(expression, ast.Attribute):
        return expression.attr == name and isinstance(expression.value, ast.Name | ast.Attribute)
    return isinstance(expression, ast.Name) and expression.id in names


def _syntax_error(error: Exception, text: str, file: str) -> ModuleLoadError:
    line = (error.lineno or 0) if isinstance(error, SyntaxError) else 0
    column = (error.offset or 0) if isinstance(error, SyntaxError) else 0
    reason = error.msg if isinstance(error, SyntaxError) else str(error) or "it is nested too deeply"
    return ModuleLoadError(
        f"The file is not valid Python: {reason}.",
        where=Location(file, line),
        snippet=caret(text, line, column),
        hint="Correct the syntax.",
    )
