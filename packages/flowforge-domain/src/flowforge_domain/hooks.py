"""Hooks: what runs before and after a model or a run, as SQL or as a Python function."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from flowforge_domain.dialect import Dialect
from flowforge_domain.sql_scan import squeezed
from flowforge_domain.text import Location

if TYPE_CHECKING:
    from flowforge_domain.results import ModelResult

Function = TypeVar("Function", bound=Callable[..., Any])
RUN_HOOKS = ("on_run_start", "on_run_end")
MODEL_HOOKS = ("pre_hook", "post_hook")
RUN_NAMES = ("run_id", "results")
"""What the SQL of a hook of a run can read besides."""
# Of extensions of DuckDB and databases beside its own, too; Hive's `load data` fills a table.
_LEAVES_DATA = re.compile(
    r"""(?:analyze|comment|grant|revoke|vacuum|install|load(?!\s+data\b)|attach
    |create\ (?:or\ replace\ )?(?:(?:persistent\ |temporary\ )?secret|index|unique\ index|schema))\b""",
    re.IGNORECASE | re.VERBOSE,
)
_DEFINES = re.compile(r"(?:alter|create|drop)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook: `text` is a SQL template, or empty where `function` names a function of the file at `where`.

    `macros` are those that its SQL may reach, on any engine, `variables` those that it reads, "" for a computed name.
    """

    when: str
    text: str
    where: Location
    function: str = ""
    macros: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()

    def title(self, model: str = "") -> str:
        """Return how messages call it; `model` is the one that it belongs to, "" for a run."""
        return f"{self.when} of {model} ({self.where})" if model else f"{self.when} ({self.where})"


@dataclass(frozen=True, slots=True)
class HookContext:
    """What a Python hook is called with; `results` are those of the models, and empty before they run.

    `target` has the profile's name, its engine and, where that has one, its schema.
    """

    run_id: str
    target: Mapping[str, str]
    models: tuple[str, ...]
    results: tuple[ModelResult, ...] = ()


def hook(when: str) -> Callable[[Function], Function]:
    """Mark a function of `hooks/*.py` that runs once before all models ("on_run_start") or after ("on_run_end").

    It is called with a `HookContext`. Raises `TypeError` for another word.
    """
    if when not in RUN_HOOKS:
        raise TypeError(f'write @hook("on_run_start") or @hook("on_run_end"), not {when!r}')

    def mark(function: Function) -> Function:
        function.__flowforge_hook__ = when  # type: ignore[attr-defined]
        return function

    return mark


def may_change_rows(sql: str, dialect: Dialect) -> bool:
    """Tell whether a hook's statement may change how many rows a table has; a function or procedure may do anything."""
    return not (leaves_data(sql, dialect) or squeezed(sql, dialect).casefold().startswith("alter "))


def leaves_data(sql: str, dialect: Dialect) -> bool:
    """Tell whether a hook's statement is of a kind that changes no data, whatever else it says."""
    return bool(_LEAVES_DATA.match(squeezed(sql, dialect)))


def defines(sql: str, dialect: Dialect) -> bool:
    """Tell whether a hook's statement is about tables and views themselves: it writes nothing through a view."""
    return bool(_DEFINES.match(squeezed(sql, dialect)))


def result_facts(result: ModelResult) -> dict[str, Any]:
    """Return what the SQL of an `on_run_end` hook sees of a model's result."""
    return {
        "name": result.name,
        "relation": result.relation,
        "status": result.status.value,
        "rows": result.rows,
        "seconds": result.seconds,
    }
