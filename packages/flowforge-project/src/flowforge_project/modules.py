"""The modules of one project, imported under a private prefix.

So two projects in one process may each have a `helpers.py`; inside a project `import helpers` finds the project's, in
its folder or in `models/`. Source is compiled afresh, never taken from `__pycache__`, whose time stamps can be stale.
"""

from __future__ import annotations

import builtins
import importlib.util
import linecache
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any
from uuid import uuid4


class ProjectModules:
    """Imports the files of the project in folder `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.prefix = f"_flowforge_{uuid4().hex}"
        # Two threads may run models that import one module: the second must not see it half done.
        self._lock = RLock()

    def model(self, path: Path) -> ModuleType:
        """Return the module of a model's file."""
        folders = path.relative_to(self.root).parts[:-1]
        package = ".".join([self.prefix, *folders])
        name = f"{package}.{path.name.removesuffix('.py').replace('.', '_')}"
        with self._lock:
            return sys.modules.get(name) or self._execute(name, path, package)

    def names(self) -> set[str]:
        """Return the names that an `import` finds in the project, dotted below a package."""
        bases = (self.root, self.root / "models")
        files = {file.relative_to(base) for base in bases for file in base.glob("*.py")}
        files |= {file.relative_to(base) for base in bases for file in base.glob("*/*.py")}
        modules = (file.with_suffix("").parts for file in files if not file.name.endswith(".ff.py"))
        return {".".join(parts[:-1] if parts[-1] == "__init__" else parts) for parts in modules}

    def loaded(self) -> list[ModuleType]:
        """Return what is imported of the project."""
        return [module for name in self._names() if (module := sys.modules.get(name))]

    def find(self, dotted: str) -> Path | None:
        """Return the file of a project's module, or the folder of a package without `__init__.py`; None for neither."""
        places = [base.joinpath(*dotted.split(".")) for base in (self.root, self.root / "models")]
        for place in places:
            for path in (place / "__init__.py", place.with_name(f"{place.name}.py")):
                if path.is_file():
                    return path
        folders = [place for place in places if place.is_dir() and _holds_modules(place)]
        # As everywhere in Python, such a folder never hides a library: models/duckdb/ is no `import duckdb`.
        return folders[0] if folders and ("." in dotted or not _is_installed(dotted)) else None

    def forget(self) -> None:
        """Take every module of this project out of `sys.modules`."""
        for name in self._names():
            sys.modules.pop(name, None)

    def _names(self) -> list[str]:
        # Not `items()`: its pairs may set off the garbage collector, and that another project's `forget`, in between.
        return [name for name in list(sys.modules) if name.startswith(self.prefix)]

    def _execute(self, name: str, path: Path, package: str) -> ModuleType:
        """Run a file's source, or nothing for a folder, as a module whose `import` looks into the project first."""
        module = ModuleType(name)
        module.__package__ = package
        if package == name:
            module.__path__ = [str(path if path.is_dir() else path.parent)]
        source = b""
        if path.is_file():
            source = path.read_bytes()
            module.__file__ = str(path)
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._importer()}
        linecache.cache.pop(str(path), None)
        sys.modules[name] = module
        try:
            exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - models are code
        except BaseException:
            sys.modules.pop(name, None)
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
            if level == 0 and self.find(name.partition(".")[0]) is None:
                return builtins.__import__(name, globals, locals, fromlist or (), level)
            package = str((globals or {}).get("__package__") or self.prefix)
            with self._lock:
                return self._bound(name if level == 0 else _absolute(name, package, level), fromlist)

        return import_

    def _bound(self, dotted: str, fromlist: Sequence[str] | None) -> ModuleType:
        """Return what an `import` statement binds: the first module of a dotted name, or the last for `from`."""
        parts = dotted.split(".") if dotted else []
        modules = [self._load(".".join(parts[: i + 1])) for i in range(len(parts))]
        if not fromlist:
            return modules[0]
        last = modules[-1] if modules else ModuleType(self.prefix)
        names = getattr(last, "__all__", ()) if "*" in fromlist else fromlist
        for name in names:
            inner = ".".join([*parts, name])
            if not hasattr(last, name) and self.find(inner) is not None:
                setattr(last, name, self._load(inner))
        return last

    def _load(self, dotted: str) -> ModuleType:
        full = f"{self.prefix}.{dotted}"
        if full in sys.modules:
            return sys.modules[full]
        path = self.find(dotted)
        if path is None:
            raise ModuleNotFoundError(f"No module named {dotted!r} in the project", name=dotted)
        is_package = path.is_dir() or path.name == "__init__.py"
        module = self._execute(full, path, full if is_package else full.rpartition(".")[0])
        parent, _, leaf = dotted.rpartition(".")
        if parent:
            setattr(self._load(parent), leaf, module)
        return module


def _holds_modules(folder: Path) -> bool:
    return any(not path.name.endswith(".ff.py") for path in folder.rglob("*.py"))


def _is_installed(name: str) -> bool:
    return name in sys.modules or importlib.util.find_spec(name) is not None


def _absolute(name: str, package: str, level: int) -> str:
    """Return the name below the project of a relative import."""
    parents = package.split(".")[1:]
    if level > len(parents) + 1:
        raise ImportError("attempted relative import beyond the project's folder")
    return ".".join([*parents[: len(parents) - level + 1], *filter(None, [name])])
