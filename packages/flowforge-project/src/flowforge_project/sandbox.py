"""The sandboxed Jinja environment of models, and where in a template an error happened.

Jinja2 lives here and in `jinja_sql.py`; both are imported only for templates that need it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from flowforge_domain.errors import FlowForgeError, TemplateError
from flowforge_domain.text import Location, caret

if TYPE_CHECKING:
    from types import TracebackType

# Not deterministic, or a way to reach attributes by name: a model has no need of them.
_NO_GLOBALS = ("lipsum", "cycler", "joiner")
_NO_FILTERS = ("attr", "random", "pprint", "xmlattr")


def sandbox() -> ImmutableSandboxedEnvironment:
    """Return a new environment; undefined names are errors, nothing can be changed or called by underscore."""
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)  # it makes SQL, not HTML
    for name in _NO_GLOBALS:
        del environment.globals[name]
    for name in _NO_FILTERS:
        del environment.filters[name]
    return environment


def template_error(error: Exception, text: str, file: str) -> FlowForgeError:
    """Return an error of Jinja, or of what a template called, as ours: file, line, the line and a caret."""
    line = error.lineno if isinstance(error, TemplateSyntaxError) else _line_in(error.__traceback__, file)
    shown = text.splitlines()[line - 1] if 0 < line <= len(text.splitlines()) else ""
    column = len(shown) - len(shown.lstrip()) + 1 if "{" not in shown else shown.index("{") + 1
    message = error.message if isinstance(error, FlowForgeError) else str(error) or type(error).__name__
    return TemplateError(
        message or "The template cannot be read.",
        where=Location(file, line),
        snippet=caret(text, line, column),
        hint=_hint(error),
    )


def _line_in(traceback: TracebackType | None, file: str) -> int:
    """Return the last line of the template that was running; Jinja maps its code back to template lines."""
    line = 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _hint(error: Any) -> str:
    if isinstance(error, FlowForgeError):
        return error.hint
    if isinstance(error, TemplateSyntaxError):
        return "Check the brackets and quotes of this tag."
    return "Available: ref(), source(), config(), var(), env_var(), this, target."
