"""What a template may name: a misspelt variable, filter or test is found when it is read, not halfway through a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import nodes

from flowforge_domain.hooks import RUN_NAMES
from flowforge_domain.text import nearest
from flowforge_project.jinja_parts import Parts, calls_of, only
from flowforge_project.sandbox import AVAILABLE, error_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from flowforge_domain.errors import TemplateError

_SPECIAL = ("caller", "kwargs", "loop", "self", "super", "varargs")
RESERVED = frozenset({*AVAILABLE, *_SPECIAL})
_OTHER_FILES: dict[type[nodes.Node], str] = {
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Extends: "extends",
}

_CALLS = {
    "ref": "ref('name')",
    "source": "source('group', 'table')",
    "config": "config(…)",
    "var": "var('name')",
    "env_var": "env_var('NAME')",
    "is_incremental": "is_incremental()",
}


def require_known_tags(parts: Parts, environment: ImmutableSandboxedEnvironment, text: str, file: str) -> None:
    """Raise `TemplateError` for another file, an unknown filter or test, and for what cannot be changed."""
    for tag in (part for part in parts if type(part) in _OTHER_FILES):
        word = _OTHER_FILES[type(tag)]
        hint = "Write what it gives into a macro, or make it a model and use ref()."
        raise error_at(text, file, tag.lineno, f"`{word}` is not available: a model is one file.", hint, word)
    for what, known, used in (
        ("filter", environment.filters, only(parts, nodes.Filter)),
        ("test", environment.tests, only(parts, nodes.Test)),
    ):
        for use in used:
            if use.name not in known:
                hint = _suggest(use.name, known) or f"Use one of Jinja's own {what}s."
                raise error_at(text, file, use.lineno, f"There is no {what} {use.name!r}.", hint, use.name)
    own = _own(parts)
    for target in only(parts, nodes.NSRef):
        if target.name not in own:
            hint = "Write {% set x = namespace() %}, then set x's attributes."
            raise error_at(text, file, target.lineno, f"{target.name!r} cannot be changed.", hint, target.name)
    for name in _uncalled(parts):
        if name.name not in own:
            message = f"`{name.name}` is a function, which is not called here."
            raise error_at(text, file, name.lineno, message, f"Write {_CALLS[name.name]}.", name.name)


def _uncalled(parts: Parts) -> Iterator[nodes.Name]:
    """Yield what stands for the result of a function where it is written out or decides: there it is always true."""
    written = [child for output in only(parts, nodes.Output) for child in output.nodes]
    asked = [branch.test for branch in only(parts, nodes.If)] + [one.test for one in only(parts, nodes.CondExpr)]
    for expression in (*written, *asked):
        names = [expression] if isinstance(expression, nodes.Name) else []
        if isinstance(expression, nodes.Not | nodes.And | nodes.Or):
            names = [one for one in expression.iter_child_nodes() if isinstance(one, nodes.Name)]
        yield from (name for name in names if name.name in _CALLS)


def unknown_names(parts: Parts, environment: ImmutableSandboxedEnvironment) -> tuple[tuple[str, int], ...]:
    """Return the names that neither the template nor FlowForge defines, each with the line that needs it first.

    A name counts as defined where the template sets it anywhere. The line is 0 where the template asks somewhere
    whether the name is defined.
    """
    known = {*AVAILABLE, *_own(parts), *environment.globals, *_SPECIAL}
    asked = set(_asked_for(parts))
    found: dict[str, int] = {}
    for name in only(parts, nodes.Name):
        if name.name not in known:
            found.setdefault(name.name, 0 if name.name in asked else name.lineno)
    return tuple(found.items())


def undefined(parts: Parts, name: str, line: int, macros: Iterable[str], text: str, file: str) -> TemplateError:
    """Return the error about a name that is no macro either."""
    own = _own(parts)
    quoted = "" if nearest(name, own) else _quoted(name, parts, own)
    hint = quoted or _suggest(name, {*AVAILABLE, *own, *macros}) or _how_to_read(name, parts)
    return error_at(text, file, line, f"{name!r} is undefined.", hint, name)


def _own(parts: Parts) -> set[str]:
    set_here = {name.name for name in only(parts, nodes.Name) if name.ctx != "load"}
    return set_here | {macro.name for macro in only(parts, nodes.Macro)}


def _quoted(name: str, parts: Parts, own: set[str]) -> str:
    """Return the call that takes `name` as a text, which was written without quotes, "" where there is none."""
    for function in ("ref", "source", "var", "env_var"):
        for call in calls_of(parts, function):
            if any(isinstance(one, nodes.Name) and one.name == name for one in call.args):
                return f"Write {function}({', '.join(_as_text(one, own) for one in call.args)})."
    return ""


def _as_text(argument: nodes.Expr, own: set[str]) -> str:
    if isinstance(argument, nodes.Name):
        return argument.name if argument.name in own else repr(argument.name)
    return repr(argument.value) if isinstance(argument, nodes.Const) else "…"


def _how_to_read(name: str, parts: Parts) -> str:
    if calls_of(parts, name):
        return f"Available: {', '.join(AVAILABLE)}, and the macros below macros/."
    if name in RUN_NAMES:
        return f"Only a hook of a run sees it, which may give it to a macro as an argument: log({name})."
    return f"Read a variable of project.yml with var('{name}')."


def _asked_for(parts: Parts) -> Iterator[str]:
    """Yield the names in `x is defined` and `x | default(…)`."""
    for use in [*only(parts, nodes.Test), *only(parts, nodes.Filter)]:
        if use.name in ("defined", "undefined", "default", "d") and isinstance(use.node, nodes.Name):
            yield use.node.name


def _suggest(name: str, known: Iterable[str]) -> str:
    found = nearest(name, known)
    return f"Did you mean {found!r}?" if found else ""
