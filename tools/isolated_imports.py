"""Import every module of every package while only the dependencies it declares can be imported.

Two looks: the imports as written, lazy ones too, against what the package itself declares; and the modules as they
load, in a process that sees the standard library and the transitive closure of those declarations.
`python tools/isolated_imports.py [ROOT]`
"""

from __future__ import annotations

import ast
import importlib
import importlib.metadata as metadata
import json
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from inspect import getmodulename
from itertools import chain
from pathlib import Path

CHILD = "--child"


@dataclass(frozen=True)
class Package:
    """One workspace member as its pyproject.toml describes it."""

    folder: Path
    name: str
    requires: list[str]
    extras: list[str]

    @classmethod
    def read(cls, pyproject: Path) -> Package:
        project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
        extras = project.get("optional-dependencies", {}).values()
        return cls(pyproject.parent, project["name"], project.get("dependencies", []), list(chain(*extras)))

    @property
    def source(self) -> Path:
        return self.folder / "src"

    def modules(self) -> Iterator[tuple[str, Path]]:
        for path in sorted(self.source.rglob("*.py")):
            parts = path.relative_to(self.source).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def main(argv: list[str]) -> int:
    if argv[:1] == [CHILD]:
        return child()
    root = Path(argv[0]) if argv else Path(__file__).resolve().parent.parent
    failures = check(root)
    print("\n".join(failures) or "Isolated imports: every package imports with what it declares alone.")
    return 1 if failures else 0


def check(root: Path) -> list[str]:
    """Return one line per undeclared import; raise SystemExit where there are no packages."""
    packages = {p.name: p for p in map(Package.read, sorted(root.glob("packages/*/pyproject.toml")))}
    if not packages:
        raise SystemExit(f"isolated_imports: no packages under {root / 'packages'}")
    provided = modules_by_distribution(packages)
    with ThreadPoolExecutor(2) as pool:
        loaded = pool.map(lambda p: load(p, packages, provided), packages.values())
        written = [line for p in packages.values() for line in undeclared(p, root, provided)]
        return written + [line for lines in loaded for line in lines]


def modules_by_distribution(packages: Mapping[str, Package]) -> dict[str, set[str]]:
    """Return the top-level modules of each distribution; the workspace's own from its folders."""
    provided: dict[str, set[str]] = defaultdict(set)
    for distribution in metadata.distributions():
        # Not metadata.packages_distributions(): on Python 3.11 it overlooks a top-level extension module.
        tops = {file.parts[0] for file in distribution.files or ()}
        provided[normalized(distribution.name)] |= {getmodulename(top) or top for top in tops}
    for package in packages.values():
        provided[package.name] = {path.name for path in package.source.iterdir() if path.is_dir()}
    return provided


def undeclared(package: Package, root: Path, provided: Mapping[str, set[str]]) -> Iterator[str]:
    """Compare imports as written with the package's own declarations, extras included: lazy imports count too."""
    names = {required_name(line) for line in package.requires + package.extras}
    allowed = set(sys.stdlib_module_names).union(provided[package.name], *(provided[n] for n in names))
    for _, path in package.modules():
        for line, module in imports(path):
            if module not in allowed:
                where = path.relative_to(root).as_posix()
                yield f"{where}:{line} imports {module!r}, which {package.name} does not declare"


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module.partition(".")[0]


def distributions_behind(name: str, packages: Mapping[str, Package]) -> set[str]:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting += map(required_name, requirements(current, packages))
    return seen


def requirements(name: str, packages: Mapping[str, Package]) -> list[str]:
    """Return a distribution's own requirements without extras; nothing for one that is not needed on this platform."""
    if name in packages:
        return packages[name].requires
    try:
        lines = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []
    return [line for line in lines if "extra ==" not in line]


def required_name(requirement: str) -> str:
    letters = requirement.strip()
    end = next((i for i, c in enumerate(letters) if not (c.isalnum() or c in "-_.")), len(letters))
    return normalized(letters[:end])


def normalized(name: str) -> str:
    return name.replace("_", "-").replace(".", "-").lower()


def load(package: Package, packages: Mapping[str, Package], provided: Mapping[str, set[str]]) -> list[str]:
    """Import the package's modules in a process of their own and return what went wrong there."""
    closure = distributions_behind(package.name, packages)
    task = {
        "package": package.name,
        "modules": [name for name, _ in package.modules()],
        "allowed": sorted(set(sys.stdlib_module_names).union(*(provided[name] for name in closure))),
        # Named outright, so that a tree that is not installed can be checked too.
        "path": [str(packages[name].source) for name in sorted(closure & packages.keys())],
    }
    command = [sys.executable, "-I", __file__, CHILD]
    answer = subprocess.run(command, input=json.dumps(task), capture_output=True, text=True, check=False)
    if answer.returncode == 0:
        return []
    return answer.stdout.splitlines() or [f"{package.name}: {answer.stderr.strip().splitlines()[-1]}"]


def child() -> int:
    task = json.loads(sys.stdin.read())
    sys.path[:0] = task["path"]
    sys.meta_path.insert(0, Fence(task["allowed"]))
    failures = list(filter(None, (attempt(module) for module in task["modules"])))
    print("\n".join(f"{failure} (loading {task['package']} alone)" for failure in failures))
    return 1 if failures else 0


def attempt(module: str) -> str | None:
    try:
        importlib.import_module(module)
    except ImportError as error:
        return f"{innermost(error)}: {error}"
    return None


def innermost(error: ImportError) -> str:
    """Return file:line of the import statement that failed, past the import machinery's own frames."""
    trace, place = error.__traceback__, "?"
    while trace:
        file = trace.tb_frame.f_code.co_filename
        if file != __file__ and not file.startswith("<") and "importlib" not in Path(file).parts:
            place = f"{file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


class Fence:
    """A finder that finds nothing, and forbids every top-level module outside the list."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = frozenset(allowed)

    def find_spec(self, name: str, *_path_and_target: object) -> ModuleSpec | None:
        top = name.partition(".")[0]
        if top in self.allowed or top.startswith(("_sysconfigdata", "__")):
            return None
        raise ModuleNotFoundError(f"No module named {name!r} among the declared dependencies", name=name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
