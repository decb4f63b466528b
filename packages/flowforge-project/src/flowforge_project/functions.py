"""Fulfils `FunctionLoader`: imports a Python model when it is about to run, and nothing before."""

from __future__ import annotations

import traceback
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from flowforge_domain.errors import ModuleLoadError, told_as
from flowforge_domain.hooks import Hook
from flowforge_domain.model import ModelSpec, Node, node_name
from flowforge_domain.text import Location, caret, nearest, words_of
from flowforge_project.folder import ProjectFile
from flowforge_project.modules import ProjectModules
from flowforge_project.scan_python import python_facts


class ModuleFunctions:
    """Loads the functions of one project's Python models."""

    def __init__(self, root: Path) -> None:
        self._modules = ProjectModules(root)
        # A long-lived process loads a project many times: what no one can reach any more must go.
        weakref.finalize(self, self._modules.forget)

    def function(self, node: Node) -> Callable[..., Any]:
        """Return the node's function; raise `ModuleLoadError` when it cannot be imported or is not what was read."""
        facts = python_facts(ProjectFile(str(node.path), node.file).text(), node.file)
        name = next((one.function for one in facts if (one.name or node_name(node.path.name)) == node.name), "")
        with told_as(lambda error: _import_error(error, f"Model {node.name!r}", node.path, self._modules)):
            function = getattr(self._modules.model(node.path), name, None)
        spec = getattr(function, "__flowforge_model__", None)
        if function is None or not isinstance(spec, ModelSpec) or not _is_as_read(spec, node):
            raise ModuleLoadError(
                f"The @model of {node.name!r} says something else when it runs than its text does.",
                where=node.where(),
                hint="Use the decorator from flowforge, once, with literal arguments.",
            )
        return function  # type: ignore[no-any-return]

    def hook(self, hook: Hook) -> Callable[..., Any]:
        """Return a hook's function; raise `ModuleLoadError` when it cannot be imported or is not what was read."""
        path = self._modules.root / hook.where.path
        with told_as(lambda error: _import_error(error, f"The hook {hook.function!r}", path, self._modules)):
            function = getattr(self._modules.model(path), hook.function, None)
        if getattr(function, "__flowforge_hook__", None) != hook.when:
            message = f"The @hook of {hook.function!r} says something else when it runs than its text does."
            hint = "Use the decorator from flowforge, once, with a literal word."
            raise ModuleLoadError(message, where=hook.where, hint=hint)
        return function  # type: ignore[return-value]

    def modules(self) -> Sequence[ModuleType]:
        """Return the project's modules that are imported, each by the private name that it has in this process."""
        return self._modules.loaded()


def _is_as_read(spec: ModelSpec, node: Node) -> bool:
    """Tell whether a marker that was run says what its text said: otherwise the graph would be wrong."""
    return (
        spec.name or node.name,
        tuple(dict.fromkeys(spec.deps)),
        tuple(dict.fromkeys(spec.sources)),
        spec.requires,
    ) == (
        node.name,
        tuple(node.deps),
        node.sources,
        node.requires,
    )


def _import_error(error: BaseException, what: str, file: Path, modules: ProjectModules) -> ModuleLoadError:
    path, line, column = _place(error, modules) or (file, 0, 0)
    text = path.read_text("utf-8", "replace") if path.is_file() else ""
    reason = error.msg if isinstance(error, SyntaxError) else words_of(error)
    for hidden in (f"{modules.prefix}.", f"{modules.root}/"):
        reason = reason.replace(hidden, "")
    return ModuleLoadError(
        f"{what} cannot be imported: {type(error).__name__}: {reason}",
        where=Location(path.relative_to(modules.root).as_posix(), line),
        snippet=caret(text, line, column),
        hint=_hint(error, modules),
    )


def _place(error: BaseException, modules: ProjectModules) -> tuple[Path, int, int] | None:
    """Return file, line and column of what is wrong in the project's own code."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_relative_to(modules.root):
        return Path(error.filename), error.lineno or 0, error.offset or 0
    # Generated code, such as a dataclass's __init__, runs in the module but stands in no file.
    own = [
        (Path(frame.f_code.co_filename), line, 0)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__")).startswith(modules.prefix)
        and Path(frame.f_code.co_filename).is_relative_to(modules.root)
    ]
    return own[-1] if own else None


def _hint(error: BaseException, modules: ProjectModules) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        meant = nearest(error.name, modules.names())
        file = f"{error.name.replace('.', '/')}.py"
        install = f"Install the package that provides it, or put {file} into the project."
        return f"Did you mean {meant!r}?" if meant else install
    if isinstance(error, SystemExit):
        return "A module must not exit when it is imported."
    return "Correct the module."
