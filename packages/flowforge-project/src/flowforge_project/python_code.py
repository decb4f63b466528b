"""What a Python model runs: its file and every module of the project that it imports, read and never imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from flowforge_domain.model import Node
from flowforge_ports.project import Code
from flowforge_project.folder import ProjectFile
from flowforge_project.modules import ProjectModules
from flowforge_project.python_proof import unproved
from flowforge_project.scan_python import marked
from flowforge_project.set_order import shown_order

_DOCSTRING = "__doc__"


def python_code(node: Node, root: Path) -> Code:
    """Return the code of a model in the project folder `root`.

    Raises `ConfigError` for a file that cannot be read; one that is no Python, or nested too deeply, is taken as text.
    """
    modules = ProjectModules(root)
    read: dict[str, str] = {}
    trees: dict[str, ast.Module] = {}
    package = ".".join(node.path.relative_to(root).parts[:-1])
    waiting = [(node.path, package)]
    while waiting:
        path, package = waiting.pop()
        name = path.relative_to(root).as_posix()
        if name in read:
            continue
        read[name] = ProjectFile(str(path), name).text()
        if tree := _parsed(read[name]):
            trees[name] = tree
            waiting.extend(_imported(tree, package, modules))
    # Code that asks for docstrings may do so wherever they stand.
    told = any(_DOCSTRING in text for text in read.values())
    texts = {name: _meaning(trees[name], text, told) if name in trees else text for name, text in read.items()}
    found = (unproved(trees.get(name), name, partial(_foreign, modules)) for name in read)
    volatile = next(filter(None, found), "") or shown_order(trees)
    whole = "\n".join(f"{name}\n{texts[name]}" for name in sorted(texts))
    own = node.path.relative_to(root).as_posix()
    if node.config.is_replaced:
        return Code(whole, "", volatile, texts)
    making = _making(trees[own], node.lines.get("")) if own in trees else texts[own]
    others = (f"{name}\n{texts[name]}" for name in sorted(texts) if name != own)
    return Code(whole, "\n".join([making, *others]), volatile, texts)


def _parsed(text: str) -> ast.Module | None:
    """Return code, None where it is no Python, or nested too deeply to be written again."""
    try:
        tree = ast.parse(text)
        ast.unparse(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tree


def _meaning(tree: ast.Module, text: str, told: bool) -> str:
    """Return code without comments and layout, for no code the text; docstrings go from `tree` unless they are told."""
    for place in () if told else ast.walk(tree):
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


def _making(tree: ast.Module, line: int | None) -> str:
    """Return what of a model's file makes the rows of the one that is marked in `line`; the rest goes from `tree`.

    That is what `@model(...)` says, which is compared as settings, how the function and the types of its parameters are
    called, and models and imports that nothing else in the file names.
    """
    others = {}
    for place, mark in list(marked(tree)):
        place.decorator_list.remove(mark)
        if place.decorator_list or not isinstance(place, ast.FunctionDef):
            continue
        if mark.lineno != line:
            others[place.name] = place
            continue
        place.name, place.returns = "_", None
        for parameter in ast.walk(place.args):
            if isinstance(parameter, ast.arg):
                parameter.annotation = None
    unused = [others[name] for name in others.keys() - _named_in(tree)]
    tree.body = [place for place in tree.body if place not in unused]
    named = _named_in(tree)
    imports = [place for place in tree.body if isinstance(place, ast.Import | ast.ImportFrom)]
    for one in imports:
        one.names = [alias for alias in one.names if _binds(alias) in named]
    empty = [one for one in imports if not one.names]
    tree.body = [place for place in tree.body if place not in empty]
    return ast.unparse(tree)


def _named_in(tree: ast.Module) -> set[str]:
    return {"*", *(place.id for place in ast.walk(tree) if isinstance(place, ast.Name))}


def _binds(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _imported(tree: ast.Module, package: str, modules: ProjectModules) -> Iterator[tuple[Path, str]]:
    """Yield the files of the project's modules that a file imports, each with the package that it is in."""
    bound = _bound(tree, package)
    for place in ast.walk(tree):
        for dotted in (*_dotted(place, package), *_named(place, bound)):
            parts = dotted.split(".")
            for end in range(1, len(parts) + 1):
                found = modules.find(".".join(parts[:end]))
                if found is not None and found.is_file():
                    inside = parts[:end] if found.name == "__init__.py" else parts[: end - 1]
                    yield found, ".".join(inside)


def _bound(tree: ast.Module, package: str) -> dict[str, str]:
    """Return what each name is that a file imports, dotted; `import a.b` binds `a`."""
    found = {}
    for place in ast.walk(tree):
        if isinstance(place, ast.Import | ast.ImportFrom):
            for alias, dotted in zip(place.names, _dotted(place, package), strict=True):
                whole = isinstance(place, ast.ImportFrom) or alias.asname
                found[_binds(alias)] = dotted if whole else dotted.partition(".")[0]
    return found


def _named(place: ast.AST, bound: Mapping[str, str]) -> Iterator[str]:
    """Yield what an attribute of something that is imported may be: `a.b`, where `a` is a package."""
    parts: list[str] = []
    while isinstance(place, ast.Attribute):
        parts.append(place.attr)
        place = place.value
    if parts and isinstance(place, ast.Name) and place.id in bound:
        yield ".".join([bound[place.id], *reversed(parts)])


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
