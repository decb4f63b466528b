"""The sandboxed Jinja environment of models, and where in a template an error happened.

Jinja2 lives here, in `jinja_*.py`, `bounds.py` and `macro_files.py`, imported only for templates that need it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2 import Environment, StrictUndefined, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from flowforge_domain.errors import FlowForgeError, TemplateError
from flowforge_domain.text import Location, caret, caret_below, line_of
from flowforge_project.bounds import (
    BoundedCode,
    BoundedFormatter,
    bounded_call,
    bounded_filters,
    require_small,
    shown,
    spend,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence
    from types import TracebackType

    from jinja2.runtime import Context

AVAILABLE = ("ref", "source", "config", "var", "env_var", "is_incremental", "this", "target")

__all__ = ["Environment", "sandbox", "template_error"]

# Not deterministic, or a way to reach attributes by name: a model has no need of them.
_NO_GLOBALS = ("lipsum", "cycler", "joiner")
_MOST_CALLS = 8
_NO_FILTERS = ("attr", "random", "pprint", "urlize", "xmlattr")
# Methods of texts, bytes and numbers that make much out of little.
_NO_METHODS = ("encode", "expandtabs", "from_bytes", "maketrans", "to_bytes", "translate")


class _Sandbox(ImmutableSandboxedEnvironment):
    """Refuses what would fill the memory or the day from a few characters, and hidden attributes in filters too."""

    code_generator_class = BoundedCode
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return attr not in _NO_METHODS and super().is_safe_attribute(obj, attr, value)

    def unsafe_undefined(self, obj: Any, attribute: str) -> NoReturn:
        raise SecurityError(f"attribute {attribute!r} of {type(obj).__name__!r} is not safe")

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        if super().wrap_str_format(value) is None:
            return None
        if value.__name__ != "format":
            self.unsafe_undefined(value.__self__, value.__name__)
        text = str(value.__self__)
        return lambda *args, **kwargs: BoundedFormatter(self).vformat(text, args, kwargs)

    def call(self, context: Context, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        return super().call(context, function, *bounded_call(context, function, args, kwargs), **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        require_small(operator, left, right)
        spend(context, left, right)
        return super().call_binop(context, operator, left, right)


def sandbox() -> ImmutableSandboxedEnvironment:
    """Return a new environment; undefined names are errors, nothing can be changed or called by underscore."""
    environment = _Sandbox(undefined=StrictUndefined, autoescape=False, finalize=shown)  # it makes SQL, not HTML
    for name in _NO_GLOBALS:
        del environment.globals[name]
    for name in _NO_FILTERS:
        del environment.filters[name]
    environment.filters = bounded_filters(environment.filters)
    environment.tests = bounded_filters(environment.tests)
    return environment


def template_error(
    error: Exception, text: str, file: str, macro_files: Mapping[str, str] | None = None
) -> FlowForgeError:
    """Return an error of Jinja, or of what a template called, as ours: file, line, the line and a caret.

    `macro_files` are the texts of those whose macros it may call; the calls that led into one are told.
    """
    if isinstance(error, TemplateSyntaxError):
        return _syntax_error(error, text, file)
    texts = {**(macro_files or {}), file: text}
    nested = _is_nested_too_deeply(error)
    *calls, (place, line) = _steps(error.__traceback__, texts) or [(file, _most_nested(text) if nested else 0)]
    if isinstance(error, FlowForgeError):
        message, hint = error.message, error.hint
    elif nested:
        message, hint = "This is nested too deeply", "Write it flatter, with {% set %} for parts."
    else:
        told = error.msg if isinstance(error, SyntaxError) else str(error)
        message, hint = told or type(error).__name__, _hint(error)
    ours = error_at(texts[place], place, line, message, hint)
    ours.snippet = "\n".join(filter(None, [ours.snippet, *_told(calls)]))
    return ours


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


def _is_nested_too_deeply(error: Exception) -> bool:
    # "too many statically nested blocks", "too many levels of indentation": what Python says of a template's own code.
    return isinstance(error, RecursionError) or (isinstance(error, SyntaxError) and "too many" in error.msg)


def _syntax_error(error: TemplateSyntaxError, text: str, file: str) -> TemplateError:
    unclosed = re.search(r"block that needs to be closed is '(\w+)'", str(error))
    line = _line_of_open(text, unclosed[1]) if unclosed else 0
    if unclosed and line:
        return error_at(text, file, line, f"'{unclosed[1]}' is never closed", f"Write {{% end{unclosed[1]} %}}.")
    hint = "Check the brackets, quotes and `end…` of this tag."
    ours = error_at(text, file, error.lineno, str(error.message), hint)
    # What is missing was begun before.
    column = _column(text, error.lineno) if "unexpected" in str(error.message) else 0
    ours.snippet = caret(text, error.lineno, column) if column else ours.snippet
    return ours


def _column(text: str, line: int) -> int:
    """Return the column of a line where a text cannot be taken apart, 0 where it can: Jinja tells lines only."""
    end = 0
    try:
        for _, _, part in sandbox().lexer.tokeniter(text, None):
            end = text.index(part, end) + len(part)
    except TemplateSyntaxError:
        return end - text.rfind("\n", 0, end) if line_of(text, end) == line else 0
    return 0


def _line_of_open(text: str, word: str) -> int:
    """Return the line of the last tag `word` without its end; Jinja only says where the text is over."""
    closed = 0
    for tag in reversed(list(re.finditer(rf"\{{%[-+]?\s*(end)?{word}\b", text))):
        if not tag[1] and not closed:
            return line_of(text, tag.start())
        closed += 1 if tag[1] else -1
    return 0


def _most_nested(text: str) -> int:
    """Return the line that opens most; Python only says that it went too deep."""
    opened = [len(re.findall(r"[(\[{]|\b(?:not|if|for)\b|[-+~]", line)) for line in text.split("\n")]
    return opened.index(max(opened)) + 1


def _steps(traceback: TracebackType | None, files: Container[str]) -> list[tuple[str, int]]:
    """Return the lines of templates that were running, the innermost last; Jinja maps its code back to them."""
    steps: list[tuple[str, int]] = []
    while traceback is not None:
        step = (traceback.tb_frame.f_code.co_filename, traceback.tb_lineno)
        if step[0] in files and step not in steps[-1:]:
            steps.append(step)
        traceback = traceback.tb_next
    return steps


def _told(calls: Sequence[tuple[str, int]]) -> list[str]:
    """Return a line per call, the innermost first; of a long chain, its two ends."""
    lines = [f"  called in {file}:{line}" for file, line in reversed(calls)]
    if len(lines) <= _MOST_CALLS:
        return lines
    return [*lines[: _MOST_CALLS - 1], f"  … {len(lines) - _MOST_CALLS} more calls", lines[-1]]


def _hint(error: Exception) -> str:
    if isinstance(error, UndefinedError):
        return "Check the name, or give a value for it with `| default(…)`."
    if isinstance(error, SecurityError):
        return "A template cannot reach Python's own attributes."
    return "Correct this expression."
