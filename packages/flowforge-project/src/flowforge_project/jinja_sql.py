"""Templates that need Jinja: their facts from the syntax tree, without rendering, and their rendering."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError as JinjaError
from jinja2 import nodes
from jinja2.environment import Template

from flowforge_domain.errors import FlowForgeError, TemplateError
from flowforge_domain.text import Location, caret, did_you_mean
from flowforge_ports.project import RenderContext
from flowforge_project.facts import ModelFacts
from flowforge_project.sandbox import sandbox, template_error

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

_SECRET = re.compile(r"passw|secret|token|credential|private|api_?key|access_?key|dsn", re.IGNORECASE)


def jinja_facts(text: str, file: str) -> ModelFacts:
    """Return what a template names in literal `ref()`, `source()` and `config()` calls, whether they run or not.

    Raises `TemplateError` for bad syntax and for `config()` values that are not literal.
    """
    try:
        tree = _environment().parse(text, file, file)
    except (JinjaError, RecursionError) as error:
        raise template_error(error, text, file) from error
    calls = list(_calls(tree))
    return ModelFacts(
        refs=tuple((args[0], line) for name, args, line in calls if name == "ref" and len(args) == 1),
        sources=tuple((args[0], args[1], line) for name, args, line in calls if name == "source" and len(args) == 2),
        settings=_config(tree, text, file),
    )


def render_jinja(text: str, file: str, context: RenderContext) -> str:
    """Return the template's SQL.

    Raises `TemplateError` with file, line, the line itself and a caret.
    """
    environment = _environment()
    try:
        code = environment.compile(text, file, file)
        template = Template.from_code(environment, code, dict(environment.globals))
        return template.render(_names(context))
    except (JinjaError, FlowForgeError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise template_error(error, text, file) from error


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    return sandbox()


def _names(context: RenderContext) -> dict[str, Any]:
    def var(name: str, *default: Any) -> Any:
        if name in context.variables:
            return context.variables[name]
        if default:
            return default[0]
        hint = did_you_mean(name, context.variables) or "Add it to `vars` in project.yml, or give a default."
        raise TemplateError(f"There is no variable {name!r}.", hint=hint)

    return {
        "ref": context.ref,
        "source": context.source,
        "config": lambda **_: "",
        "var": var,
        "env_var": lambda name, *default: _env_var(context.environment, name, *default),
        "this": context.this,
        "target": context.target,
    }


def _env_var(environment: Mapping[str, str], name: str, *default: str) -> str:
    if _SECRET.search(name):
        raise TemplateError(
            f"env_var({name!r}) looks like a secret, and SQL is shown and stored.",
            hint="Use secrets in profiles.yml only.",
        )
    if name in environment:
        return environment[name]
    if default:
        return default[0]
    raise TemplateError(f"The environment variable {name!r} is not set.", hint="Set it, or give a default.")


def _calls(tree: nodes.Template) -> Iterator[tuple[str, list[str], int]]:
    """Yield each call of `ref` and `source` whose arguments are all literal texts."""
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in ("ref", "source") and not call.kwargs:
            values = [arg.value for arg in call.args if isinstance(arg, nodes.Const)]
            if len(values) == len(call.args) and all(isinstance(value, str) for value in values):
                yield call.node.name, values, call.lineno


def _config(tree: nodes.Template, text: str, file: str) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "config":
            try:
                settings |= {pair.key: pair.value.as_const() for pair in call.kwargs}
            except nodes.Impossible as error:
                raise _not_literal(call.lineno, text, file) from error
            if call.args or call.dyn_args or call.dyn_kwargs:
                raise _not_literal(call.lineno, text, file)
    return settings


def _not_literal(line: int, text: str, file: str) -> TemplateError:
    return TemplateError(
        "config() takes literal values by name, since the graph is read without running anything.",
        where=Location(file, line),
        snippet=caret(text, line),
        hint="Write for example {{ config(materialized='view', tags=['batch']) }}.",
    )
