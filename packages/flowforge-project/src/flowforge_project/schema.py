"""The format of `project.yml`, `sources.yml` and the YAML beside models, as pydantic models.

Unknown keys are errors everywhere but below `meta` and `vars`; a section that is left empty is as good as none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    RootModel,
    ValidationError,
    model_validator,
)

from flowforge_domain.checks import RULES, Severity
from flowforge_domain.config import HardDeletes, OnSchemaChange, SnapshotStrategy, Strategy
from flowforge_domain.ddl import expression_fault
from flowforge_domain.errors import ConfigError
from flowforge_domain.seed_text import ENCODINGS, codec_name
from flowforge_domain.selectors import SELECTOR_NAME
from flowforge_domain.text import Location, caret_below, did_you_mean
from flowforge_project.yaml_files import YamlFile

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


_MOST_MORE = 5
# Where nothing must not be taken for the default: a merge would become an append.
_NEVER_NOTHING = {"unique_key"}


class FaultError(ValueError):
    """What is wrong with an entry, and one fix; `key` is the key it is about, if it is about one."""

    def __init__(self, message: str, hint: str, key: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.key = key


class Strict(BaseModel):
    """Refuses unknown keys with the nearest valid one."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return {} if data is None else data
        known = [field.alias or name for name, field in cls.model_fields.items()]
        for key in data:
            if key not in known:
                raise FaultError(f"Unknown key {key!r}.", did_you_mean(key, known), key)
        return {key: value for key, value in data.items() if value is not None or key in _NEVER_NOTHING}


class ColumnEntry(Strict):
    """One column of a model."""

    description: str = ""
    data_type: str = ""
    tags: list[str] = []
    meta: dict[str, JsonValue] = {}


def _listed(value: Any) -> Any:
    """One text stands for a list of it."""
    return [value] if isinstance(value, str) else value


def _listed_columns(value: Any) -> Any:
    """`all` means all columns, which is what no names mean."""
    return [] if value == "all" else _listed(value)


def _condition(text: str) -> str:
    if fault := expression_fault(text):
        raise FaultError(f"{text!r} is not one condition: {fault}.", "Write one expression, such as target.day > 5.")
    return text


def _keys(value: Any) -> Any:
    names = _listed(value)
    if names in (None, []) or (isinstance(names, list) and "" in names):
        raise FaultError("`unique_key` names no column.", "Name the key, such as id, or take it away.", "unique_key")
    return names


Listed = Annotated[list[str], BeforeValidator(_listed)]
Keys = Annotated[list[str], BeforeValidator(_keys)]
Conditions = Annotated[list[Annotated[str, AfterValidator(_condition)]], BeforeValidator(_listed)]


class SnapshotColumns(Strict):
    """What a snapshot's own columns are called."""

    valid_from: str = "valid_from"
    valid_to: str = "valid_to"
    is_deleted: str = "is_deleted"


class ModelEntry(Strict):
    """Settings of a model, or defaults for several."""

    materialized: Annotated[str, Field(min_length=1)] = "table"
    schema_: Annotated[str, Field(alias="schema")] = ""
    alias: str = ""
    description: str = ""
    owner: str = ""
    tags: list[str] = []
    meta: dict[str, JsonValue] = {}
    columns: dict[str, ColumnEntry] = {}
    full_refresh: bool = False
    unique_key: Keys = []
    incremental_strategy: Strategy = "append"
    merge_update_columns: Listed = []
    merge_exclude_columns: Listed = []
    incremental_predicates: Conditions = []
    partition_by: Listed = []
    cluster_by: Listed = []
    on_schema_change: OnSchemaChange | None = None
    strategy: SnapshotStrategy = "timestamp"
    updated_at: str = ""
    check_cols: Annotated[list[str], BeforeValidator(_listed_columns)] = []
    hard_deletes: HardDeletes = "ignore"
    snapshot_meta_column_names: SnapshotColumns = SnapshotColumns()
    pre_hook: Listed = []
    post_hook: Listed = []


def _sign(text: str) -> str:
    if not text:
        raise FaultError(
            "The sign is empty.", "Write one, such as ';', or drop the line: then it is found in the file."
        )
    fault = "ends a line" if text in ("\r", "\n") else "is not one character"
    if fault == "ends a line" or len(text.replace("\\t", "\t")) > 1:
        raise FaultError(f"{text!r} {fault}.", "Write one sign, such as ';'.")
    return text


def _encoding(name: str) -> str:
    try:
        codec_name(name)
    except LookupError as error:
        raise FaultError(f"{name!r} is no text encoding.", ENCODINGS) from error
    return name


Sign = Annotated[str, AfterValidator(_sign)]


