"""What a frame must be to become a table, and the words in which one that cannot is refused.

Nothing here knows a frame library: an adapter hands over names and values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time

from flowforge_domain.dialect import Dialect, quote_name
from flowforge_domain.errors import ConfigError, EngineError, ErrorKind


class FrameError(EngineError):
    """A frame cannot be stored; its hint tells who writes Python what to do, and nobody else."""


def data_error(message: str, hint: str) -> FrameError:
    """Return the error for a frame that cannot be stored, or a table that cannot be a frame."""
    return FrameError(message, kind=ErrorKind.DATA, hint=hint)


def no_frame(
    value: object,
    expected: str = "a pandas DataFrame",
    hint: str = "Return a pandas DataFrame; a polars DataFrame or a pyarrow Table will do as well.",
) -> EngineError:
    """Return the error for what a model returned instead of a frame."""
    what = "None" if value is None else type(value).__name__
    return data_error(f"The model returned {what}, expected {expected}.", hint)


def require_columns(names: Iterable[str], dialect: Dialect, *, case_matters: bool = False) -> None:
    """Require at least one column, names that the engine can hold, and no two that are one to it."""
    seen: dict[str, str] = {}
    for name in names:
        _require_name(name, dialect)
        key = name if case_matters else name.casefold()
        if key in seen:
            folded = f"{seen[key]!r} and {name!r}; names in a table differ by more than case"
            twice = repr(name) if case_matters else folded
            raise data_error(f"The model returned a frame with two columns {twice}.", "Rename or drop one of them.")
        seen[key] = name
    if not seen:
        raise data_error("The model returned a frame without columns.", "Return at least one column.")


def _require_name(name: str, dialect: Dialect) -> None:
    try:
        name.encode()
        quote_name(name, dialect)
    except UnicodeEncodeError as error:
        raise _misnamed(f"the column {name!r}, which is no text: it holds half a character") from error
    except ConfigError as error:
        raise _misnamed(f"a column that cannot be. {error.message.removesuffix('.')}") from error


def _misnamed(what: str) -> EngineError:
    return data_error(f"The model returned a frame with {what}.", "Rename it, or drop it.")


def require_no_index(names: Sequence[object]) -> None:
    """Require that no level of a frame's index has a name: a table has no index, and its values would be lost."""
    named = [str(name) for name in names if name is not None]
    if named:
        raise data_error(
            f"The model returned a DataFrame whose index holds {', '.join(named)}; a table has no index.",
            "Return `frame.reset_index()` to keep it as a column, `frame.reset_index(drop=True)` to leave it out.",
        )


def unstorable(name: str, reason: str, engine: str = "") -> EngineError:
    """Return the error for a column whose values have no one type in the engine."""
    one_type = f"one type that {engine} has" if engine else "one type"
    return data_error(
        f"Column {name!r} cannot be stored: {reason}.",
        f"Give it {one_type}, e.g. `frame[{name!r}] = frame[{name!r}].astype('string')`.",
    )


def require_no_zoned_time(name: str, values: Iterable[object], engine: str) -> None:
    """Require that no time of day has a zone, also inside of lists and dicts: Arrow would drop it without a word."""
    if any(map(_has_zoned_time, values)):
        raise unstorable(name, "it holds times of day with a zone, which would be lost", engine)


def mixture(kinds: Iterable[str]) -> str:
    """Return the reason that `unstorable` gives for a column of several kinds of values."""
    return f"it mixes {' and '.join(sorted(kinds))}"


def kinds_of(values: Iterable[object]) -> set[str]:
    """Return the kinds of Python values in a column, without its NULLs; times with and without zone are two."""
    kinds: set[str] = set()
    # Of a type whose values are all of one kind, the first tells: columns have millions of them.
    settled: set[type] = set()
    for value in values:
        if type(value) not in settled:
            kinds.add(_kind(value))
            if not isinstance(value, datetime):
                settled.add(type(value))
    return kinds


def _has_zoned_time(value: object) -> bool:
    if isinstance(value, time):
        return value.tzinfo is not None
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return False
    return any(map(_has_zoned_time, value.values() if isinstance(value, Mapping) else value))


def _kind(value: object) -> str:
    if isinstance(value, datetime):
        return "datetime with zone" if value.tzinfo else "datetime"
    return "bytes" if isinstance(value, bytearray | memoryview) else type(value).__name__
