"""Where a model's settings stand: looked up when somebody asks, so that loading a project need not carry it along."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flowforge_domain.model import Node, node_name
from flowforge_domain.text import Location
from flowforge_ports.project import SettingPlace
from flowforge_project.folder import ProjectFile, decode
from flowforge_project.scan import scan_model
from flowforge_project.settings import folders_of
from flowforge_project.yaml_files import YamlFile, read_yaml

_ADD_UP = ("tags", "meta", "columns")
_CREATES = re.compile(r"^[ \t]*create\b", re.IGNORECASE | re.MULTILINE)

Found = tuple[str, Any, SettingPlace]


def setting_places(node: Node, project: ProjectFile, beside: Sequence[ProjectFile]) -> dict[str, list[SettingPlace]]:
    """Return where each of a model's settings comes from: the place that won, or all where values add up.

    `beside` are the files of YAML below `models/`. Raises `FlowForgeError` when a file cannot be read.
    """
    places: dict[str, list[SettingPlace]] = {}
    won: dict[str, Any] = {}
    for key, value, place in _layers(node, project, beside):
        places[key] = [*places.get(key, ()), place] if key in _ADD_UP else [place]
        won[key] = value
    if won.get("materialized", "table") != node.config.materialized:
        # What is said for several models counts only where the text can follow it.
        places["materialized"] = [_place_of_text(node)]
    return places


def _layers(node: Node, project: ProjectFile, beside: Sequence[ProjectFile]) -> Iterator[Found]:
    """Yield every setting that concerns a model, and its place, the nearest last."""
    file = _read(project) if project.path.exists() else YamlFile(project.name, {}, {})
    yield from _said(file, ("defaults",), "defaults")
    folders = {path.strip("/"): path for path in _section(file, "folders")}
    for folder in folders_of(node.file):
        if folder in folders:
            yield from _said(file, ("folders", folders[folder]), f"models/{folder}")
    # A file that does not hold the name has no entry for it, and need not be parsed.
    named = [_read(each) for each in beside if node.name.encode() in each.read()]
    for each in (file, *named):
        for spelling in _section(each, "models"):
            if node_name(spelling) == node.name:
                yield from _said(each, ("models", spelling))
    yield from _own(node)


def _own(node: Node) -> Iterator[Found]:
    file = ProjectFile(str(node.path), node.file)
    for facts in scan_model(file, file.read()):
        if (facts.name or node_name(node.path.name)) == node.name:
            for key, value in facts.settings.items():
                yield key, value, SettingPlace(Location(node.file, facts.setting_lines.get(key, 0)))


def _place_of_text(node: Node) -> SettingPlace:
    text = ProjectFile(str(node.path), node.file).text()
    creates = _CREATES.search(text)
    line = text.count("\n", 0, creates.start()) + 1 if creates and node.kind == "sql" else node.where().line
    return SettingPlace(Location(node.file, line))


def _read(file: ProjectFile) -> YamlFile:
    return read_yaml(decode(file.read(), file.name), file.name)


def _said(file: YamlFile, path: tuple[str, ...], of: str = "") -> Iterator[Found]:
    entry: Any = file.data
    for part in path:
        entry = entry.get(part) or {}
    for key, value in entry.items():
        if value is not None:
            yield key, value, SettingPlace(file.where(*path, key), of)


def _section(file: YamlFile, name: str) -> Mapping[str, Any]:
    return file.data.get(name) or {}
