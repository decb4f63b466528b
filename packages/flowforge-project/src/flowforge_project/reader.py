"""Fulfils `ProjectReader`: reads the files, and puts what they say together into a manifest."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Any

from flowforge_domain.checks import Check
from flowforge_domain.config import BUILT_IN
from flowforge_domain.errors import ConfigError
from flowforge_domain.hooks import MODEL_HOOKS, RUN_HOOKS, Hook
from flowforge_domain.manifest import Manifest, require_distinct
from flowforge_domain.model import Node, Seed, SeedOptions, SourceTable, node_name
from flowforge_domain.relation import relation_name
from flowforge_domain.retries import Retries
from flowforge_domain.selectors import Selector, require_selectors
from flowforge_domain.source import SourceKey
from flowforge_domain.text import Location, caret, did_you_mean
from flowforge_ports.project import Code, ProfileEntry, SettingPlace
from flowforge_project.cache import ParseCache, open_cache
from flowforge_project.env_text import Target, is_template
from flowforge_project.facts import ModelFacts, from_json, to_json
from flowforge_project.folder import CACHE_FILE, ProjectFile, files_below, top_file
from flowforge_project.hook_files import HOOKS, HookReader
from flowforge_project.misnamed import misnamed_models
from flowforge_project.project_macros import read_macros
from flowforge_project.scan import PYTHON_SUFFIX, SQL_SUFFIX, scan_model
from flowforge_project.settings import NAMES, CheckedYaml, Fill, Settings, in_environment, read_checked

_CHECK_KEYS = ("type", "table", "column", "tags", "severity")
_NOTHING: Mapping[str, str] = {}
_YAML = (".yml", ".yaml")
_SEED_KINDS: Mapping[str, Any] = {".csv": "csv", ".csv.gz": "csv", ".parquet": "parquet", ".sql": "sql"}
# The delimiter is found in the header, so that a tab needs no name of its own.
_NEARLY_SEEDS = {".tsv": ".csv", ".tsv.gz": ".csv.gz"}


@dataclass(frozen=True)
class FolderReader:
    """Reads the project in a folder; what files say is kept by content under `.flowforge/`."""

    root: Path
    materializations: Collection[str] = BUILT_IN

    def manifest(self, environment: Mapping[str, str] = _NOTHING, target: Target = dict) -> Manifest:
        """Return the project; raise `FlowForgeError` naming file and line of what is wrong.

        `environment` is what `env_var()` knows in the names of schemas and tables, and `target` says what `target` is.
        """
        try:
            with _paused_collection():
                return self._manifest(partial(in_environment, environment, cache(target)))
        except ConfigError as error:
            error.snippet = error.snippet or self._line(error.where)
            raise

    def _line(self, where: Location | None) -> str:
        """Return a line of the project's text with its number, as far as there is one, and it is text."""
        with suppress(ConfigError):
            if where and where.line:
                return caret(ProjectFile(str(self.root / where.path), where.path).text(), where.line)
        return ""

    def _manifest(self, fill: Fill) -> Manifest:
        cache = open_cache(self.root / CACHE_FILE)
        files = files_below(self.root, "models", (*_YAML, SQL_SUFFIX, PYTHON_SUFFIX), {".sql": SQL_SUFFIX})
        project = read_checked(top_file(self.root, "project.yml"), "project", cache)
        beside = [read_checked(file, "models", cache) for file in files if file.name.endswith(_YAML)]
        settings = Settings.of(project, beside, fill)
        macros = read_macros(self.root, cache)
        models = [(file, facts) for file in files if not file.name.endswith(_YAML) for facts in _facts(file, cache)]
        models = [(file, macros.followed(facts, file.name, file.text)) for file, facts in models]
        sources = _sources(read_checked(top_file(self.root, "sources.yml"), "sources", cache), fill)
        hooks = HookReader(macros, cache)
        nodes = [_node(file, facts, settings, self.materializations, hooks) for file, facts in models]
        seeds = self._seeds(project)
        require_distinct(nodes, seeds)
        settings.require_known((node.name for node in nodes), (node.file for node in nodes))
        run_hooks = hooks.of_run(_run_hooks(project), files_below(self.root, HOOKS, (".py",)))
        manifest = Manifest(
            name=project.data.get("name") or self.root.name,
            named=bool(project.data.get("name")),
            root=self.root,
            nodes={node.name: node for node in nodes},
            seeds={seed.name: seed for seed in seeds},
            sources=sources,
            checks=tuple(check for file in (project, *beside) for check in _checks(file)),
            variables=project.data.get("vars", {}),
            description=project.data.get("description", ""),
            macros=macros.macros,
            selectors=_selectors(project),
            retries=Retries(**project.data.get("retries", {})),
            hooks=run_hooks,
            notices=tuple(misnamed_models(self.root)),
            read_variables=frozenset(
                chain(
                    (name for _, facts in models for name in facts.variables),
                    (name for macro in macros.macros.values() for name in macro.variables),
                    (name for node in nodes for hook in node.hooks for name in hook.variables),
                    (name for hook in run_hooks for name in hook.variables),
                )
            ),
        )
        cache.save()
        return manifest

    def text(self, node: Node) -> str:
        """Return a model's file as it is written; raise `ConfigError` when it cannot be read."""
        return ProjectFile(str(node.path), node.file).text()

    def places(self, node: Node) -> Mapping[str, Sequence[SettingPlace]]:
        """Return where a model's settings come from; raise `FlowForgeError` when a file cannot be read."""
        from flowforge_project.setting_places import setting_places

        return setting_places(node, top_file(self.root, "project.yml"), files_below(self.root, "models", _YAML))

    def code(self, node: Node) -> Code:
        """Return what a Python model runs, without running any; raise `ConfigError` when it cannot be read."""
        from flowforge_project.python_code import python_code

        return python_code(node, self.root)

    def profiles(self, environment: Mapping[str, str]) -> Mapping[str, ProfileEntry]:
        """Return the profiles by name, `env_var()` resolved; empty where there is no `profiles.yml`."""
        from flowforge_project.profiles import read_profiles

        return read_profiles(top_file(self.root, "profiles.yml"), environment)

    def _seeds(self, project: CheckedYaml) -> list[Seed]:
        entries = {node_name(spelling): (spelling, entry) for spelling, entry in project.data.get("seeds", {}).items()}
        seeds = [
            _seed(file, entries, project) for file in files_below(self.root, "seeds", tuple(_SEED_KINDS), _NEARLY_SEEDS)
        ]
        known = {seed.name for seed in seeds}
        for name, (spelling, _) in entries.items():
            if name not in known:
                hint = did_you_mean(name, known) or "Put its file into seeds/."
                raise ConfigError(f"There is no seed {name!r}.", where=project.where("seeds", spelling), hint=hint)
        return seeds


