"""The facts of a Python model file, read from its syntax tree; nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from flowforge_domain.errors import ModuleLoadError
from flowforge_domain.model import SourceRef, node_name, spec_of
from flowforge_domain.text import Location, caret
from flowforge_project.facts import ModelFacts

_OWN = ("name", "deps", "requires")


def python_facts(text: str, file: str) -> tuple[ModelFacts, ...]:
    """Return the facts of each function marked with `@model(...)`.

    Raises `ModuleLoadError` for bad syntax, no marked function, and arguments that are not literal.
    """
    try:
        tree = ast.parse(text, file)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _syntax_error(error, text, file) from error
    found = tuple(_facts(function, mark, text, file) for function, mark in _marked(tree))
    if not found:
        raise ModuleLoadError(
            "The file has no function marked with @model.",
            where=Location(file, 1),
            hint="Write `from flowforge import model` and put `@model(deps=[…])` above a function.",
        )
    return found


def _marked(tree: ast.Module) -> Iterator[tuple[str, ast.Call | None]]:
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in statement.decorator_list:
                call = decorator if isinstance(decorator, ast.Call) else None
                if _is_model(call.func if call else decorator):
                    yield statement.name, call


def _is_model(expression: ast.expr) -> bool:
    """Tell whether an expression is `model`, `flowforge.model` or `core.model`."""
    if isinstance(expression, ast.Attribute):
        return expression.attr == "model"
    return isinstance(expression, ast.Name) and expression.id == "model"


def _facts(function: str, mark: ast.Call | None, text: str, file: str) -> ModelFacts:
    if mark is None:
        return ModelFacts(function=function)
    given = _arguments(mark, text, file)
    try:
        spec = spec_of(given.get("name"), given.get("deps") or (), given.get("requires") or {}, {})
    except (TypeError, AttributeError) as error:
        raise _argument_error(mark, text, file) from error
    lines = {text.value: text.lineno for text in ast.walk(mark) if isinstance(text, ast.Constant)}
    written = {node_name(name): line for name, line in lines.items() if isinstance(name, str)}
    return ModelFacts(
        refs=tuple((dep, written.get(dep, mark.lineno)) for dep in spec.deps),
        sources=tuple((group, table, written.get(table, mark.lineno)) for group, table in spec.sources),
        settings={key: value for key, value in given.items() if key not in _OWN},
        name=spec.name,
        function=function,
        requires={relation: tuple(sorted(columns)) for relation, columns in spec.requires.items()},
    )


def _arguments(mark: ast.Call, text: str, file: str) -> dict[str, Any]:
    pairs = list(zip(_OWN, mark.args, strict=False))
    pairs += [(keyword.arg, keyword.value) for keyword in mark.keywords if keyword.arg]
    if len(pairs) != len(mark.args) + len(mark.keywords):
        raise _argument_error(mark, text, file)
    return {key: _literal(value, text, file) for key, value in pairs}


def _literal(value: ast.expr, text: str, file: str) -> Any:
    """Return a literal's value; `source("g", "t")` among the items of a list is one too."""
    if isinstance(value, ast.List | ast.Tuple):
        return [_literal(item, text, file) for item in value.elts]
    if isinstance(value, ast.Call) and _is_source(value.func) and len(value.args) == 2:
        return SourceRef(*(_literal(arg, text, file) for arg in value.args))
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise _argument_error(value, text, file) from error


def _is_source(expression: ast.expr) -> bool:
    name = expression.attr if isinstance(expression, ast.Attribute) else getattr(expression, "id", "")
    return name == "source"


def _argument_error(place: ast.expr, text: str, file: str) -> ModuleLoadError:
    return ModuleLoadError(
        "The arguments of @model must be literal, since the graph is read without running anything.",
        where=Location(file, place.lineno),
        snippet=caret(text, place.lineno, place.col_offset + 1),
        hint='Write for example @model(deps=["users"], requires={"users": {"id"}}).',
    )


def _syntax_error(error: Exception, text: str, file: str) -> ModuleLoadError:
    line = (error.lineno or 0) if isinstance(error, SyntaxError) else 0
    column = (error.offset or 0) if isinstance(error, SyntaxError) else 0
    reason = error.msg if isinstance(error, SyntaxError) else str(error)
    return ModuleLoadError(
        f"The file is not valid Python: {reason}.",
        where=Location(file, line),
        snippet=caret(text, line, column),
        hint="Correct the syntax.",
    )
