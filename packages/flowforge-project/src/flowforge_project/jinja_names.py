"""What a template may name: a misspelt variable, filter or test is found when it is read, not halfway through a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import nodes

from flowforge_domain.text import nearest
from flowforge_project.sandbox import AVAILABLE, error_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jinja2.sandbox import ImmutableSandboxedEnvironment

_SPECIAL = ("caller", "kwargs", "loop", "self", "super", "varargs")
_OTHER_FILES = {nodes.Include: "include", nodes.Import: "import", nodes.FromImport: "import", nodes.Extends: "extends"}


def require_known_names(tree: nodes.Template, environment: ImmutableSandboxedEnvironment, text: str, file: str) -> None:
    """Raise `TemplateError` for the first thing a template names that nothing defines; see below what counts."""
    for tag in tree.find_all(tuple(_OTHER_FILES)):
        word = _OTHER_FILES[type(tag)]
        hint = "Write what it gives into this file, or make it a model and use ref()."
        raise error_at(text, file, tag.lineno, f"`{word}` is not available: a model is one file.", hint, word)
    for what, known, used in (
        ("filter", environment.filters, tree.find_all(nodes.Filter)),
        ("test", environment.tests, tree.find_all(nodes.Test)),
    ):
        for use in used:
            if use.name not in known:
                hint = _suggest(use.name, known) or f"Use one of Jinja's own {what}s."
                raise error_at(text, file, use.lineno, f"There is no {what} {use.name!r}.", hint, use.name)
    _require_defined(tree, environment, text, file)


def _require_defined(tree: nodes.Template, environment: ImmutableSandboxedEnvironment, text: str, file: str) -> None:
    """A name counts as defined where the template sets it anywhere, or asks somewhere whether it is defined."""
    names = list(tree.find_all(nodes.Name))
    own = {name.name for name in names if name.ctx != "load"} | {macro.name for macro in tree.find_all(nodes.Macro)}
    known = {*AVAILABLE, *own, *environment.globals}
    for target in tree.find_all(nodes.NSRef):
        if target.name not in own:
            hint = "Write {% set x = namespace() %}, then set x's attributes."
            raise error_at(text, file, target.lineno, f"{target.name!r} cannot be changed.", hint, target.name)
    excused = {*_SPECIAL, *_asked_for(tree)}
    for name in names:
        if name.name not in known and name.name not in excused:
            hint = _suggest(name.name, known) or _how_to_read(name, tree)
            raise error_at(text, file, name.lineno, f"{name.name!r} is undefined.", hint, name.name)


def _how_to_read(name: nodes.Name, tree: nodes.Template) -> str:
    if any(call.node is name for call in tree.find_all(nodes.Call)):
        return f"Available: {', '.join(AVAILABLE)}."
    return f"Read a variable of project.yml with var('{name.name}')."


def _asked_for(tree: nodes.Template) -> Iterator[str]:
    """Yield the names in `x is defined` and `x | default(…)`."""
    for use in tree.find_all((nodes.Test, nodes.Filter)):
        if use.name in ("defined", "undefined", "default", "d") and isinstance(use.node, nodes.Name):
            yield use.node.name


def _suggest(name: str, known: Iterable[str]) -> str:
    found = nearest(name, known)
    return f"Did you mean {found!r}?" if found else ""
