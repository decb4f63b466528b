"""What a Python model runs: its file and every module of the project that it imports, read and never imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from flowforge_domain.model import Node
from flowforge_ports.project import Code
from flowforge_project.folder import ProjectFile
from flowforge_project.modules import ProjectModules
from flowforge_project.python_proof import unproved
from flowforge_project.set_order import shown_order


def python_code(node: Node, root: Path) -> Code:
    """Return the code of a model in the project folder `root`.

    Raises `ConfigError` for a file that cannot be read; one that is no Python, or nested too deeply, is taken as text.
    """
    modules = ProjectModules(root)
    texts: dict[str, str] = {}
    trees: dict[str, ast.Module] = {}
    volatile = ""
    package = ".".join(node.path.relative_to(root).parts[:-1])
    waiting = [(node.path, package)]
    while waiting:
        path, package = waiting.pop()
        name = path.relative_to(root).as_posix()
        if name in texts:
            continue
        text = ProjectFile(str(path), name).text()
        tree, meaning = _read(text)
        volatile = volatile or unproved(tree, name, partial(_foreign, modules))
        if tree:
            trees[name] = tree
            waiting.extend(_imported(tree, package, modules))
        texts[name] = meaning
    volatile = volatile or shown_order(trees)
    return Code("\n".join(f"{name}\n{texts[name]}" for name in sorted(texts)), volatile, texts)


def _read(text: str) -> tuple[ast.Module | None, str]:
    """Return code and its meaning; the text alone where it is no Python, or nested too deeply to be written again."""
    try:
        tree = ast.parse(text)
        return tree, _meaning(tree, text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None, text


def _meaning(tree: ast.Module, text: str) -> str:
    """Return code without comments, layout and docstrings, which may say anything; for no code at all the text."""
    for place in ast.walk(tree):
        match place:
            case ast.Module(body=[ast.Expr(value=ast.Constant(value=str())), *rest]):
                place.body = rest
            case (
                ast.FunctionDef(body=[ast.Expr(value=ast.Constant(value=str())), *rest])
                | ast.AsyncFunctionDef(body=[ast.Expr(value=ast.Constant(value=str())), *rest])
                | ast.ClassDef(body=[ast.Expr(value=ast.Constant(value=str())), *rest])
            ):
                place.body = rest or [ast.Pass()]
    return ast.unparse(tree) if tree.body else text


def _imported(tree: ast.Module, package: str, modules: ProjectModules) -> Iterator[tuple[Path, str]]:
    """Yield the files of the project's modules that a file imports, each with the package that it is in."""
    for place in ast.walk(tree):
        for dotted in _dotted(place, package):
            parts = dotted.split(".")
            for end in range(1, len(parts) + 1):
                found = modules.find(".".join(parts[:end]))
                if found is not None and found.is_file():
                    inside = parts[:end] if found.name == "__init__.py" else parts[: end - 1]
                    yield found, ".".join(inside)


def _foreign(modules: ProjectModules, place: ast.AST) -> Iterator[str]:
    """Yield the modules that are imported and are not of the project."""
    match place:
        case ast.Import(names=names):
            wanted = [alias.name for alias in names]
        case ast.ImportFrom(module=str(module), level=0):
            wanted = [module]
        case _:
            wanted = []
    yield from (name for name in wanted if modules.find(name.partition(".")[0]) is None)


def _dotted(place: ast.AST, package: str) -> Iterator[str]:
    match place:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            above = package.split(".") if package else []
            base = [*above[: len(above) - level + 1], *filter(None, [module])] if level else [module or ""]
            yield from (".".join([*base, alias.name]) for alias in names)
