"""The facts of a model file, from its content alone."""

from __future__ import annotations

from dataclasses import replace

from flowforge_domain.ddl import find_target
from flowforge_domain.errors import ConfigError
from flowforge_domain.text import Location
from flowforge_project.facts import ModelFacts
from flowforge_project.folder import ProjectFile, decode
from flowforge_project.plain_sql import normalized, plain_facts

SQL_SUFFIX = ".ff.sql"
PYTHON_SUFFIX = ".ff.py"


def scan_model(file: ProjectFile, content: bytes) -> tuple[ModelFacts, ...]:
    """Return the models of a file; raise `FlowForgeError` naming file and line of what is wrong."""
    text = decode(content, file.name)
    if file.name.endswith(PYTHON_SUFFIX):
        from flowforge_project.scan_python import python_facts

        return tuple(_checked(facts, file.name) for facts in python_facts(text, file.name))
    return (_checked(_sql_facts(normalized(text), file.name), file.name),)


def _sql_facts(text: str, file: str) -> ModelFacts:
    facts = plain_facts(text)
    if facts is None:
        from flowforge_project.jinja_sql import jinja_facts

        facts = jinja_facts(text, file)
    target = find_target(text, file)
    return replace(facts, creates=(target.kind, target.relation)) if target else facts


def _checked(facts: ModelFacts, file: str) -> ModelFacts:
    if not facts.settings:
        return facts
    from flowforge_project.schema import check_settings

    settings = check_settings(facts.settings, file)
    if facts.function and settings.get("materialized", "table") != "table":
        raise ConfigError(
            "A Python model is a table.", where=Location(file), hint="Drop `materialized`, or write the model in SQL."
        )
    if facts.creates and settings.get("materialized", facts.creates[0]) != facts.creates[0]:
        raise ConfigError(
            f"config() says {settings['materialized']}, the model says create {facts.creates[0]}.",
            where=Location(file),
            hint="Write a plain select and keep config(), or drop `materialized`.",
        )
    return replace(facts, settings=settings)
