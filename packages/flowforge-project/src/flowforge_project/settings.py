"""Model settings from all their places: in-file over model YAML over folder over project; tags append, meta merges."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flowforge_domain.config import BUILT_IN, KINDS_WITH, ColumnConfig, ModelConfig, config_faults
from flowforge_domain.errors import ConfigError
from flowforge_domain.model import node_name
from flowforge_domain.secret import is_secret_name
from flowforge_domain.text import Location, did_you_mean
from flowforge_project.cache import ParseCache
from flowforge_project.env_text import EnvTextError, Target, filled, is_template, names_read
from flowforge_project.facts import ModelFacts
from flowforge_project.folder import ProjectFile, decode

Layer = Mapping[str, Any]
Placed = tuple[Layer, Location]

NAMES = ("schema", "alias")
"""The settings that the environment may fill in."""
Fill = Callable[[str, Location], str]
"""Returns a name with what the environment says of it; raises `ConfigError` with its place."""


@dataclass(frozen=True)
class CheckedYaml:
    """A YAML file that keeps to its format: its content, and the lines of its entries."""

    name: str
    data: Mapping[str, Any]
    lines: Mapping[str, int]

    def where(self, *path: str | int) -> Location:
        """Return the place of an entry, or of the nearest one around it: one text stands for a list of it."""
        around = (self.lines.get(_joined(path[:length])) for length in range(len(path), 0, -1))
        return Location(self.name, next(filter(None, around), 1))


@dataclass(frozen=True)
class Settings:
    """All layers below a model's own file: project defaults, folders by path below `models/`, models by name."""

    defaults: Layer
    folders: Mapping[str, Placed]
    models: Mapping[str, Placed]
    where: Location
    fill: Fill

    @classmethod
    def of(cls, project: CheckedYaml, beside: Sequence[CheckedYaml], fill: Fill) -> Settings:
        """Gather the layers; raise `ConfigError` when two places speak of one model or folder."""
        models: dict[str, Placed] = {}
        for file in (project, *beside):
            for spelling, entry in file.data.get("models", {}).items():
                _place(models, "Model", node_name(spelling), entry, file.where("models", spelling))
        folders: dict[str, Placed] = {}
        for path, entry in project.data.get("folders", {}).items():
            _place(folders, "Folder", path.strip("/"), entry, project.where("folders", path))
        return cls(project.data.get("defaults", {}), folders, models, project.where("defaults"), fill)

    def model(self, name: str, file: str, facts: ModelFacts, known: Collection[str]) -> ModelConfig:
        """Return the settings of the model `name` in `file`, of which `facts` are what its text says, as written.

        What is said for a folder or the project counts where the text can follow it. Raises `ConfigError` for settings
        that contradict the text or each other, and for a materialization that is not one of `known`.
        """
        named, _ = self.models.get(name, ({}, None))
        self._require_fitting(name, file, facts)
        config = _merged([x for x in (self.defaults, *self._folder_layers(file), named, facts.settings) if x])
        if not facts.can_be(config.materialized):
            config = replace(config, materialized=facts.form)
        if config.materialized not in known:
            hint = did_you_mean(config.materialized, known) or f"Choose one of {', '.join(known)}."
            place = self.place("materialized", name, file, facts)
            raise ConfigError(f"There is no materialization {config.materialized!r}.", where=place, hint=hint)
        self._require_meaning([*named, *facts.settings], config.materialized, name, file, facts)
        for key, message, hint in config_faults(config):
            where = self.place(key, name, file, facts)
            raise ConfigError(f"Model {name!r}: {message}", where=where, hint=hint)
        return config

    def place(self, key: str, name: str, file: str, facts: ModelFacts) -> Location:
        """Return where the setting `key` of a model comes from."""
        if key in facts.settings:
            return Location(file, facts.setting_lines.get(key, 0))
        folders = [self.folders[path] for path in reversed(folders_of(file)) if path in self.folders]
        placed = [self.models.get(name, ({}, self.where)), *folders]
        return next((where for layer, where in placed if key in layer), self.where)

    def filled(self, config: ModelConfig, name: str, file: str, facts: ModelFacts) -> ModelConfig:
        """Return settings of a model with what the environment says of its names; raise `ConfigError` with the line."""
        if not (is_template(config.schema) or is_template(config.alias)):
            return config
        texts = ((getattr(config, key), self.place(key, name, file, facts)) for key in NAMES)
        schema, alias = (self.fill(text, where) for text, where in texts)
        return replace(config, schema=schema, alias=alias)

    def _require_meaning(self, keys: Iterable[str], kind: str, name: str, file: str, facts: ModelFacts) -> None:
        """Raise `ConfigError` for a setting of this model alone that its materialization would not look at."""
        for key in keys:
            kinds = KINDS_WITH.get(key, BUILT_IN)
            if kind in BUILT_IN and kind not in kinds:
                message = f"Model {name!r} is materialized as {kind!r}, to which `{key}` means nothing."
                hint = f"Set `materialized` to {' or '.join(kinds)}, or drop `{key}`."
                raise ConfigError(message, where=self.place(key, name, file, facts), hint=hint)

    def _require_fitting(self, name: str, file: str, facts: ModelFacts) -> None:
        """Raise `ConfigError` where the model's own entry contradicts its text."""
        named, where = self.models.get(name, ({}, None))
        if not facts.can_be(named.get("materialized", facts.form)):
            message, hint = f"Model {name!r} is a {facts.form}: {file} says so.", "Drop `materialized` here."
            raise ConfigError(message, where=where, hint=hint)
        for key in NAMES:
            if facts.creates and key in named:
                message = f"Model {name!r} writes {facts.creates[1]}: {file} says so."
                raise ConfigError(message, where=where, hint=f"Drop `{key}` here.")

    def require_known(self, names: Iterable[str], files: Iterable[str]) -> None:
        """Raise `ConfigError` for settings of a model or folder that does not exist."""
        names = set(names)
        for name, (_, where) in self.models.items():
            if name not in names:
                raise ConfigError(
                    f"There is no model {name!r}.", where=where, hint=did_you_mean(name, names) or "Remove the entry."
                )
        if self.folders:
            known = {parent for file in files for parent in folders_of(file)}
            for path, (_, where) in self.folders.items():
                if path not in known:
                    hint = (
                        did_you_mean(path.removeprefix("models/"), known) or "Name a folder by its path below models/."
                    )
                    raise ConfigError(f"There are no models in {path!r}.", where=where, hint=hint)

    def _folder_layers(self, file: str) -> list[Layer]:
        return [self.folders[path][0] for path in folders_of(file) if path in self.folders] if self.folders else []