class SeedEntry(Strict):
    """How a seed file is read."""

    column_types: dict[str, str] = {}
    delimiter: Sign = ""
    quote: Sign = ""
    null: str = ""
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    description: str = ""

    @model_validator(mode="after")
    def _signs_differ(self) -> SeedEntry:
        if self.delimiter == (self.quote or '"'):
            raise FaultError(f"`delimiter` and `quote` are both {self.delimiter!r}.", "Choose another.", "quote")
        return self


class CheckEntry(Strict):
    """One data-quality test."""

    type: str
    table: str
    column: str = ""
    tags: list[str] = []
    severity: Severity = "error"
    threshold: float | int | None = None
    min: int | None = None
    max: int | None = None
    max_delay_minutes: float | int | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _fits_rule(self) -> CheckEntry:
        rule = RULES.get(self.type)
        if rule is None:
            raise FaultError(f"There is no test {self.type!r}.", did_you_mean(self.type, RULES), "type")
        if rule.needs_column != bool(self.column):
            wanted, fix = ("needs", "Add `column: …`.") if rule.needs_column else ("takes no", "Remove it.")
            raise FaultError(f"The test {self.type!r} {wanted} `column`.", fix, "column")
        given = self.model_fields_set - {"type", "table", "column", "tags", "severity"}
        for key in sorted(given.difference(rule.parameters)):
            takes = f"It takes {', '.join(rule.parameters)}." if rule.parameters else "Remove it."
            raise FaultError(f"The test {self.type!r} takes no {key!r}.", takes, key)
        for key in rule.required:
            if key not in given:
                raise FaultError(f"The test {self.type!r} needs {key!r}.", f"Add `{key}: …`.")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise FaultError(f"`min` {self.min} is more than `max` {self.max}.", "Exchange them.", "min")
        return self


class SelectorEntry(Strict):
    """A selection with a name; one text, or a list of texts, stands for its `select`."""

    select: Listed = []
    exclude: Listed = []
    description: str = ""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: Any) -> Any:
        return {"select": data} if isinstance(data, str | list) else data


def _selector_name(name: str) -> str:
    if not SELECTOR_NAME.match(name):
        raise FaultError(f"{name!r} is no name of a selector.", "Use letters, digits, _ and -.", name)
    return name


class RetriesEntry(Strict):
    """How often what fails in passing is tried in all, and the seconds before the second time."""

    attempts: int = Field(default=4, ge=1, le=100)
    delay: float | int = Field(default=1, ge=0, le=3600)


class ProjectEntry(Strict):
    """`project.yml`."""

    name: str = ""
    description: str = ""
    vars: dict[str, JsonValue] = {}
    on_run_start: Listed = []
    on_run_end: Listed = []
    defaults: ModelEntry = ModelEntry()
    folders: dict[str, ModelEntry] = {}
    models: dict[str, ModelEntry] = {}
    seeds: dict[str, SeedEntry] = {}
    retries: RetriesEntry = RetriesEntry()
    tests: list[CheckEntry] = []
    selectors: dict[Annotated[str, AfterValidator(_selector_name)], SelectorEntry] = {}


class ModelsEntry(Strict):
    """A `*.yml` beside models."""

    models: dict[str, ModelEntry] = {}
    tests: list[CheckEntry] = []


class SourceEntry(Strict):
    """One table of a source."""

    identifier: str = ""
    schema_: str = Field("", alias="schema")
    description: str = ""


class SourcesEntry(RootModel[dict[str, dict[str, SourceEntry]]]):
    """`sources.yml`: group, table, settings."""


FORMATS: Mapping[str, type[BaseModel]] = {"project": ProjectEntry, "models": ModelsEntry, "sources": SourcesEntry}

# What pydantic's types of error mean to the user; whatever is not here keeps pydantic's words.
_MEANINGS: Mapping[str, tuple[str, str]] = {
    "missing": ("is missing", "Add it."),
    "string_type": ("must be a text", "Put it in quotes."),
    "string_unicode": ("must be a text that can be written as UTF-8", "Remove the broken character."),
    "string_too_short": ("must not be empty", "Remove it, or say something."),
    "bool_type": ("must be true or false", "Write true or false, without quotes."),
    "int_type": ("must be a whole number", "Write for example 1."),
    "float_type": ("must be a number", "Write for example 1."),
    "int_from_float": ("must be a whole number", "Write for example 1."),
    "greater_than": ("must be more than 0", "Write for example 60."),
    "list_type": ("must be a list", "Write [one, two]."),
    "dict_type": ("must be a mapping", "Write `key: value` lines below it."),
    "model_type": ("must be a mapping", "Write `key: value` lines below it."),
    "literal_error": ("must be {expected}", "Choose one."),
    "invalid-json-value": ("must be a text, number, true, false, list or mapping", "Write it as a text."),
}