@contextmanager
def _paused_collection() -> Iterator[None]:
    """Keep the garbage collector from looking again and again at what is only being built: a fourth of a warm load."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _facts(file: ProjectFile, cache: ParseCache) -> list[ModelFacts]:
    content = file.read()
    kind = b"python" if file.name.endswith(PYTHON_SUFFIX) else b"sql"
    return from_json(cache.get(kind, content, lambda: to_json(scan_model(file, content))))


def _node(file: ProjectFile, facts: ModelFacts, settings: Settings, known: Collection[str], reader: HookReader) -> Node:
    path = file.path
    name = facts.name or node_name(path.name)
    written = settings.model(name, file.name, facts, known)
    config = settings.filled(written, name, file.name, facts)
    hooks: tuple[Hook, ...] = ()
    if config.pre_hook or config.post_hook:
        texts = {when: getattr(config, when) for when in MODEL_HOOKS}
        places = {when: settings.place(when, name, file.name, facts) for when in MODEL_HOOKS}
        hooks, facts = reader.of_model(facts, file.name, texts, places)
    relation = relation_name(*filter(None, (config.schema, config.alias or name)))
    return Node(
        name=name,
        kind="python" if facts.function else "sql",
        path=path,
        deps=tuple(dict.fromkeys(node_name(ref) for ref, _ in facts.refs)),
        sources=tuple(dict.fromkeys((group, table) for group, table, _ in facts.sources)),
        relation=facts.creates[1] if facts.creates else relation,
        config=config,
        requires={relation: frozenset(columns) for relation, columns in facts.requires.items()},
        file=file.name,
        lines=_lines(facts),
        checksum=facts.checksum,
        macros=tuple(dict.fromkeys(name for name, _ in facts.names)),
        hooks=hooks,
        variables=tuple(facts.variables),
        written={key: getattr(written, key) for key in NAMES} if config is not written else {},
    )


def _run_hooks(project: CheckedYaml) -> dict[str, list[tuple[str, Location]]]:
    given = {when: project.data.get(when, ()) for when in RUN_HOOKS}
    return {when: [(text, project.where(when, i)) for i, text in enumerate(texts)] for when, texts in given.items()}


def _lines(facts: ModelFacts) -> dict[str, int]:
    """Return the first line on which each dependency is named, sources as `group.table`; the model's own as ""."""
    lines = {"": facts.line} if facts.line else {}
    lines |= {f"{group}.{table}": line for group, table, line in reversed(facts.sources)}
    lines.update((node_name(name), line) for name, line in reversed(facts.refs))
    return lines


