"""What a template may use up, so that a few characters can fill neither the memory nor the day.

Every loop, call, filter, operator and output pays out of one budget of steps, by the size of what it takes; whatever
makes much out of little is told what it would make before it makes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sized
from functools import wraps
from itertools import chain
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.compiler import CodeGenerator
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import SandboxedFormatter
from jinja2.utils import _PassArg

from flowforge_project.jinja_parts import only, parts_of

MOST_STEPS = 500_000
LONGEST = 1_000_000
WIDEST = 10_000
_LONG_NUMBER = 10_000  # bits
_CHARACTERS_A_STEP, _ITEMS_A_STEP = 200, 2
_STEPS_A_CALL = 5
_TIMES = {"sort": 3, "dictsort": 3, "unique": 3, "groupby": 6}

# Keys and names that no template can write, since they hold a space.
BUDGET = "the budget"
_COUNTED, _SIZED = "the items", "the size"

_SEQUENCES = (str, bytes, list, tuple, set, frozenset, dict, range)
_PERCENT = re.compile(r"%(?:\([^)]*\))?[-+ #0]*(\d*)(?:\.(\d*))?")
_WIDTHS = frozenset({"center", "ljust", "rjust", "zfill", "truncate", "batch", "slice", "round"})
_PER_LINE = frozenset({"indent", "wordwrap", "tojson"})


class Budget:
    """The steps that are left to one rendering."""

    def __init__(self, steps: int = MOST_STEPS) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Take steps; raise `OverflowError` when none are left."""
        self.left -= steps
        if self.left < 0:
            raise OverflowError(f"the template takes more than {MOST_STEPS:,} steps")


class BoundedCode(CodeGenerator):
    """Compiles templates whose loops, comparisons, slices and `~` pay for what they take."""

    def visit_Template(self, node: nodes.Template, frame: Any = None) -> None:  # noqa: N802 - Jinja's own name
        _bound(node)
        super().visit_Template(node, frame)


class BoundedFormatter(SandboxedFormatter):
    """Fulfils `str.format`: no wider and no longer than other texts are."""

    made = 0

    def format_field(self, value: Any, format_spec: str) -> Any:
        if any(int(number) > WIDEST for number in re.findall(r"\d+", format_spec)):
            raise _too_wide()
        text = super().format_field(value, format_spec)
        self.made += len(text)
        if self.made > LONGEST:
            raise _too_long()
        return text


def spend(context: Context, *values: Any, steps: int = 1, times: int = 1) -> None:
    """Pay for a step that takes these values; raise `OverflowError` for one that is too long."""
    prices = [_price(value) for value in values]
    budget = context.parent.get(BUDGET)
    if budget is not None:
        budget.spend(steps + sum(prices) * times)


@pass_context
def shown(context: Context, value: Any) -> Any:
    """Pay for an output."""
    spend(context, value)
    return value


