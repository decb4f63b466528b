"""Chooses a profile and validates it: only the one that is used, by the engine that it names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Union

from flowforge_bootstrap.plugins import Plugins, resolve
from flowforge_domain.dialect import Dialect, known_name
from flowforge_domain.errors import ConfigError, PluginError, ProfileError
from flowforge_domain.secret import Secret
from flowforge_domain.text import Location, did_you_mean, misspelt, nearest
from flowforge_ports.engine import EngineSpec
from flowforge_ports.project import ProfileEntry

_FILE = "profiles.yml"
_OVERRIDE = "FF_"
_EXAMPLE = "default: {engine: duckdb, duckdb: {path: data.duckdb}}"
# pydantic's own words are for programmers.
_MESSAGES = {
    "extra_forbidden": "Unknown key {key!r}.",
    "missing": "{key!r} is missing.",
    "model_type": "{key!r} must be a mapping, as in `{key}: {{…}}`.",
    "value_error": "{key}: {said}.",
    "string_type": "{key!r} must be a text.",
    "string_too_short": "{key!r} is empty.",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "{key!r} must be a whole number."),
    **dict.fromkeys(("float_type", "float_parsing"), "{key!r} must be a number."),
    **dict.fromkeys(("bool_type", "bool_parsing"), "{key!r} must be true or false."),
}


@dataclass(frozen=True)
class EnvSettings:
    """The environment: variables of the process over those of a project's `.env`."""

    variables: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    @classmethod
    def of(cls, project_dir: Path) -> EnvSettings:
        """Return the environment of a project."""
        path = project_dir / ".env"
        if not path.is_file():
            return cls()
        try:
            text = path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            hint = "Check its permissions, and that it is saved as UTF-8."
            raise ConfigError("The file cannot be read.", where=Location(".env"), hint=hint) from error
        return cls({**_dotenv(text), **os.environ})


def profiles_file(root: Path) -> Location | None:
    """Return where a project's profiles are written, None where it has no such file."""
    return Location(_FILE, 1) if (root / _FILE).exists() else None


def _dotenv(text: str) -> dict[str, str]:
    """Return what a `.env` sets; raise `ConfigError` for a line that says nothing, and never show it."""
    from dotenv.parser import parse_stream

    found = {}
    for line in parse_stream(StringIO(text)):
        if line.error or "\0" in line.original.string:
            where = Location(".env", line.original.line)
            raise ConfigError("This line cannot be read.", where=where, hint="Write NAME=value, or NAME='a value'.")
        if line.key is not None and line.value is not None:
            found[line.key] = line.value
    return found


@dataclass(frozen=True)
class ResolvedProfile:
    """A validated profile: its name, its engine, and the settings as the engine's own model.

    `where` is the place that says which target it is: its section, or the variable that overrides it.
    """

    name: str
    spec: EngineSpec
    settings: Any = field(repr=False)
    where: Location | None = None

    @property
    def dialect(self) -> Dialect:
        """The engine's SQL, with the schema that the settings name where it must be written."""
        dialect = self.spec.dialect
        return replace(dialect, default_schema=self._schema) if dialect.qualifies and self._schema else dialect

    @property
    def target(self) -> Mapping[str, str]:
        """What templates see of it; `schema` where the engine has one, as models name it."""
        schema = known_name(self._schema, self.spec.dialect)
        return {"name": self.name, "engine": self.spec.name, **({"schema": schema} if schema else {})}

    @property
    def _schema(self) -> str:
        path = self.spec.schema
        return str(reduce(getattr, path, self.settings)) if path else self.spec.dialect.default_schema


