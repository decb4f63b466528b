"""The macros of a project put together: each has one file, and what a model calls is followed to what it refers to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

from flowforge_domain.errors import ConfigError, FlowForgeError
from flowforge_domain.macros import Macro, by_call, reached
from flowforge_domain.model import node_name
from flowforge_project.cache import ParseCache
from flowforge_project.facts import MacroFacts, ModelFacts
from flowforge_project.folder import MACRO_SUFFIX, MACROS, ProjectFile, decode, files_below
from flowforge_project.plain_sql import normalized


@dataclass(frozen=True)
class ProjectMacros:
    """The macros of a project by name."""

    macros: Mapping[str, Macro]

    @cached_property
    def meant(self) -> Mapping[str, list[str]]:
        """The macros that each name may mean."""
        return by_call(self.macros)

    def followed(self, facts: ModelFacts, file: str, text: Callable[[], str]) -> ModelFacts:
        """Return a model's facts with what the macros it calls refer to, at the line of the call.

        `names` are the macros then, all that it may reach. Raises `TemplateError` for a name that is none.
        """
        if not facts.names:
            return facts
        self.require_known(facts.names, file, text)
        refs, sources, used = [*facts.refs], [*facts.sources], set[str]()
        for name, line in facts.names:
            found = reached([name], self.macros, self.meant)
            used.update(found)
            refs += [(ref, line) for macro in found for ref in self.macros[macro].refs]
            sources += [(*key, line) for macro in found for key in self.macros[macro].sources]
        return replace(facts, refs=refs, sources=sources, names=[(name, 0) for name in sorted(used)])

    def require_known(self, names: Sequence[tuple[str, int]], file: str, text: Callable[[], str]) -> None:
        """Raise `TemplateError` for a name that a file needs, and nobody defines; `text` gives its text."""
        for name, line in names:
            if line and name not in self.meant:
                from flowforge_project.jinja_sql import undefined_name

                raise undefined_name(normalized(text()), file, name, line, self.meant)


def read_macros(root: Path, cache: ParseCache) -> ProjectMacros:
    """Return the macros below `macros/`; raise `FlowForgeError` for two of one name, and for what is wrong in one."""
    files = files_below(root, MACROS, (MACRO_SUFFIX,))
    listed = [(file, facts) for file in files for facts in _facts(file, cache)]
    found: dict[str, Macro] = {}
    for file, facts in listed:
        if facts.name in found:
            raise _given_twice(facts, file, found[facts.name])
        found[facts.name] = Macro(
            facts.name,
            file.name,
            facts.line,
            tuple(name for name, _ in facts.names),
            tuple(ref for ref, _ in facts.refs),
            tuple((group, table) for group, table, _ in facts.sources),
            facts.digest,
            tuple(facts.variables),
            _lines(facts),
        )
    macros = ProjectMacros(found)
    for file, facts in listed:
        macros.require_known(facts.names, file.name, file.text)
    return macros


def _lines(facts: MacroFacts) -> dict[str, int]:
    """Return the first line on which each reference and call stands, as `Macro` keeps them."""
    lines = {f"{name}()": line for name, line in reversed(facts.names)}
    lines |= {f"{group}.{table}": line for group, table, line in reversed(facts.sources)}
    return lines | {node_name(ref): line for ref, line in reversed(facts.refs)}


def _facts(file: ProjectFile, cache: ParseCache) -> list[MacroFacts]:
    content = file.read()

    def read() -> list[dict[str, object]]:
        from flowforge_project.macro_files import macro_facts

        return [asdict(facts) for facts in macro_facts(normalized(decode(content, file.name)), file.name)]

    return [MacroFacts(**one) for one in cache.get(b"macros", content, read)]


def _given_twice(facts: MacroFacts, file: ProjectFile, other: Macro) -> FlowForgeError:
    where = replace(other, file=file.name, line=facts.line).where()
    return ConfigError(
        f"The macro {facts.name!r} is given twice: here and in {other.where()}.",
        where=where,
        hint="Rename one. For another engine, put its name in front: duckdb__….",
    )
