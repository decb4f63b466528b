"""Hooks as a project writes them: SQL in its settings and in `project.yml`, functions in `hooks/*.py`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from flowforge_domain.errors import ModuleLoadError, TemplateError
from flowforge_domain.hooks import MODEL_HOOKS, RUN_HOOKS, RUN_NAMES, Hook
from flowforge_domain.text import Location, caret
from flowforge_project.cache import ParseCache
from flowforge_project.facts import ModelFacts, from_json, to_json
from flowforge_project.folder import ProjectFile, decode
from flowforge_project.plain_sql import normalized, plain_facts
from flowforge_project.project_macros import ProjectMacros

HOOKS = "hooks"


def in_place(hook: Hook) -> str:
    """Return a hook's text on the lines that it has in its file, so that errors tell those."""
    return "\n" * max(0, hook.where.line - 1) + normalized(hook.text)


@dataclass(frozen=True)
class HookReader:
    """Reads hooks without running anything."""

    macros: ProjectMacros
    cache: ParseCache

    def of_model(
        self, facts: ModelFacts, file: str, texts: Mapping[str, tuple[str, ...]], places: Mapping[str, Location]
    ) -> tuple[tuple[Hook, ...], ModelFacts]:
        """Return a model's hooks, and its facts with what they refer to.

        Raises `TemplateError` for a hook that cannot be read.
        """
        hooks = []
        for when in MODEL_HOOKS:
            for text in texts[when]:
                hook, found = self._read(Hook(when, text, places[when]))
                line = hook.where.line if hook.where.path == file else 0
                facts = replace(
                    facts,
                    refs=[*facts.refs, *((name, line) for name, _ in found.refs)],
                    sources=[*facts.sources, *((group, table, line) for group, table, _ in found.sources)],
                    names=[*facts.names, *((name, 0) for name in hook.macros)],
                )
                hooks.append(hook)
        return tuple(hooks), facts

    def of_run(self, texts: Mapping[str, list[tuple[str, Location]]], files: list[ProjectFile]) -> tuple[Hook, ...]:
        """Return the hooks of a run: those of `project.yml` first, then those of Python files.

        Raises `TemplateError` or `ModuleLoadError` for one that cannot be read.
        """
        written = [self._read(Hook(when, text, where))[0] for when in RUN_HOOKS for text, where in texts[when]]
        return (*written, *(hook for file in files for hook in self._functions(file)))

    def _read(self, hook: Hook) -> tuple[Hook, ModelFacts]:
        text, file = in_place(hook), hook.where.path
        key = f"{file}\0{text}".encode()
        facts = from_json(self.cache.get(b"hook", key, lambda: to_json((_facts(text, hook),))))[0]
        if hook.when in RUN_HOOKS:
            facts = replace(facts, names=[(name, line) for name, line in facts.names if name not in RUN_NAMES])
        followed = self.macros.followed(facts, file, lambda: text)
        macros = tuple(name for name, _ in followed.names)
        return replace(hook, macros=macros, variables=tuple(facts.variables)), followed

    def _functions(self, file: ProjectFile) -> list[Hook]:
        content = file.read()
        key = file.name.encode() + b"\0" + content
        found = self.cache.get(b"hooks", key, lambda: list(_marked(decode(content, file.name), file.name)))
        return [Hook(when, "", Location(file.name, line), function) for when, function, line in found]


def _facts(text: str, hook: Hook) -> ModelFacts:
    facts = plain_facts(text)
    if facts is None:
        from flowforge_project.jinja_sql import jinja_facts

        facts = jinja_facts(text, hook.where.path)
    if facts.settings:
        raise TemplateError(f"A {hook.when} cannot call config().", where=hook.where, hint="Write it into the model.")
    return facts


def _marked(text: str, file: str) -> Iterator[tuple[str, str, int]]:
    """Yield when, name and line of each marked function; raise `ModuleLoadError` for a marker that is wrong."""
    from flowforge_project.scan_python import called, is_named

    text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        tree = ast.parse(text, file)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = (error.lineno or 0) if isinstance(error, SyntaxError) else 0
        reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
        message = f"The file is not valid Python: {reason}."
        raise _error(message, text, file, line, "Correct the syntax.") from error
    top, names = {place for place in tree.body if isinstance(place, ast.FunctionDef)}, called(tree, "hook")
    for place in ast.walk(tree):
        for mark in getattr(place, "decorator_list", ()):
            if not is_named(mark.func if isinstance(mark, ast.Call) else mark, "hook", names):
                continue
            when = mark.args[0] if isinstance(mark, ast.Call) and len(mark.args) == 1 and not mark.keywords else None
            if place not in top or not isinstance(when, ast.Constant) or when.value not in RUN_HOOKS:
                message = "@hook marks a plain function at the top of a file, and says when it runs."
                hint = 'Write @hook("on_run_start") or @hook("on_run_end").'
                raise _error(message, text, file, mark.lineno, hint)
            yield str(when.value), place.name, mark.lineno


def _error(message: str, text: str, file: str, line: int, hint: str) -> ModuleLoadError:
    return ModuleLoadError(message, where=Location(file, line), snippet=caret(text, line), hint=hint)
