"""The sandboxed Jinja environment of models, and where in a template an error happened.

Jinja2 lives here and in `jinja_sql.py`; both are imported only for templates that need it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2 import Environment, StrictUndefined, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from flowforge_domain.errors import FlowForgeError, TemplateError
from flowforge_domain.text import Location, caret_below, line_of

if TYPE_CHECKING:
    from types import TracebackType

    from jinja2.runtime import Context

AVAILABLE = ("ref", "source", "config", "var", "env_var", "is_incremental", "this", "target")

__all__ = ["Environment", "sandbox", "template_error"]

# Not deterministic, or a way to reach attributes by name: a model has no need of them.
_NO_GLOBALS = ("lipsum", "cycler", "joiner")
_NO_FILTERS = ("attr", "random", "pprint", "xmlattr")
_LONGEST = 1_000_000


class _Sandbox(ImmutableSandboxedEnvironment):
    """Refuses arithmetic that would fill the memory from a few characters, and hidden attributes in filters too."""

    intercepted_binops = frozenset({"*", "**"})

    def unsafe_undefined(self, obj: Any, attribute: str) -> NoReturn:
        raise SecurityError(f"attribute {attribute!r} of {type(obj).__name__!r} is not safe")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and not (abs(left) < _LONGEST and abs(right) < 100):
            raise OverflowError("the power is too large")
        for value, times in ((left, right), (right, left)):
            if isinstance(value, str | list | tuple) and len(value) * times > _LONGEST:
                raise OverflowError("the repetition is too long")
        return super().call_binop(context, operator, left, right)


def sandbox() -> ImmutableSandboxedEnvironment:
    """Return a new environment; undefined names are errors, nothing can be changed or called by underscore."""
    environment = _Sandbox(undefined=StrictUndefined, autoescape=False)  # it makes SQL, not HTML
    for name in _NO_GLOBALS:
        del environment.globals[name]
    for name in _NO_FILTERS:
        del environment.filters[name]
    return environment


def template_error(error: Exception, text: str, file: str) -> FlowForgeError:
    """Return an error of Jinja, or of what a template called, as ours: file, line, the line and a caret."""
    if isinstance(error, FlowForgeError):
        return error_at(text, file, _line_in(error.__traceback__, file), error.message, error.hint)
    if isinstance(error, TemplateSyntaxError):
        return _syntax_error(error, text, file)
    message = str(error) or type(error).__name__
    return error_at(text, file, _line_in(error.__traceback__, file), message, _hint(error))


def error_at(text: str, file: str, line: int, message: str, hint: str, name: str = "") -> TemplateError:
    """Return an error about a line; the caret stands below `name`, below what the message quotes, or below a tag."""
    names = [name] if name else re.findall(r"'([^']+)'", message)
    return TemplateError(
        # Jinja's own messages begin small and end without a full stop.
        re.sub(r"^[a-z]+ ", lambda word: word[0].capitalize(), message) + ("" if message.endswith(".") else "."),
        where=Location(file, line),
        snippet=caret_below(text, line, *names),
        hint=hint,
    )


def _syntax_error(error: TemplateSyntaxError, text: str, file: str) -> TemplateError:
    unclosed = re.search(r"block that needs to be closed is '(\w+)'", str(error))
    line = _line_of_open(text, unclosed[1]) if unclosed else 0
    if unclosed and line:
        return error_at(text, file, line, f"'{unclosed[1]}' is never closed", f"Write {{% end{unclosed[1]} %}}.")
    return error_at(text, file, error.lineno, str(error.message), "Check the brackets, quotes and `end…` of this tag.")


def _line_of_open(text: str, word: str) -> int:
    """Return the line of the last tag `word` without its end; Jinja only says where the text is over."""
    closed = 0
    for tag in reversed(list(re.finditer(rf"\{{%[-+]?\s*(end)?{word}\b", text))):
        if not tag[1] and not closed:
            return line_of(text, tag.start())
        closed += 1 if tag[1] else -1
    return 0


def _line_in(traceback: TracebackType | None, file: str) -> int:
    """Return the last line of the template that was running; Jinja maps its code back to template lines."""
    line = 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _hint(error: Exception) -> str:
    if isinstance(error, UndefinedError):
        return "Check the name, or give a value for it with `| default(…)`."
    if isinstance(error, SecurityError):
        return "A template cannot reach Python's own attributes."
    return "Correct this expression."