def in_environment(environment: Mapping[str, str], target: Target, text: str, where: Location) -> str:
    """Return a name with `env_var()` and `target` filled in.

    Raises `ConfigError` with its place, also for a secret, since names are shown.
    """
    if secret := next(filter(is_secret_name, names_read(text)), ""):
        raise ConfigError(
            f"env_var({secret!r}) looks like a secret, and names are shown and stored.",
            where=where,
            hint="Use secrets in profiles.yml only.",
        )
    try:
        return filled(text, environment, target)
    except EnvTextError as error:
        raise ConfigError(error.message, where=where, hint=error.fix) from None


def read_checked(file: ProjectFile, kind: str, cache: ParseCache) -> CheckedYaml:
    """Return a YAML file of kind `project`, `models` or `sources`; a missing one is empty.

    Raises `ConfigError` with file, line and the nearest valid key.
    """
    if not file.path.exists():
        return CheckedYaml(file.name, {}, {})
    content = file.read()
    stored = cache.get(kind.encode(), content, lambda: _parse(content, file.name, kind))
    return CheckedYaml(file.name, stored["data"], stored["lines"])


def _parse(content: bytes, name: str, kind: str) -> dict[str, Any]:
    from flowforge_project import schema
    from flowforge_project.yaml_files import read_yaml

    file = read_yaml(decode(content, name), name)
    data = schema.check_file(schema.FORMATS[kind], file)
    lines = {_joined(path): line for path, line in file.lines.items() if len(path) < 3 or path[0] == "seeds"}
    return {"data": data, "lines": lines}


def _place(places: dict[str, Placed], what: str, name: str, layer: Layer, where: Location) -> None:
    if name in places:
        raise ConfigError(f"{what} {name!r} has settings here and in {places[name][1]}.", where=where, hint="Keep one.")
    places[name] = (layer, where)


def _joined(path: Sequence[str | int]) -> str:
    return "\0".join(map(str, path))


def folders_of(file: str) -> list[str]:
    """Return the folders a model lies in, outermost first, as paths below `models/`."""
    parts = file.split("/")[1:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


_PLAIN = ModelConfig()


def _merged(layers: Sequence[Layer]) -> ModelConfig:
    if not layers:
        return _PLAIN
    merged = _flat(layers)
    if "columns" in merged:
        columns: dict[str, list[Layer]] = {}
        for layer in layers:
            for name, column in layer.get("columns", {}).items():
                columns.setdefault(name, []).append(column)
        merged["columns"] = {name: ColumnConfig(**_flat(entries)) for name, entries in columns.items()}
    return ModelConfig(**merged)


def _flat(layers: Sequence[Layer]) -> dict[str, Any]:
    """Merge layers: the last word on each key counts, but tags add up, and so do the keys of `meta`."""
    flat: dict[str, Any] = {}
    for layer in layers:
        flat |= {key: tuple(value) if isinstance(value, list) else value for key, value in layer.items()}
    if "tags" in flat:
        flat["tags"] = tuple(dict.fromkeys(tag for layer in layers for tag in layer.get("tags", ())))
    if "meta" in flat:
        flat["meta"] = {key: value for layer in layers for key, value in layer.get("meta", {}).items()}
    return flat
