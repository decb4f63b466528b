"""Fulfils `FunctionLoader`: imports a Python model when it is about to run, and nothing before.

Modules of a project live under a private prefix of their own, so that two projects in one process may each have a
`helpers.py`; inside a project `import helpers` finds the project's. Source is compiled afresh, never taken from
`__pycache__`, whose one-second time stamps can be stale.
"""

from __future__ import annotations

import builtins
import importlib
import linecache
import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

from flowforge_domain.errors import ModuleLoadError
from flowforge_domain.model import ModelSpec, Node
from flowforge_domain.text import Location, caret


@dataclass(frozen=True, eq=False)
class ModuleFunctions:
    """Loads the functions of one project's Python models."""

    root: Path
    prefix: str = field(default_factory=lambda: f"_flowforge_{uuid4().hex}")

    def __post_init__(self) -> None:
        # A long-lived process loads a project many times: what no one can reach any more must go.
        weakref.finalize(self, _forget, self.prefix)

    def function(self, node: Node) -> Callable[..., Any]:
        """Return the node's function; raise `ModuleLoadError` when it cannot be imported or is not what was read."""
        name = f"{self.prefix}.model_{node.path.stem.replace('.', '_')}_{abs(hash(node.path))}"
        module = sys.modules.get(name) or self._import(name, node)
        for value in vars(module).values():
            spec = getattr(value, "__flowforge_model__", None)
            if isinstance(spec, ModelSpec) and (spec.name or node.name) == node.name:
                _require_as_read(spec, node)
                return value  # type: ignore[no-any-return]
        raise ModuleLoadError(
            f"The module has no function marked for model {node.name!r}.", where=node.where(), hint="Check @model."
        )

    def _import(self, name: str, node: Node) -> ModuleType:
        package = ".".join([self.prefix, *node.path.relative_to(self.root).parts[:-1]])
        try:
            return self._execute(name, node.path, package)
        except (Exception, SystemExit) as error:
            raise _import_error(error, node, self.root) from error

    def _execute(self, name: str, path: Path, package: str) -> ModuleType:
        """Run a module's source with an `import` that looks into the project first."""
        module = ModuleType(name)
        module.__file__ = str(path)
        module.__package__ = package
        if package == name:
            module.__path__ = [str(path.parent)]
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._importer()}
        linecache.checkcache(str(path))
        sys.modules[name] = module
        try:
            source = path.read_bytes() if path.exists() else b""
            exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - models are code
        except BaseException:
            del sys.modules[name]
            raise
        return module

    def _importer(self) -> Callable[..., ModuleType]:
        def import_(
            name: str,
            globals: Mapping[str, Any] | None = None,  # noqa: A002 - the builtin's own names
            locals: Mapping[str, Any] | None = None,  # noqa: A002
            fromlist: Sequence[str] | None = (),
            level: int = 0,
        ) -> ModuleType:
            if level == 0 and self._find(name.partition(".")[0]) is None:
                return importlib.__import__(name, globals, locals, fromlist or (), level)
            full = name if level == 0 else _absolute(name, globals or {}, level, self.prefix)
            return self._project_module(full, fromlist)

        return import_

    def _project_module(self, name: str, fromlist: Sequence[str] | None) -> ModuleType:
        """Return what an `import` statement binds: the first module of a dotted name, or the last for `from`."""
        parts = name.split(".") if name else []
        modules = [self._load(".".join(parts[: i + 1])) for i in range(len(parts))]
        if not fromlist:
            return modules[0]
        for attribute in fromlist:
            inner = ".".join([*parts, attribute])
            if (not modules or not hasattr(modules[-1], attribute)) and self._find(inner) is not None:
                module = self._load(inner)
                if modules:
                    setattr(modules[-1], attribute, module)
        return modules[-1] if modules else _namespace({a: self._load(a) for a in fromlist})

    def _load(self, dotted: str) -> ModuleType:
        full = f"{self.prefix}.{dotted}"
        if full in sys.modules:
            return sys.modules[full]
        path = self._find(dotted)
        if path is None:
            raise ModuleNotFoundError(f"No module named {dotted!r} in the project", name=dotted)
        module = self._execute(full, path, full if path.name == "__init__.py" else full.rpartition(".")[0])
        parent, _, leaf = dotted.rpartition(".")
        if parent:
            setattr(self._load(parent), leaf, module)
        return module

    def _find(self, dotted: str) -> Path | None:
        """Return the file of a project module, looked for in the project's folder, then in `models/`."""
        for base in (self.root, self.root / "models"):
            place = base.joinpath(*dotted.split("."))
            if (place / "__init__.py").is_file() or (place.is_dir() and any(place.glob("*.py"))):
                return place / "__init__.py"
            if place.with_suffix(".py").is_file():
                return place.with_suffix(".py")
        return None


def _forget(prefix: str) -> None:
    for name in [name for name in sys.modules if name.startswith(prefix)]:
        sys.modules.pop(name, None)


def _absolute(name: str, importing: Mapping[str, Any], level: int, prefix: str) -> str:
    """Return the name below the project of a relative import."""
    package = str(importing.get("__package__") or prefix).split(".")[1:]
    kept = package[: len(package) - (level - 1)] if level > 1 else package
    return ".".join([*kept, *filter(None, [name])])


def _namespace(members: Mapping[str, ModuleType]) -> ModuleType:
    module = ModuleType("project")
    vars(module).update(members)
    return module


def _require_as_read(spec: ModelSpec, node: Node) -> None:
    """Refuse a function whose marker, when run, is not what its text said: the graph would be wrong."""
    said = (tuple(node.deps), node.sources, {k: frozenset(v) for k, v in node.requires.items()})
    if (tuple(dict.fromkeys(spec.deps)), tuple(dict.fromkeys(spec.sources)), dict(spec.requires)) != said:
        raise ModuleLoadError(
            f"The @model of {node.name!r} says something else when it runs than its text does.",
            where=node.where(),
            hint="Use the decorator from flowforge, once, with literal arguments.",
        )


def _import_error(error: BaseException, node: Node, root: Path) -> ModuleLoadError:
    line, file, text = 0, node.file, ""
    traceback = error.__traceback__
    while traceback is not None:
        path = Path(traceback.tb_frame.f_code.co_filename)
        if path.is_relative_to(root):
            line, file = traceback.tb_lineno, path.relative_to(root).as_posix()
            text = path.read_text("utf-8", "replace") if path.is_file() else ""
        traceback = traceback.tb_next
    hint = "Correct the module."
    if isinstance(error, ModuleNotFoundError):
        hint = f"Install it (pip install {error.name}), or put {error.name}.py into the project."
    return ModuleLoadError(
        f"Model {node.name!r} cannot be imported: {type(error).__name__}: {error}",
        where=Location(file, line),
        snippet=caret(text, line),
        hint=hint,
    )
