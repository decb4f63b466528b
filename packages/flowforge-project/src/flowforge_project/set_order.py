"""Sets in the code of a Python model: their order is another one in each process, since the hash of a text is.

Code that only asks a set what it holds gives the same all the same. Whatever else is done with one may show its order.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence

from flowforge_project.scan_python import called, is_named

Trees = Mapping[str, ast.Module]
Parents = Mapping[ast.AST, ast.AST]
Holder = ast.Name | ast.Attribute
_SETS = frozenset({"set", "frozenset"})
# Of these the order of what they are given does not count, unless a key makes some of it equal.
_BLIND = _SETS | {"sorted", "len", "min", "max", "any", "all", "bool", "isinstance", "isin"}
_ASKING = frozenset({
    "add", "clear", "discard", "remove", "update", "isdisjoint", "issubset", "issuperset",
    "difference_update", "intersection_update", "symmetric_difference_update",
})  # fmt: skip
_GIVING = frozenset({"copy", "difference", "intersection", "symmetric_difference", "union"})


def shown_order(trees: Trees) -> str:
    """Return a set in a model's files whose order may decide what it gives, with its place; "" where none does."""
    waiting = [(file, place) for file, tree in trees.items() for place in _sets(tree)]
    if not waiting:
        return ""
    code = _Code(trees)
    known: set[ast.AST] = set()
    while waiting:
        file, place = waiting.pop()
        holders = _holders(place, code.parents)
        if holders is None:
            return f"the order of a set ({file}:{getattr(place, 'lineno', 0)})"
        for read in (read for one in holders for read in code.reads(one)):
            if read[1] not in known:
                known.add(read[1])
                waiting.append(read)
    return ""


class _Code:
    """What stands in which part of a model's files, and where names are read."""

    def __init__(self, trees: Trees) -> None:
        self.parents: dict[ast.AST, ast.AST] = {}
        self._read: dict[str, list[tuple[str, ast.AST]]] = {}
        self._also: dict[str, set[str]] = {}
        for file, tree in trees.items():
            for place in ast.walk(tree):
                self.parents |= dict.fromkeys(ast.iter_child_nodes(place), place)
                match place:
                    case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                        self._read.setdefault(name, []).append((file, place))
                    case ast.alias(name=name, asname=str(other)):
                        self._also.setdefault(name, {name}).add(other)

    def reads(self, holder: Holder) -> Iterator[tuple[str, ast.AST]]:
        """Yield where what holds a set is read: a function's own name in it, any other one wherever it may be meant."""
        name = holder.id if isinstance(holder, ast.Name) else holder.attr
        scope = self._scope(holder)
        if isinstance(holder, ast.Name) and isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            found = self._read.get(name, ())
            yield from (read for read in found if isinstance(read[1], ast.Name) and self._is_in(read[1], scope))
        else:
            yield from (read for one in self._also.get(name, {name}) for read in self._read.get(one, ()))

    def _scope(self, place: ast.AST) -> ast.AST:
        while place in self.parents:
            place = self.parents[place]
            if isinstance(place, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                break
        return place

    def _is_in(self, place: ast.AST, scope: ast.AST) -> bool:
        while place in self.parents and place is not scope:
            place = self.parents[place]
        return place is scope


def _sets(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what makes a set, but for what `@model` is told, which says what is read."""
    names, views = called(tree, "model"), _kept_views(tree)
    waiting: list[ast.AST] = [tree]
    while waiting:
        place = waiting.pop()
        match place:
            case ast.Call(func=func) if is_named(func, "model", names):
                continue
            case ast.Set() | ast.SetComp() | ast.Call(func=ast.Name(id="set" | "frozenset")):
                yield place
            case ast.Name(id="set" | "frozenset", ctx=ast.Load()):
                # Handed on, as in `map(set, …)`, or asked for what it has, as in `set.union(…)`.
                yield place
            case ast.BinOp(op=ast.BitOr() | ast.BitAnd() | ast.BitXor() | ast.Sub(), left=one, right=other) if _is_view(
                one, views
            ) or _is_view(other, views):
                yield place
        waiting.extend(reversed(list(_parts(place))))


def _parts(place: ast.AST) -> Iterator[ast.AST]:
    """Yield what stands in a part of code, but for types, which make nothing."""
    match place:
        case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[first, *_]):
            yield first
        case ast.Call(func=ast.Name(id="set" | "frozenset"), args=args, keywords=keywords):
            yield from (*args, *keywords)
        case _:
            types = [getattr(place, part, None) for part in ("annotation", "returns")]
            yield from (part for part in ast.iter_child_nodes(place) if part not in types)


def _kept_views(tree: ast.Module) -> set[str]:
    """Return the names that hold the keys or the items of a dict, which are sets where one is cut with another."""
    given = (place for place in ast.walk(tree) if isinstance(place, ast.Assign) and _is_view(place.value))
    return {target.id for place in given for target in place.targets if isinstance(target, ast.Name)}


def _is_view(place: ast.AST, names: Collection[str] = ()) -> bool:
    match place:
        case ast.Call(func=ast.Attribute(attr="keys" | "items"), args=[]):
            return True
        case ast.Name(id=name):
            return name in names
    return False


def _holders(place: ast.AST, parents: Parents) -> Sequence[Holder] | None:
    """Return what is given a set to keep, None where its order may be shown."""
    use = parents[place]
    match use:
        case ast.Compare() | ast.Expr() | ast.UnaryOp(op=ast.Not()):
            return ()
        case ast.If() | ast.While() | ast.Assert() | ast.IfExp() if use.test is place:
            return ()
        case ast.BoolOp() | ast.BinOp(op=ast.BitOr() | ast.BitAnd() | ast.BitXor() | ast.Sub()) | ast.IfExp():
            return _holders(use, parents)
        case ast.Assign(targets=targets):
            return _kept_by(targets)
        case ast.AnnAssign(target=target) | ast.AugAssign(op=ast.BitOr() | ast.BitAnd() | ast.Sub(), target=target):
            return _kept_by([target])
        case ast.Attribute(attr=method) | ast.Call(func=ast.Attribute(attr=method)) if method in _ASKING | _GIVING:
            call = parents[use] if isinstance(use, ast.Attribute) else use
            return _holders(call, parents) if method in _GIVING else ()
        case ast.comprehension() if use.iter is place:
            made = parents[use]
            return () if isinstance(made, ast.SetComp) or _is_blind(parents[made]) else None
    return () if isinstance(use, ast.comprehension) or _is_blind(use) else None


def _is_blind(use: ast.AST) -> bool:
    if not isinstance(use, ast.Call) or any(word.arg != "reverse" for word in use.keywords):
        return False
    return (use.func.id if isinstance(use.func, ast.Name) else getattr(use.func, "attr", "")) in _BLIND


def _kept_by(targets: Sequence[ast.expr]) -> Sequence[Holder] | None:
    holders = [target for target in targets if isinstance(target, Holder)]
    return holders if len(holders) == len(targets) else None