def _seed(file: ProjectFile, entries: Mapping[str, tuple[str, Mapping[str, Any]]], project: CheckedYaml) -> Seed:
    suffix = next(s for s in sorted(_SEED_KINDS, key=len, reverse=True) if file.name.endswith(s))
    name = file.path.name.removesuffix(suffix)
    spelling, entry = entries.get(name, ("", {}))
    settings = [*((key,) for key in entry), *(("column_types", column) for column in entry.get("column_types", ()))]
    places = {setting: project.where("seeds", spelling, *setting) for setting in settings}
    return Seed(name, _SEED_KINDS[suffix], file.path, relation_name(name), file.name, SeedOptions(**entry), places)


def _sources(file: CheckedYaml, fill: Fill) -> dict[SourceKey, SourceTable]:
    def declared(entry: Mapping[str, Any], group: str, table: str) -> SourceTable:
        where = file.where(group, table)
        parts = list(filter(None, (entry.get("schema"), entry.get("identifier") or table)))
        written = ".".join(parts) if any(map(is_template, parts)) else ""
        relation = relation_name(*(fill(part, where) for part in parts) if written else parts)
        return SourceTable(group, table, relation, entry.get("description", ""), where, written)

    return {
        (group, table): declared(entry, group, table)
        for group, tables in file.data.items()
        for table, entry in tables.items()
    }


def _selectors(project: CheckedYaml) -> dict[str, Selector]:
    selectors = {
        name: Selector(
            name,
            tuple(entry.get("select", ())),
            tuple(entry.get("exclude", ())),
            entry.get("description", ""),
            project.where("selectors", name),
        )
        for name, entry in project.data.get("selectors", {}).items()
    }
    require_selectors(selectors)
    return selectors


def _checks(file: CheckedYaml) -> list[Check]:
    return [
        Check(
            type=entry["type"],
            table=entry["table"],
            column=entry.get("column", ""),
            tags=tuple(entry.get("tags", ())),
            parameters={k: v for k, v in entry.items() if k not in _CHECK_KEYS},
            where=file.where("tests", i),
            severity=entry.get("severity", "error"),
        )
        for i, entry in enumerate(file.data.get("tests", ()))
    ]
