"""Strict YAML: plain values with the line of every key; duplicate keys, bombs and foreign tags are errors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from flowforge_domain.errors import ConfigError
from flowforge_domain.text import Location, caret

Path = tuple[str | int, ...]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MOST_VALUES = 200_000
_DEEPEST = 60


@dataclass(frozen=True)
class YamlFile:
    """A file's values and, for the path of every key and item, the line it stands on."""

    name: str
    data: Any
    lines: Mapping[Path, int]

    def where(self, *path: str | int) -> Location:
        """Return the place of a key or item, or of the nearest one around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return Location(self.name, self.lines[path[:length]])
        return Location(self.name, 1)


def read_yaml(text: str, name: str) -> YamlFile:
    """Return the content of a YAML text; an empty one is an empty mapping.

    Raises `ConfigError` naming the line of what is wrong.
    """
    _require_shallow(text, name)
    loader = _LOADER(text)
    try:
        root = loader.get_single_node()
        reader = _Reader(name, text, loader, {})
        return YamlFile(name, {} if root is None else reader.value(root, ()), reader.lines)
    except (yaml.YAMLError, ValueError) as error:
        raise _syntax_error(error, text, name) from error
    finally:
        loader.dispose()


@dataclass
class _Reader:
    name: str
    text: str
    loader: Any
    lines: dict[Path, int]
    count: int = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.count += 1
        if self.count > _MOST_VALUES or len(path) > _DEEPEST:
            raise self.error("The file is too large or too deep.", node, "Split it, and use fewer aliases.")
        if isinstance(node, yaml.MappingNode):
            return {key: self.value(child, (*path, key)) for key, child in self.pairs(node, path)}
        if isinstance(node, yaml.SequenceNode):
            self.lines |= {(*path, i): child.start_mark.line + 1 for i, child in enumerate(node.value)}
            return [self.value(child, (*path, i)) for i, child in enumerate(node.value)]
        return self.scalar(node)

    def pairs(self, node: yaml.MappingNode, path: Path) -> list[tuple[str, yaml.Node]]:
        seen: dict[str, yaml.Node] = {}
        for key_node, child in node.value:
            key = self.scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else key_node
            if not isinstance(key, str):
                raise self.error("A key must be a text.", key_node, "Put the key in quotes.")
            if key in seen:
                raise self.error(f"The key {key!r} stands twice.", key_node, "Remove one of them.")
            seen[key] = child
            self.lines[(*path, key)] = key_node.start_mark.line + 1
        return list(seen.items())

    def scalar(self, node: yaml.Node) -> Any:
        if not node.tag.startswith("tag:yaml.org,2002:"):
            raise self.error(f"The tag {node.tag!r} is not allowed.", node, "Remove the tag.")
        value = self.loader.construct_object(node)
        # Dates stay the text they were: SQL and JSON both read them so.
        return node.value if isinstance(value, dt.date | bytes) else value

    def error(self, message: str, node: yaml.Node, hint: str) -> ConfigError:
        mark = node.start_mark
        return ConfigError(
            message,
            where=Location(self.name, mark.line + 1),
            snippet=caret(self.text, mark.line + 1, mark.column + 1),
            hint=hint,
        )


def _require_shallow(text: str, name: str) -> None:
    """Refuse nesting that would exhaust the parser's stack before it could be counted."""
    depth = deepest = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    widest = max((len(line) - len(line.lstrip(" -")) for line in text.splitlines()), default=0)
    if deepest > 10 * _DEEPEST or widest > 40 * _DEEPEST:
        raise ConfigError("The file is nested too deeply.", where=Location(name), hint="Write it flatter.")


def _syntax_error(error: Exception, text: str, name: str) -> ConfigError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    reason = getattr(error, "problem", None) or str(error).splitlines()[0]
    return ConfigError(
        f"The YAML cannot be read: {reason}.",
        where=Location(name, line),
        snippet=caret(text, line, column),
        hint="Check indentation, colons and quotes.",
    )