def choose_profile(
    entries: Mapping[str, ProfileEntry],
    plugins: Plugins,
    environment: Mapping[str, str],
    name: str | None = None,
    engine: str | None = None,
    file: Location | None = None,
) -> ResolvedProfile:
    """Return the profile `name`, else `default`, else the only one; `FF_*` variables override its settings.

    `engine` (or `FF_ENGINE`) asks for another engine than the profile's, whose settings must then be there too; `file`
    is the file that the profiles come from, if there is one. Raises `ProfileError` naming the known profiles, or file
    and line of a wrong setting; `PluginError` for an engine that is not installed.
    """
    asked, engine = engine, wanted_engine(engine, environment)
    entry_name, entry = _entry(entries, name, engine, file)
    if entry.fault:
        raise ProfileError(f"Profile {entry_name!r}: {entry.fault}", where=entry.where, hint=entry.fix)
    given = _revealed(entry.settings)
    own = given.get("engine")
    wanted = engine or own
    if not isinstance(wanted, str):
        meant = nearest("engine", [key for key in given if key not in plugins.engines])
        misspelt = f"Did you mean 'engine' by {meant!r}? " if meant else ""
        hint = f"{misspelt}Add engine: one of {', '.join(sorted(plugins.engines))}."
        raise ProfileError(f"Profile {entry_name!r} names no engine.", where=entry.where, hint=hint)
    where = place_of_engine(asked) if engine else _place(entry, ("engine",))
    spec = installed_engine(wanted, plugins, where)
    _require_no_variant(wanted, plugins, where)
    _require_known(environment, spec)
    variables = {path: key for key, path in spec.environment.items() if environment.get(key)}
    overrides = {path: environment[key] for path, key in variables.items()}
    if wanted != own and wanted not in given and not overrides:
        raise ProfileError(
            f"Profile {entry_name!r} has no settings for engine {wanted!r}.",
            where=entry.where,
            hint=f"Add {wanted}: {{…}} to it, or set {' or '.join(spec.environment)}.",
        )
    settings = _overridden({**given, "engine": wanted}, overrides)
    others = {own, *plugins.engines} - {wanted}
    kept = {key: value for key, value in settings.items() if key not in others}
    try:
        validated = _validated(kept, spec, entry_name)
    except _FaultError as fault:
        raise ProfileError(fault.message, where=_place(entry, fault.path, variables), hint=fault.hint) from None
    where = _target_place(entry, spec, variables)
    return ResolvedProfile(entry_name, _variant(spec, validated, plugins, entry), validated, where)


def wanted_engine(engine: str | None, environment: Mapping[str, str]) -> str | None:
    """Return the engine that was asked for, by the caller or by `FF_ENGINE`; None leaves it to the profile."""
    return engine or environment.get("FF_ENGINE") or None


def place_of_engine(asked: str | None) -> Location | None:
    """Return where the engine that is wanted was asked for: nowhere by the caller, else the variable."""
    return None if asked else Location("FF_ENGINE")


def installed_engine(engine: str, plugins: Plugins, where: Location | None) -> EngineSpec:
    """Return an engine; raise `PluginError` with the place that names it when it is not installed."""
    try:
        return plugins.engine(engine)
    except PluginError as error:
        error.where = where
        raise


def _require_no_variant(name: str, plugins: Plugins, where: Location | None) -> None:
    """Raise `ProfileError` for what is no engine of a profile, but another one's with a setting."""
    if found := plugins.handing_over(name):
        spec, (below, *keys), value = found
        setting = f"{'.'.join(keys)}: {json.dumps(value)}"
        message = f"{name!r} is the engine {spec.name!r} with `{setting}`."
        raise ProfileError(message, where=where, hint=f"Write engine: {spec.name}, and {setting} below {below}.")


def _require_known(environment: Mapping[str, str], spec: EngineSpec) -> None:
    """Raise `ProfileError` for a variable that is nearly one of the engine's: the data would go to the wrong place.

    One that only goes on longer, such as FF_PG_DSN_OLD, is the user's own.
    """
    known = tuple(spec.environment)
    for name in environment:
        if name.startswith(_OVERRIDE) and not name.startswith(known) and (meant := misspelt(name, known)):
            message = f"The environment variable {name!r} is no setting of {spec.name}."
            raise ProfileError(message, hint=f"Did you mean {meant!r}? Rename it, or unset it.")


def require_profile(entries: Mapping[str, ProfileEntry], name: str) -> ProfileEntry:
    """Return the profile `name`, not yet validated; raise `ProfileError` naming the known ones."""
    if name in entries:
        return entries[name]
    close = nearest(name, entries)
    meant = f"Did you mean {close!r}? " if close else ""
    hint = f"{meant}Known: {_listed(entries)}." if entries else f"Write it into {_FILE}."
    raise ProfileError(f"There is no profile {name!r}.", where=Location(_FILE), hint=hint)


