"""Templates that need Jinja: their facts from the syntax tree, without rendering, and their rendering."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError as JinjaError
from jinja2 import nodes
from jinja2.environment import Template

from flowforge_domain.errors import FlowForgeError, TemplateError
from flowforge_domain.text import line_of
from flowforge_ports.project import RenderContext
from flowforge_project.bounds import BUDGET, Budget
from flowforge_project.context import template_names
from flowforge_project.facts import ModelFacts
from flowforge_project.jinja_names import require_known_tags, undefined, unknown_names
from flowforge_project.jinja_parts import Parts, calls_of, only, parts_of
from flowforge_project.sandbox import error_at, sandbox, template_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from flowforge_project.macro_files import MacroLibrary

_FORMS = {"ref": (1, "ref('orders')"), "source": (2, "source('shop', 'orders')")}


def jinja_facts(text: str, file: str) -> ModelFacts:
    """Return what a template names in literal `ref()`, `source()` and `config()` calls, whether they run or not.

    Raises `TemplateError` for bad syntax, for tags, filters and tests that nothing defines, and for calls of the wrong
    form.
    """
    with errors_told(text, file):
        return _facts(parts_of(environment().parse(text, file, file)), text, file)


def undefined_name(text: str, file: str, name: str, line: int, macros: Iterable[str]) -> TemplateError:
    """Return the error about a name of `ModelFacts.names` that is none of the project's macros."""
    return undefined(parts_of(environment().parse(text, file, file)), name, line, macros, text, file)


def render_jinja(
    text: str, file: str, context: RenderContext, library: MacroLibrary | None = None, macros: Iterable[str] = ()
) -> str:
    """Return the template's SQL; it may call `macros`, which are in the library.

    Raises `TemplateError` with file, line, the line itself and a caret, and by which calls it got there.
    """
    known = {**environment().globals, **template_names(context), BUDGET: Budget()}
    texts = library.texts(macros) if library else {}
    try:
        if library:
            library.put(macros, known, context.target.get("engine", ""))
        code = environment().compile(text, file, file)
        sql = Template.from_code(environment(), code, {}).render(known)
    except (
        JinjaError, FlowForgeError, ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError,
        RuntimeError, SyntaxError, TypeError, ValueError,
    ) as error:  # fmt: skip
        raise template_error(error, text, file, texts) from error
    return _require_whole(sql, text, file)


def _require_whole(sql: str, text: str, file: str) -> str:
    """Refuse halves of characters, which only an escape in a template can write: no file or engine holds them."""
    if half := re.search("[\ud800-\udfff]", sql):
        escape = re.search(r"\\[uU]0*[dD][89a-fA-F]", text)
        line = line_of(text, escape.start()) if escape else 0
        raise error_at(text, file, line, f"The SQL holds {half[0]!r}, half a character", "Write the character itself.")
    return sql


@cache
def environment() -> ImmutableSandboxedEnvironment:
    """Return the environment in which all templates of all projects are read and rendered."""
    return sandbox()


def literal_refs(parts: Parts, text: str, file: str) -> list[tuple[str, int]]:
    """Return what literal `ref()` calls name, with their lines; raise `TemplateError` for a call of the wrong form."""
    return [(name, line) for (name,), line in _literal_calls("ref", calls_of(parts, "ref"), text, file)]


def literal_sources(parts: Parts, text: str, file: str) -> list[tuple[str, str, int]]:
    """Return what literal `source()` calls name, as `literal_refs` does."""
    found = _literal_calls("source", calls_of(parts, "source"), text, file)
    return [(group, table, line) for (group, table), line in found]


def read_variables(parts: Parts) -> tuple[str, ...]:
    """Return the variables that literal `var()` calls read, whether they run or not, and "" for any other use of it."""
    calls = calls_of(parts, "var")
    found = dict.fromkeys(_variable(call) for call in calls)
    uses = sum(name.name == "var" and name.ctx == "load" for name in only(parts, nodes.Name))
    return (*found, "") if uses > len(calls) and "" not in found else tuple(found)


@contextmanager
def errors_told(text: str, file: str) -> Iterator[None]:
    """Turn what Jinja says about a text into `TemplateError`, and that it is nested too deeply to be walked."""
    try:
        yield
    except (JinjaError, ValueError, RecursionError) as error:
        raise template_error(error, text, file) from error


def _facts(parts: Parts, text: str, file: str) -> ModelFacts:
    require_known_tags(parts, environment(), text, file)
    settings = _settings(calls_of(parts, "config"), text, file)
    return ModelFacts(
        refs=tuple(literal_refs(parts, text, file)),
        sources=tuple(literal_sources(parts, text, file)),
        settings={name: value for name, (value, _) in settings.items()},
        setting_lines={name: line for name, (_, line) in settings.items()},
        names=unknown_names(parts, environment()),
        variables=read_variables(parts),
    )


def _variable(call: nodes.Call) -> str:
    name = call.args[0] if call.args else next((pair.value for pair in call.kwargs if pair.key == "name"), None)
    return name.value if isinstance(name, nodes.Const) and isinstance(name.value, str) else ""


def _literal_calls(name: str, calls: list[nodes.Call], text: str, file: str) -> list[tuple[list[str], int]]:
    """Return the names in each call that is all literal; a computed name is left to rendering, a wrong form is not."""
    count, form = _FORMS[name]
    found = []
    for call in calls:
        literal = [arg.value for arg in call.args if isinstance(arg, nodes.Const)]
        spread = call.dyn_args is not None or call.dyn_kwargs is not None
        if call.kwargs or not all(isinstance(value, str) and value for value in literal):
            raise error_at(text, file, call.lineno, f"{name}() takes names as texts.", f"Write {form}.", name)
        if len(call.args) != count and not spread:
            given = f"{count} name{'s' * (count > 1)}, not {len(call.args)}"
            raise error_at(text, file, call.lineno, f"{name}() takes {given}.", f"Write {form}.", name)
        if len(literal) == len(call.args) and not spread:
            found.append((literal, call.lineno))
    return found


def _settings(calls: list[nodes.Call], text: str, file: str) -> dict[str, tuple[Any, int]]:
    settings: dict[str, tuple[Any, int]] = {}
    for call in calls:
        if call.args or call.dyn_args or call.dyn_kwargs:
            raise _not_literal(call.lineno, text, file, "config")
        for pair in call.kwargs:
            if pair.key in settings:
                raise error_at(text, file, pair.lineno, f"{pair.key!r} is set twice.", "Keep one.", pair.key)
            try:
                settings[pair.key] = (_literal(pair.value), pair.lineno)
            except nodes.Impossible as error:
                raise _not_literal(pair.lineno, text, file, pair.key) from error
    return settings


def _literal(node: nodes.Expr) -> Any:
    """Return the value of a literal; nothing is evaluated, so that loading cannot be made to take long."""
    match node:
        case nodes.Const():
            return node.value
        case nodes.List() | nodes.Tuple():
            return [_literal(item) for item in node.items]
        case nodes.Dict() if all(isinstance(pair.key, nodes.Const) for pair in node.items):
            return {_literal(pair.key): _literal(pair.value) for pair in node.items}
        case nodes.Neg(node=nodes.Const(value=int() | float() as value)):
            return -value
    raise nodes.Impossible


def _not_literal(line: int, text: str, file: str, name: str) -> TemplateError:
    return error_at(
        text,
        file,
        line,
        "config() takes literal values by name, since the graph is read without running anything.",
        "Write for example {{ config(materialized='view', tags=['batch']) }}.",
        name,
    )
