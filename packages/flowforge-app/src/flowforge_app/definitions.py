"""What decides a model's data apart from the data that it reads: its text, its settings, and the software at work."""

from __future__ import annotations

import platform
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from flowforge_app.compile_models import CompileModels
from flowforge_domain.ddl import find_target
from flowforge_domain.dialect import Dialect, quote_relation, relation_key
from flowforge_domain.fingerprint import Inputs, definition_of, fingerprint, settings_that_matter
from flowforge_domain.hooks import MODEL_HOOKS
from flowforge_domain.manifest import Manifest, input_relations
from flowforge_domain.model import Node
from flowforge_domain.sql_scan import squeezed, undeclared, volatile_word
from flowforge_ports.engine import Engine
from flowforge_ports.project import Code, ProjectReader
from flowforge_ports.sql import SqlAnalysis, SqlFacts


@dataclass(frozen=True)
class Definitions:
    """Reads and understands the models of one project, for one engine whose session has these `formats`.

    `plugins` tells which distribution, in which version, brings the engine or a materialization of this name.
    """

    manifest: Manifest
    engine: Engine
    compiler: CompileModels
    reader: ProjectReader
    sql: SqlAnalysis
    formats: Mapping[str, str] = field(default_factory=dict)
    plugins: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    _codes: dict[str, Code] = field(default_factory=dict)

    def inputs(self, node: Node, upstream: Mapping[str, str | None]) -> Inputs:
        """Return all that decides what a build of `node` gives; raise `FlowForgeError` for what cannot be rendered."""
        plain = self.proof(node, self.fingerprint(node), upstream)
        code = self._code(node) if node.kind == "python" else None
        origin = _code_origin(node, code) if code else _origin(node, self.manifest, self.compiler)
        said = self.compiler.every_hook(node)
        texts = {when: [sql for hook, sql in said if hook.when == when] for when in MODEL_HOOKS}
        hooks = {f"hook {when}": fingerprint(*found)[:_SHORT] for when, found in texts.items() if found}
        return replace(plain, definition=self.definition(node), origin=origin | hooks)

    def proof(self, node: Node, text: str, upstream: Mapping[str, str | None]) -> Inputs:
        """Return the inputs of `node` with the fingerprint of its text, as far as their own fingerprint holds them."""
        settings = {"relation": node.relation} | _surroundings(node, self.formats) | settings_that_matter(node.config)
        if node.kind == "python":
            # Those of SQL stand in its text.
            settings["reads"] = ", ".join(input_relations(self.manifest, node))
        return Inputs(text, settings, _versions(node, self.engine, self.plugins), upstream)

    def definition(self, node: Node, before: Inputs | None = None) -> dict[str, str]:
        """Return what the rows of `node` are made by, nothing where none stay; with the variables of `before`.

        Where `before` tells it as earlier versions did, so does this: by the text for new rows too, and by all that the
        file of a Python model holds, the names of what it reads among it. Raises `FlowForgeError` for what cannot be
        rendered.
        """
        if node.config.is_replaced:
            return {}
        earlier = before is not None and "text" in before.definition
        if node.kind == "python":
            code = self._code(node)
            if earlier:
                return definition_of(node.config, text=fingerprint(code.text), python=_PYTHON)
            reads = ", ".join(sorted(input_relations(self.manifest, node)))
            return definition_of(node.config, code=fingerprint(code.making), python=_PYTHON, reads=reads)
        forms = (False, True) if earlier else (False,)
        texts = (self.compiler.as_of(before.origin if before else {}, node, incremental) for incremental in forms)
        said = fingerprint(*(squeezed(text, self.engine.dialect) for text in texts))
        return definition_of(node.config, **{"text" if earlier else "query": said})

    def fingerprint(self, node: Node) -> str:
        """Return the fingerprint of what `node` runs; raise as `text` does."""
        return fingerprint(node.kind, self.text(node))

    def text(self, node: Node) -> str:
        """Return what `node` runs: its code, or its statement, and where that is another one for new rows, both."""
        own = self.statements(node) if node.kind == "sql" else (self._code(node).text,)
        hooks = (f"{hook.when} {sql}" for hook, sql in self.compiler.every_hook(node))
        return "\n;\n".join((*own, *hooks))

    def statements(self, node: Node) -> tuple[str, ...]:
        """Return what a SQL model may become: for new rows it may be another statement than from scratch."""
        first = self.compiler.statement(node)
        if node.config.is_replaced:
            return (first,)
        second = self.compiler.statement(node, incremental=True)
        return (first,) if second == first else (first, second)

    def same(self, text: str, node: Node) -> bool:
        """Tell whether SQL that was run says the same as that of `node` now, but for layout and comments."""
        before, now = text.split("\n;\n"), self.text(node).split("\n;\n")
        return len(before) == len(now) and all(map(self._say_the_same, before, now))

    def instability(self, node: Node) -> str:
        """Say why the same inputs may give other data another time, "" where they cannot."""
        if node.kind != "sql":
            found = self._code(node).volatile
            return f"its code may give another result each time: {found}" if found else ""
        return next(filter(None, (self._sql_instability(sql, node) for sql in self.statements(node))), "")

    def _say_the_same(self, before: str, now: str) -> bool:
        if before == now:
            return True
        old, new = self.facts(before), self.facts(now)
        return old is not None and new is not None and old.normalized == new.normalized

    def _sql_instability(self, sql: str, node: Node) -> str:
        dialect = self.engine.dialect
        head = find_target(sql, dialect=dialect)
        query = sql[head.end :] if head else sql
        declared = {quote_relation(name, dialect) for name in _relations(node, self.manifest)}
        word, stranger = volatile_word(query, dialect), undeclared(query, declared, dialect)
        if not word and not stranger:
            return ""
        facts = self.facts(sql)
        if word and (facts is None or facts.volatile):
            said = word[0] if facts is None else facts.volatile[0]
            return f"its SQL gives another result each time: {said} ({node.file}, line {word[1]} of the SQL)"
        if facts is None:
            return f"it may read {stranger}, which no ref() or source() names"
        foreign = next(foreign_reads(facts, node, self.manifest, dialect), "")
        return f"it reads {foreign}, which no ref() or source() names" if foreign else ""

    def facts(self, sql: str) -> SqlFacts | None:
        """Return what a statement is and reads, None where nobody can tell."""
        dialect = self.engine.dialect
        return self.sql.facts(sql, dialect.grammar or dialect.name, dialect.volatile)

    def _code(self, node: Node) -> Code:
        if node.name not in self._codes:
            self._codes[node.name] = self.reader.code(node)
        return self._codes[node.name]


