"""Model settings from all their places: in-file over model YAML over folder over project; tags append, meta merges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowforge_domain.errors import ConfigError
from flowforge_domain.model import ColumnConfig, ModelConfig, node_name
from flowforge_domain.text import Location, did_you_mean
from flowforge_project.cache import ParseCache
from flowforge_project.folder import ProjectFile, decode

Layer = Mapping[str, Any]


@dataclass(frozen=True)
class CheckedYaml:
    """A YAML file that keeps to its format: its content, and the lines of its entries."""

    name: str
    data: Mapping[str, Any]
    lines: Mapping[str, int]

    def where(self, *path: str | int) -> Location:
        """Return the place of an entry."""
        return Location(self.name, self.lines.get(_joined(path), 1))


@dataclass(frozen=True)
class Settings:
    """All layers below a model's own file: project defaults, folders by path below `models/`, models by name."""

    defaults: Layer
    folders: Mapping[str, Layer]
    models: Mapping[str, tuple[Layer, Location]]
    folder_places: Mapping[str, Location]

    @classmethod
    def of(cls, project: CheckedYaml, beside: Sequence[CheckedYaml]) -> Settings:
        """Gather the layers; raise `ConfigError` when two files speak of one model."""
        models: dict[str, tuple[Layer, Location]] = {}
        for file in (project, *beside):
            for spelling, entry in file.data.get("models", {}).items():
                name, where = node_name(spelling), file.where("models", spelling)
                if name in models:
                    raise ConfigError(
                        f"Model {name!r} has settings here and in {models[name][1]}.", where=where, hint="Keep one."
                    )
                models[name] = (entry, where)
        folders = {path.strip("/"): layer for path, layer in project.data.get("folders", {}).items()}
        places = {path.strip("/"): project.where("folders", path) for path in project.data.get("folders", {})}
        return cls(project.data.get("defaults", {}), folders, models, places)

    def model(self, name: str, file: str, own: Layer) -> ModelConfig:
        """Return the settings of the model `name` in `file`, whose own settings are `own`."""
        named = self.models[name][0] if name in self.models else {}
        layers = [self.defaults, *self._folder_layers(file), named, own]
        return _merged([layer for layer in layers if layer])

    def require_known(self, names: Iterable[str], files: Iterable[str]) -> None:
        """Raise `ConfigError` for settings of a model or folder that does not exist."""
        names = set(names)
        for name, (_, where) in self.models.items():
            if name not in names:
                raise ConfigError(f"There is no model {name!r}.", where=where, hint=did_you_mean(name, names))
        if self.folders:
            known = {parent for file in files for parent in _folders(file)}
            for path, where in self.folder_places.items():
                if path not in known:
                    raise ConfigError(f"There are no models in {path!r}.", where=where, hint=did_you_mean(path, known))

    def _folder_layers(self, file: str) -> list[Layer]:
        return [self.folders[folder] for folder in _folders(file) if folder in self.folders] if self.folders else []


def read_checked(file: ProjectFile, kind: str, cache: ParseCache) -> CheckedYaml:
    """Return a YAML file of kind `project`, `models` or `sources`; a missing one is empty.

    Raises `ConfigError` with file, line and the nearest valid key.
    """
    if not file.path.exists():
        return CheckedYaml(file.name, {}, {})
    content = file.read()
    stored = cache.get(kind, content, lambda: _parse(content, file.name, kind))
    return CheckedYaml(file.name, stored["data"], stored["lines"])


def _parse(content: bytes, name: str, kind: str) -> dict[str, Any]:
    from flowforge_project import schema
    from flowforge_project.yaml_files import read_yaml

    file = read_yaml(decode(content, name), name)
    data = schema.check_file(schema.FORMATS[kind], file)
    return {"data": data, "lines": {_joined(path): line for path, line in file.lines.items() if len(path) < 3}}


def _joined(path: Sequence[str | int]) -> str:
    return "\0".join(map(str, path))


def _folders(file: str) -> list[str]:
    """Return the folders a model lies in, outermost first, as paths below `models/`."""
    parts = file.split("/")[1:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


_PLAIN = ModelConfig()


def _merged(layers: Sequence[Layer]) -> ModelConfig:
    if not layers:
        return _PLAIN
    merged: dict[str, Any] = {}
    for layer in layers:
        merged |= {key: value for key, value in layer.items() if key not in ("tags", "meta", "columns")}
    return ModelConfig(
        **merged,
        tags=tuple(dict.fromkeys(tag for layer in layers for tag in layer.get("tags", ()))),
        meta={key: value for layer in layers for key, value in layer.get("meta", {}).items()},
        columns={
            name: ColumnConfig(**{**column, "tags": tuple(column.get("tags", ()))})
            for layer in layers
            for name, column in layer.get("columns", {}).items()
        },
    )
