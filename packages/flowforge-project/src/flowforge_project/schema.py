"""The format of `project.yml`, `sources.yml` and the YAML beside models, as pydantic models.

Unknown keys are errors everywhere but below `meta` and `vars`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError, model_validator

from flowforge_domain.checks import RULES
from flowforge_domain.errors import ConfigError
from flowforge_domain.text import Location, did_you_mean
from flowforge_project.yaml_files import YamlFile


class FaultError(ValueError):
    """What is wrong with an entry, and one fix; `key` is the key it is about, if it is about one."""

    def __init__(self, message: str, hint: str, key: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.key = key


class Strict(BaseModel):
    """Refuses unknown keys with the nearest valid one."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        require_known(data, cls.model_fields)
        return data


def require_known(data: Any, known: Iterable[str]) -> None:
    """Raise `FaultError` for the first key of a mapping that is not known."""
    for key in data if isinstance(data, dict) else ():
        if key not in known:
            raise FaultError(f"Unknown key {key!r}.", did_you_mean(str(key), known), key)


class ColumnEntry(Strict):
    """One column of a model."""

    description: str = ""
    data_type: str = ""
    tags: list[str] = []
    meta: dict[str, Any] = {}


class ModelEntry(Strict):
    """Settings of a model, or defaults for several."""

    materialized: Literal["table", "view"] = "table"
    description: str = ""
    owner: str = ""
    tags: list[str] = []
    meta: dict[str, Any] = {}
    columns: dict[str, ColumnEntry] = {}


class SeedEntry(Strict):
    """How a seed file is read."""

    column_types: dict[str, str] = {}
    delimiter: str = ""
    quote: str = ""
    null: str = ""
    encoding: str = "utf-8"
    description: str = ""


class CheckEntry(Strict):
    """One data-quality test."""

    type: str
    table: str
    column: str = ""
    tags: list[str] = []
    threshold: float | int | None = None
    min: int | None = None
    max: int | None = None
    max_delay_minutes: float | int | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _fits_rule(self) -> CheckEntry:
        rule = RULES.get(self.type)
        if rule is None:
            raise FaultError(f"There is no test {self.type!r}.", did_you_mean(self.type, RULES))
        if rule.needs_column != bool(self.column):
            wanted = "needs" if rule.needs_column else "takes no"
            raise FaultError(f"The test {self.type!r} {wanted} `column`.", "Correct the entry.")
        given = {key for key in ("threshold", "min", "max", "max_delay_minutes") if getattr(self, key) is not None}
        for key in sorted(given.difference(rule.parameters)):
            raise FaultError(
                f"The test {self.type!r} takes no {key!r}.", f"Takes: {', '.join(rule.parameters) or 'none'}."
            )
        for key in rule.required:
            if key not in given:
                raise FaultError(f"The test {self.type!r} needs {key!r}.", f"Add {key}: …")
        return self


class ProjectEntry(Strict):
    """`project.yml`."""

    name: str = ""
    description: str = ""
    vars: dict[str, Any] = {}
    defaults: ModelEntry = ModelEntry()
    folders: dict[str, ModelEntry] = {}
    models: dict[str, ModelEntry] = {}
    seeds: dict[str, SeedEntry] = {}
    tests: list[CheckEntry] = []


class ModelsEntry(Strict):
    """A `*.yml` beside models."""

    models: dict[str, ModelEntry] = {}
    tests: list[CheckEntry] = []


class SourceEntry(Strict):
    """One table of a source."""

    identifier: str = ""
    schema_: str = Field("", alias="schema")
    description: str = ""

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        require_known(data, ("identifier", "schema", "description"))
        return data


class SourcesEntry(RootModel[dict[str, dict[str, SourceEntry]]]):
    """`sources.yml`: group, table, settings."""


FORMATS: Mapping[str, type[BaseModel]] = {"project": ProjectEntry, "models": ModelsEntry, "sources": SourcesEntry}


def check_file(entry: type[BaseModel], file: YamlFile) -> dict[str, Any]:
    """Return a file's checked content, only what is set.

    Raises `ConfigError` with file, line and the nearest valid key.
    """
    try:
        checked: dict[str, Any] = entry.model_validate(file.data).model_dump(exclude_unset=True, by_alias=True)
        return checked
    except ValidationError as error:
        raise _config_error(error, file) from error


def check_settings(settings: Mapping[str, Any], file: str) -> dict[str, Any]:
    """Return checked settings of `config(...)` or `@model(...)`.

    Raises `ConfigError` with the nearest valid name.
    """
    plain = {key: list(value) if isinstance(value, tuple | set) else value for key, value in settings.items()}
    return check_file(ModelEntry, YamlFile(file, plain, {}))


def _config_error(error: ValidationError, file: YamlFile) -> ConfigError:
    first = error.errors(include_url=False)[0]
    path = tuple(part for part in first["loc"] if part != "[key]")
    fault = first.get("ctx", {}).get("error")
    if isinstance(fault, FaultError):
        message, hint, path = str(fault), fault.hint, (*path, *filter(None, [fault.key]))
    else:
        name = next((part for part in reversed(path) if isinstance(part, str)), "the file")
        message, hint = f"{name!r}: {first['msg']}.", "Correct the value."
    return ConfigError(message, where=file.where(*path) if file.lines else Location(file.name), hint=hint)
