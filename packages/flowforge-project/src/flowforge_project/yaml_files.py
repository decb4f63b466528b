"""Strict YAML: plain values with the line of every key; duplicate keys, aliases and tags are errors.

Read from the parser's events with an explicit stack, so that no nesting can exhaust Python's. Scalars follow the core
schema of YAML 1.2: `yes`, `on`, `12:30`, `007` and dates are the texts they look like.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from flowforge_domain.errors import ConfigError
from flowforge_domain.text import Location, caret, line_of

Path = tuple[str | int, ...]

_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_MOST_VALUES = 1_000_000
_DEEPEST = 60
_TEXT_TAG = "tag:yaml.org,2002:str"
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,99})\Z")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?\Z")


@dataclass(frozen=True)
class YamlFile:
    """A file's values and, for the path of every key and item, the line it stands on; `text` is for messages."""

    name: str
    data: Any
    lines: Mapping[Path, int]
    text: str = ""

    def where(self, *path: str | int) -> Location:
        """Return the place of a key or item, or of the nearest one around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return Location(self.name, self.lines[path[:length]])
        return Location(self.name, 1)


def read_yaml(text: str, name: str, *, private: bool = False) -> YamlFile:
    """Return the content of a YAML text; an empty one is an empty mapping.

    Raises `ConfigError` naming the line of what is wrong; where the text is private, the message shows none of it.
    """
    shown = "" if private else text
    reader = _Reader(name, shown)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            reader.take(event)
    except yaml.YAMLError as error:
        # Chained, a private text would stand in the trace.
        raise _syntax_error(error, text, name, private) from (None if private else error)
    return YamlFile(name, {} if reader.root is None else reader.root, reader.lines, shown)


@dataclass
class _Open:
    """A mapping or list that is being read, and the key whose value comes next."""

    container: dict[str, Any] | list[Any]
    path: Path
    key: str | None = None


@dataclass
class _Reader:
    name: str
    text: str
    root: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    stack: list[_Open] = field(default_factory=list)
    count: int = 0

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self.scalar(event)
            case yaml.MappingStartEvent():
                self.open({}, event)
            case yaml.SequenceStartEvent():
                self.open([], event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.stack.pop()
            case yaml.AliasEvent():
                raise self.error("Aliases are not supported.", event, "Write the value itself here.")
            case yaml.DocumentStartEvent() if self.count:
                raise self.error("The file holds more than one document.", event, "Keep one.")

    def scalar(self, event: yaml.ScalarEvent) -> None:
        if event.tag not in (None, _TEXT_TAG):
            raise self.error("Tags are not supported.", event, "Remove the `!…`, or put the value in quotes.")
        if self.stack and isinstance(self.stack[-1].container, dict) and self.stack[-1].key is None:
            self.key(event)
        else:
            is_plain = event.implicit[0] and event.tag is None
            self.put(_plain(event.value) if is_plain else event.value, event)

    def key(self, event: yaml.ScalarEvent) -> None:
        """Take a key, which is always the text as it is written."""
        top, key = self.stack[-1], event.value
        if key == "<<" and event.implicit[0]:
            raise self.error("Merge keys are not supported.", event, "Write the values out.")
        if key in top.container:
            raise self.error(f"The key {key!r} stands twice.", event, "Remove one of them.")
        top.key = key
        self.lines[(*top.path, key)] = _start(event)[0]

    def open(self, container: dict[str, Any] | list[Any], event: yaml.CollectionStartEvent) -> None:
        if event.tag is not None:
            raise self.error("Tags are not supported.", event, "Remove the `!…`.")
        if len(self.stack) >= _DEEPEST:
            raise self.error("This is nested too deeply.", event, "Write it flatter.")
        if self.stack and isinstance(self.stack[-1].container, dict) and self.stack[-1].key is None:
            raise self.error("A key must be a text.", event, "Put `{{ … }}` in quotes, and a key as well.")
        self.stack.append(_Open(container, self.put(container, event)))

    def put(self, value: Any, event: yaml.Event) -> Path:
        """Add a value to what is open and return its path."""
        self.count += 1
        if self.count > _MOST_VALUES:
            raise self.error("The file is too large.", event, "Split it.")
        if not self.stack:
            self.root = value
            return ()
        top = self.stack[-1]
        if isinstance(top.container, list):
            path = (*top.path, len(top.container))
            self.lines[path] = _start(event)[0]
            top.container.append(value)
        else:
            path = (*top.path, top.key or "")
            top.container[top.key or ""] = value
            top.key = None
        return path

    def error(self, message: str, event: yaml.Event, hint: str) -> ConfigError:
        line, column = _start(event)
        shown = caret(self.text, line, column) if self.text else ""
        return ConfigError(message, where=Location(self.name, line), snippet=shown, hint=hint)


def _start(event: yaml.Event) -> tuple[int, int]:
    """Return the line and column on which an event begins."""
    return (event.start_mark.line + 1, event.start_mark.column + 1) if event.start_mark else (0, 0)


def _plain(text: str) -> Any:
    """Return the value that an unquoted scalar stands for."""
    if (word := text.lower()) in _WORDS:
        return _WORDS[word]
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text) and math.isfinite(value := float(text)):
        return value
    return text


def _syntax_error(error: yaml.YAMLError, text: str, name: str, private: bool) -> ConfigError:
    line, column = _place(error, text)
    reason = _reason(error)
    if private and "'" in re.sub(r"'[][{},:?-]'", "", reason):
        reason = re.sub(r"'.*'", "…", reason)
    has_tab = re.search(r"^ *\t", text, re.MULTILINE)
    return ConfigError(
        f"The YAML cannot be read: {reason}.",
        where=Location(name, line),
        snippet="" if private else caret(text, line, column),
        hint="Indent with spaces, not tabs." if has_tab else "Check indentation, colons and quotes.",
    )


def _reason(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        return "it holds a character that YAML does not allow"
    return getattr(error, "problem", None) or "it is not YAML"


def _place(error: yaml.YAMLError, text: str) -> tuple[int, int]:
    problem, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if problem is None:
        return line_of(text, int(getattr(error, "position", 0))), 0
    # What is never closed is noticed at the end, and mended where it begins.
    mark = context if context and problem.index >= len(text.rstrip()) else problem
    return mark.line + 1, mark.column + 1