def check_file(entry: type[BaseModel], file: YamlFile) -> dict[str, Any]:
    """Return a file's checked content, only what is set.

    Raises `ConfigError` with file, line and the nearest valid key.
    """
    try:
        checked: dict[str, Any] = entry.model_validate(file.data).model_dump(exclude_unset=True, by_alias=True)
        return checked
    except ValidationError as error:
        raise _config_error(_faults(error, entry, file.data), file) from error


def _faults(error: ValidationError, entry: type[BaseModel], data: Any) -> list[ErrorDetails]:
    """Return all that is wrong with a file: an unknown key at its top would hide the rest."""
    found = error.errors(include_url=False)
    fault = found[0].get("ctx", {}).get("error")
    if found[0]["loc"] or not isinstance(fault, FaultError) or fault.key not in data:
        return found
    try:
        entry.model_validate(rest := {key: value for key, value in data.items() if key != fault.key})
    except ValidationError as more:
        return [*found, *_faults(more, entry, rest)]
    return found


def check_settings(settings: YamlFile) -> dict[str, Any]:
    """Return checked settings of `config(...)` or `@model(...)`, given as a file of that content.

    Raises `ConfigError` with the nearest valid name.
    """
    try:
        data = _as_json(settings.data)
    except UnicodeEncodeError as error:
        line = min(settings.lines.values(), default=0)
        hint = "Remove the half of a surrogate pair."
        raise ConfigError("A text cannot be UTF-8.", where=Location(settings.name, line), hint=hint) from error
    return check_file(ModelEntry, YamlFile(settings.name, data, settings.lines, settings.text))


def _as_json(value: Any) -> Any:
    """Return tuples and sets as lists, as JSON would; raise `UnicodeEncodeError` for a text that is none."""
    if isinstance(value, str):
        value.encode()
    if isinstance(value, Mapping):
        return {_as_json(key): _as_json(child) for key, child in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(_as_json, value), key=repr)
    return [_as_json(child) for child in value] if isinstance(value, list | tuple) else value


def _config_error(errors: Sequence[ErrorDetails], file: YamlFile) -> ConfigError:
    """Return the error of what is wrong first, with each other thing as a line more."""
    # Of a value that fits none of several types, pydantic says so for each.
    distinct = {fault.path: fault for fault in (_fault(error, file) for error in reversed(errors))}
    first, *others = sorted(distinct.values(), key=lambda fault: fault.line)
    more = [f"Line {fault.line}: {fault.message} {fault.hint}" for fault in others[:_MOST_MORE]]
    if len(others) > _MOST_MORE:
        more.append(f"… {len(others) - _MOST_MORE} more")
    hint = "\n".join(filter(None, (first.hint, *more)))
    name = next((part for part in reversed(first.path) if isinstance(part, str)), "")
    snippet = caret_below(file.text, first.line, name)
    return ConfigError(first.message, where=Location(file.name, first.line), snippet=snippet, hint=hint)


class _Fault(NamedTuple):
    line: int
    path: tuple[str | int, ...]
    message: str
    hint: str


def _fault(error: ErrorDetails, file: YamlFile) -> _Fault:
    path = _existing(error["loc"], file.data)
    fault = error.get("ctx", {}).get("error")
    if isinstance(fault, FaultError):
        message, hint = str(fault), fault.hint
        path = _existing((*path, fault.key), file.data) if fault.key else path
    else:
        message, hint = _meaning(error, path)
    return _Fault(file.where(*path).line, path, message, hint)


def _meaning(error: ErrorDetails, path: tuple[str | int, ...]) -> tuple[str, str]:
    """Return what is wrong, and one fix, in the words of someone who writes YAML."""
    said, hint = _MEANINGS.get(error["type"], (error["msg"], "Correct the value."))
    expected = error.get("ctx", {}).get("expected", "")
    if error["type"] == "missing":
        return f"`{error['loc'][-1]}` {said}.", f"Add `{error['loc'][-1]}: …`."
    subject = f"`{_dotted(path)}`" if path else "The file"
    return f"{subject} {said.format(expected=expected)}.", hint


def _existing(loc: Iterable[str | int], data: Any) -> tuple[str | int, ...]:
    """Return the part of a location that stands in the data; pydantic adds names of types to it."""
    path: list[str | int] = []
    for part in loc:
        if part not in (data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()):
            break
        data = data[part]
        path.append(part)
    return tuple(path)


def _dotted(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