def bounded_filters(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return filters or tests that pay for what they take, and those that bounded code calls."""
    return {name: _paying(name, function) for name, function in filters.items()} | {_COUNTED: _counted, _SIZED: _sized}


def bounded_call(context: Context, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """Pay for a call and return its positional arguments; raise `OverflowError` when it would make too much."""
    args = tuple(_limited(context, arg) for arg in args)
    owner = getattr(function, "__self__", None)
    spend(context, *args, *kwargs.values(), *[owner] * isinstance(owner, _SEQUENCES), steps=_STEPS_A_CALL)
    if isinstance(owner, str | bytes):
        return _checked(function.__name__, owner, args, kwargs)[1]
    if isinstance(function, LoopContext) and args:
        return (_counted(context, args[0], 1), *args[1:])
    return args


def require_small(operator: str, left: Any, right: Any) -> None:
    """Raise `OverflowError` for arithmetic whose result would be too large."""
    if operator == "**" and not (abs(left) < LONGEST and abs(right) < 100):
        raise OverflowError("the power is too large")
    if operator == "%" and isinstance(left, str):
        _require_narrow(left, right)
    if operator == "*":
        for value, times in ((left, right), (right, left)):
            if isinstance(value, str | list | tuple) and isinstance(times, int) and _size(value) * times > LONGEST:
                raise OverflowError("the repetition is too long")
        if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > _LONG_NUMBER:
            raise OverflowError("the number is too large")


def _paying(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter or test that pays; what Jinja passes to the plain one is passed on."""
    passed = _PassArg.from_obj(function)

    @wraps(function)
    def paying(context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
        value, args = _limited(context, value), tuple(_limited(context, arg) for arg in args)
        spend(context, value, *args, *kwargs.values(), times=_TIMES.get(name, 1))
        value, args = _checked(name, value, args, kwargs)
        match passed:
            case _PassArg.context:
                return function(context, value, *args, **kwargs)
            case _PassArg.eval_context:
                return function(context.eval_ctx, value, *args, **kwargs)
            case _PassArg.environment:
                return function(context.environment, value, *args, **kwargs)
        return function(value, *args, **kwargs)

    return pass_context(paying)


def _checked(name: str, value: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, tuple[Any, ...]]:
    """Return a call's value and arguments, as lists where they must be counted first.

    Raises `OverflowError` for a filter or method that would make too much of them.
    """
    given = [*args, *kwargs.values()]
    numbers = [abs(number) for number in given if isinstance(number, int)]
    if name in _WIDTHS and max(numbers, default=0) > WIDEST:
        raise _too_wide()
    if name in _PER_LINE:
        texts = [len(text) for text in given if isinstance(text, str)]
        _require_length(_size(value) * max([*numbers, *texts], default=0))
    elif name == "format":
        _require_narrow(str(value), args or kwargs)
    elif name == "replace" and len(given) > 1:
        _require_length(len(str(value)) + str(value).count(str(given[0])) * len(str(given[1])))
    elif name == "join" and given:
        value, joined = _joined(value, given[0])
        args = (joined, *args[1:]) if args else args
    elif name == "sum" and not all(isinstance(start, int | float | str) for start in given[-1:]):
        raise OverflowError("a sum starts with a number")
    return value, args


def _joined(value: Any, first: Any) -> tuple[Any, Any]:
    """Return both sides of a join, of which one is the text in between; what is counted is a list then."""
    value, first = (list(side) if isinstance(side, Iterator) else side for side in (value, first))
    if isinstance(value, Sized) and isinstance(first, Sized):
        _require_length(len(value) * len(first))
    return value, first


def _require_narrow(text: str, given: Any) -> None:
    """Raise `OverflowError` when `text % given` pads too far, or names something long again and again."""
    widths = [int(number) for found in _PERCENT.findall(text) for number in found if number]
    values = [*given.values()] if isinstance(given, Mapping) else [*given] if isinstance(given, tuple) else [given]
    if "*" in text:
        widths += [abs(value) for value in values if isinstance(value, int)]
    if max(widths, default=0) > WIDEST:
        raise _too_wide()
    if isinstance(given, Mapping) or (values and isinstance(values[0], Mapping)):
        _require_length(text.count("%") * _size(given))


def _require_length(length: int) -> None:
    if length > LONGEST:
        raise _too_long()


def _size(value: Any) -> int:
    """Return how many characters and items a value holds; raise `OverflowError` when they are too many."""
    return sum(_measure(value))


def _price(value: Any) -> int:
    characters, items = _measure(value)
    return characters // _CHARACTERS_A_STEP + items // _ITEMS_A_STEP


def _measure(value: Any) -> tuple[int, int]:
    """Return how many characters and items a value holds; raise `OverflowError` when they are too many."""
    if isinstance(value, str | bytes):
        _require_length(len(value))
        return len(value), 1
    characters, items, rest = 0, 1, [value]
    while rest:
        item = rest.pop()
        if isinstance(item, str | bytes):
            characters += len(item)
        elif isinstance(item, _SEQUENCES):
            items += len(item)
            if items <= LONGEST and not isinstance(item, range):
                rest.extend(chain(item, item.values()) if isinstance(item, dict) else item)
        _require_length(characters + items)
    return characters, items


def _limited(context: Context, value: Any) -> Any:
    """Return an iterator that pays and ends with an error when it has given too much; anything else as it is."""
    if not isinstance(value, Iterator) or isinstance(value, LoopContext):
        return value
    return _paid(value, context.parent.get(BUDGET) or Budget(), 1)


@pass_context
def _counted(context: Context, items: Any, weight: int) -> Any:
    """Pay for each item of a loop, as much as its body is worth."""
    budget = context.parent.get(BUDGET)
    if budget is None:
        return items
    if isinstance(items, Sized):
        budget.spend(len(items) * weight)
        return items
    return _paid(items, budget, weight) if isinstance(items, Iterator) else items


def _paid(items: Iterator[Any], budget: Budget, weight: int) -> Iterator[Any]:
    total = 0
    for item in items:
        budget.spend(weight + _price(item))
        total += 1 + _size(item)
        _require_length(total)
        yield item


@pass_context
def _sized(context: Context, value: Any) -> Any:
    value = _limited(context, value)
    spend(context, value)
    return value


def _bound(tree: nodes.Template) -> None:
    """Put what counts and measures into a template's syntax tree."""
    parts = parts_of(tree)
    for loop in only(parts, nodes.For):
        text = sum(len(data.data) for data in loop.find_all(nodes.TemplateData))
        weight = nodes.Const(1 + text // _CHARACTERS_A_STEP, lineno=loop.lineno)
        loop.iter = _filtered(loop.iter, _COUNTED, [weight])
    for concat in only(parts, nodes.Concat):
        concat.nodes = [_filtered(part, _SIZED) for part in concat.nodes]
    for compare in only(parts, nodes.Compare):
        compare.expr = _filtered(compare.expr, _SIZED)
        for operand in compare.ops:
            operand.expr = _filtered(operand.expr, _SIZED)
    for item in only(parts, nodes.Getitem):
        if isinstance(item.arg, nodes.Slice):
            item.node = _filtered(item.node, _SIZED)


def _filtered(node: Any, name: str, args: list[nodes.Expr] | None = None) -> nodes.Expr:
    if isinstance(node, nodes.Const):
        return node
    wrapped = nodes.Filter(node, name, args or [], [], None, None, lineno=node.lineno)
    wrapped.set_environment(node.environment)
    return wrapped


def _too_long() -> OverflowError:
    return OverflowError("a text or list is too long")


def _too_wide() -> OverflowError:
    return OverflowError(f"the width is too large: at most {WIDEST:,}")