def profile_union(specs: Iterable[EngineSpec]) -> Any:
    """Return the pydantic type of any profile of these engines, told apart by `engine`."""
    from pydantic import Field

    models = tuple(resolve(spec.profile) for spec in specs)
    return models[0] if len(models) == 1 else Annotated[Union[models], Field(discriminator="engine")]  # noqa: UP007


def _entry(
    entries: Mapping[str, ProfileEntry], name: str | None, engine: str | None, file: Location | None
) -> tuple[str, ProfileEntry]:
    if name is not None:
        return name, require_profile(entries, name)
    if "default" in entries or len(entries) == 1:
        chosen = "default" if "default" in entries else next(iter(entries))
        return chosen, entries[chosen]
    if entries:
        hint = f"Add --env with one of: {_listed(entries)}."
        raise ProfileError("There are several profiles and none is named 'default'.", where=Location(_FILE), hint=hint)
    if engine is None:
        said = "The file is empty: it names no target." if file else f"The project has no {_FILE}."
        raise ProfileError(said, where=file, hint=f"Write {'a profile' if file else 'one'}, for example: {_EXAMPLE}")
    return "default", ProfileEntry({}, Location(_FILE))


def _variant(spec: EngineSpec, settings: Any, plugins: Plugins, entry: ProfileEntry) -> EngineSpec:
    """Return the engine that a setting hands over to, else the profile's own."""
    for path, names in spec.variants.items():
        if name := names.get(reduce(getattr, path, settings)):
            return installed_engine(name, plugins, _place(entry, path))
    return spec


def _listed(entries: Mapping[str, ProfileEntry]) -> str:
    return ", ".join(sorted(entries))


def _revealed(value: Any) -> Any:
    """Return settings with the texts of their secrets, for the engine's own model and nothing else."""
    if isinstance(value, Mapping):
        return {key: _revealed(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_revealed(child) for child in value]
    return value.reveal() if isinstance(value, Secret) else value


def _overridden(settings: Mapping[str, Any], overrides: Mapping[tuple[str, ...], str]) -> dict[str, Any]:
    changed = dict(settings)
    for (key, *rest), value in overrides.items():
        inner = changed.get(key) or {}
        if not rest:
            changed[key] = value
        elif isinstance(inner, Mapping):
            changed[key] = _overridden(inner, {tuple(rest): value})
    return changed


@dataclass(eq=False)
class _FaultError(Exception):
    """A setting is wrong; `path` is where it stands in the profile."""

    message: str
    path: tuple[str, ...]
    hint: str


def _validated(settings: Mapping[str, Any], spec: EngineSpec, name: str) -> Any:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(profile_union([spec])).validate_python(settings)
    except ValidationError as error:
        # Never the input itself: it may be a password.
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        path = tuple(str(part) for part in first["loc"])
        words = first["msg"].removeprefix("Value error, ").replace("Input should be ", "it must be ")
        said = _MESSAGES.get(first["type"], "{key}: {said}.").format(key=".".join(path) or name, said=words)
        hint = did_you_mean(path[-1], _fields(spec, path[:-1])) if first["type"] == "extra_forbidden" else ""
        raise _FaultError(f"Profile {name!r}: {said}", path, hint or "Correct the setting.") from None


def _fields(spec: EngineSpec, path: tuple[str, ...]) -> list[str]:
    model = resolve(spec.profile)
    for part in path:
        model = model.model_fields[part].annotation
        if not isinstance(model, type):
            return []
    return list(model.model_fields)


def _target_place(entry: ProfileEntry, spec: EngineSpec, variables: Mapping[tuple[str, ...], str]) -> Location | None:
    """Return what says which target it is: the engine's section, or a variable that overrides its first setting."""
    first = next(iter(spec.environment.values()), ())
    if variables and (first in variables or (spec.name,) not in entry.lines):
        return Location(variables.get(first) or next(iter(variables.values())))
    where = _place(entry, (spec.name,))
    return where if where.line else None


def _place(
    entry: ProfileEntry, path: tuple[str, ...], variables: Mapping[tuple[str, ...], str] = MappingProxyType({})
) -> Location:
    """Return where a setting stands, or the nearest thing around it; `variables` are those that override some."""
    if path in variables:
        return Location(variables[path])
    lengths = range(len(path), 0, -1)
    line = next((entry.lines[path[:length]] for length in lengths if path[:length] in entry.lines), entry.where.line)
    return Location(entry.where.path, line)
