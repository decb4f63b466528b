"""The facts of a model file, from its content alone."""

from __future__ import annotations

from dataclasses import replace

from flowforge_domain.ddl import find_target, is_blank, one_statement, require_reading
from flowforge_domain.errors import ConfigError, TemplateError
from flowforge_domain.fingerprint import fingerprint
from flowforge_domain.text import Location, caret_below
from flowforge_project.facts import ModelFacts
from flowforge_project.folder import ProjectFile, decode
from flowforge_project.plain_sql import normalized, plain_facts, render_plain

SQL_SUFFIX = ".ff.sql"
PYTHON_SUFFIX = ".ff.py"


def scan_model(file: ProjectFile, content: bytes) -> tuple[ModelFacts, ...]:
    """Return the models of a file; raise `FlowForgeError` naming file and line of what is wrong."""
    text = decode(content, file.name)
    checksum = fingerprint(normalized(text))
    found: tuple[ModelFacts, ...]
    if file.name.endswith(PYTHON_SUFFIX):
        from flowforge_project.scan_python import python_facts

        found = python_facts(text, file.name)
    else:
        text = normalized(text)
        found = (_sql_facts(text, file.name),)
    return tuple(replace(_checked(facts, text, file.name), checksum=checksum) for facts in found)


def _sql_facts(text: str, file: str) -> ModelFacts:
    facts = plain_facts(text)
    if facts is None:
        from flowforge_project.jinja_sql import jinja_facts

        facts = jinja_facts(text, file)
    else:
        _require_one_statement(text, file)
    target = find_target(text, file)
    return replace(facts, creates=(target.kind, target.relation)) if target else facts


def _require_one_statement(text: str, file: str) -> None:
    """Refuse what no rendering could turn into one statement; with other Jinja, only its rendering tells."""
    one_statement(text, file)
    require_reading(text, file)
    plain = render_plain(text, str, lambda group, table: group + table)
    if plain is not None and is_blank(plain):
        raise TemplateError("The model has no SQL.", where=Location(file, 1), hint="Write `select …`.")


def _checked(facts: ModelFacts, text: str, file: str) -> ModelFacts:
    for name, line in facts.refs:
        _require_name(name, file, line)
    for group, table, line in facts.sources:
        _require_name(f"{group}.{table}", file, line)
    _require_name(facts.name or "model", file, facts.line or 1)
    return replace(facts, settings=_checked_settings(facts, text, file)) if facts.settings else facts


def _require_name(name: str, file: str, line: int) -> None:
    if not name.isprintable() or name != name.strip():
        raise ConfigError(
            f"The name {name!a} has spaces around it, or unprintable characters.",
            where=Location(file, line),
            hint="Use letters, digits and _.",
        )


def _checked_settings(facts: ModelFacts, text: str, file: str) -> dict[str, object]:
    from flowforge_project.schema import check_settings
    from flowforge_project.yaml_files import Path, YamlFile

    lines: dict[Path, int] = {(name,): line for name, line in facts.setting_lines.items()}
    settings = check_settings(YamlFile(file, facts.settings, lines, text))
    if (said := settings.get("materialized")) and not facts.can_be(said):
        does = f"{'a Python model' if facts.function else 'what is created'} is a {facts.form}"
        hint = "Drop `materialized`, or write the model as a plain select."
        raise _misplaced("materialized", f"The settings say {said}, but {does}.", hint, facts, text, file)
    for name in ("schema", "alias"):
        if facts.creates and name in settings:
            message = f"The text says where it writes, {facts.creates[1]}, and so does `{name}`."
            raise _misplaced(name, message, f"Drop `{name}`, or write a plain select.", facts, text, file)
    return settings


def _misplaced(name: str, message: str, hint: str, facts: ModelFacts, text: str, file: str) -> ConfigError:
    line = facts.setting_lines[name]
    return ConfigError(message, where=Location(file, line), snippet=caret_below(text, line, name), hint=hint)