def foreign_reads(facts: SqlFacts, node: Node, manifest: Manifest, dialect: Dialect) -> Iterator[str]:
    """Yield what SQL of `node` reads besides what the model names."""
    known = {relation_key(name, dialect) for name in _relations(node, manifest)}
    yield from (name for name in facts.reads if name.endswith("()") or relation_key(name, dialect) not in known)


def _surroundings(node: Node, formats: Mapping[str, str]) -> dict[str, str]:
    """Return what a result may depend on that no file says; Python goes by a zone of its own."""
    session = {f"{name} of the session": value for name, value in formats.items()}
    if node.kind == "sql":
        return session
    return session | {"local time zone": f"{'/'.join(time.tzname)} {-time.timezone // 60:+d}"}


def _origin(node: Node, manifest: Manifest, compiler: CompileModels) -> dict[str, Any]:
    """Return what the text of a node was made from, once it has been rendered."""
    above = inlined(node, manifest)
    called = dict.fromkeys(name for one in (node, *above) for name in one.macros)
    macros = {f"macro {name}": manifest.macros[name].digest[:_SHORT] for name in called}
    inner = {f"ephemeral {one.name}": one.checksum[:_SHORT] for one in above}
    return {"file": node.checksum[:_SHORT]} | macros | inner | compiler.values.get(node.name, {})


def _code_origin(node: Node, code: Code) -> dict[str, Any]:
    named = ((f"module {file}" if file != node.file else "file", text) for file, text in code.files.items())
    return {name: fingerprint(text)[:_SHORT] for name, text in named}


def _relations(node: Node, manifest: Manifest) -> set[str]:
    """Return the relations whose data is accounted for: what the model reads, also through what is inlined."""
    readers = (node, *inlined(node, manifest))
    return {node.relation} | {read for one in readers for read in input_relations(manifest, one)}


def inlined(node: Node, manifest: Manifest) -> Collection[Node]:
    """Return the ephemeral models whose SQL stands in that of `node`, each once by however many it is read."""
    found: dict[str, Node] = {}
    names = list(node.deps)
    for name in names:
        inner = manifest.nodes.get(name)
        if inner is not None and inner.config.materialized == "ephemeral" and name not in found:
            found[name] = inner
            names += inner.deps
    return found.values()


def _versions(node: Node, engine: Engine, plugins: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    software = {engine.name: engine.version, "flowforge": FLOWFORGE}
    software |= dict(plugins[name] for name in (engine.name, node.config.materialized) if name in plugins)
    return software if node.kind == "sql" else software | {"python": _PYTHON} | _libraries()


@cache
def _libraries() -> dict[str, str]:
    """Return the versions of what makes frames, which differ in what the same code gives; none of them is imported."""
    found = {}
    for name in _FRAME_LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


# Of checksums that only say what changed.
_SHORT = 16
FLOWFORGE = version("flowforge-app")
_FRAME_LIBRARIES = ("pandas", "numpy", "pyarrow", "polars", "pyspark", "snowflake-snowpark-python", "bigframes")
_PYTHON = ".".join(platform.python_version_tuple()[:2])
