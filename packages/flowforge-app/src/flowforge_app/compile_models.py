"""Compile models: the SQL that a SQL model becomes on an engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flowforge_app.template_values import Values
from flowforge_domain.ddl import is_blank, one_statement, with_queries
from flowforge_domain.dialect import Dialect, quote_name, quote_relation
from flowforge_domain.errors import ConfigError, TemplateError
from flowforge_domain.hooks import MODEL_HOOKS, Hook
from flowforge_domain.manifest import Manifest, ref_relation, source_relation
from flowforge_domain.materialize import create_statement, plain_query, query_head
from flowforge_domain.model import Node, node_name
from flowforge_domain.selection import EVERYTHING, Selection, selected_nodes
from flowforge_domain.sql_scan import squeezed
from flowforge_ports.project import RenderContext, TemplateRenderer


def tell_nobody(node: Node, sql: str) -> None:
    """Ignore what is going to be run."""


def nowhere(_: Node) -> str:
    """Say that what a model runs is written to no file."""
    return ""


def query_name(node: Node) -> str:
    """Return the name of an ephemeral model's query within the statements of those that read it."""
    return f"_flowforge_{node.name}"


_OF_TRANSACTIONS = {"begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release"}


@dataclass(frozen=True)
class CompileModels:
    """Renders SQL models for one engine and environment.

    `target` is what templates see of the environment: name, engine. `heard` is told of what each model is going to run,
    and `kept` says which file of the project holds it then, "" for none; `values` keeps the variables that each model's
    template read.
    """

    manifest: Manifest
    renderer: TemplateRenderer
    dialect: Dialect
    target: Mapping[str, str]
    environment: Mapping[str, str]
    heard: Callable[[Node, str], None] = field(default=tell_nobody, compare=False, repr=False)
    kept: Callable[[Node], str] = field(default=nowhere, compare=False, repr=False)
    values: dict[str, dict[str, Any]] = field(default_factory=dict, compare=False, repr=False)
    _known: dict[tuple[str, bool], str] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, wanted: Selection = EVERYTHING) -> dict[str, str]:
        """Return what each selected SQL model runs, as `written`, in run order.

        Raises `FlowForgeError` for a wrong graph, selection or template.
        """
        return {n.name: self.written(n) for n in selected_nodes(self.manifest, wanted) if n.kind == "sql"}

    def statement(self, node: Node, incremental: bool = False) -> str:
        """Return the statement that builds one SQL model; with `incremental`, from its new rows only.

        Of an ephemeral one, which nothing builds, its query.

        Raises `TemplateError` with file, line and what to write instead, and `ConfigError` with the file for a name
        that the engine cannot hold.
        """
        key = (node.name, incremental)
        if key not in self._known:
            try:
                self._known[key] = self._statement(node, incremental)
            except ConfigError as error:
                # A name that the engine cannot hold: who quotes it does not know where it stands.
                error.where = error.where or node.where()
                raise
        return self._known[key]

    def written(self, node: Node, incremental: bool = False) -> str:
        """Return the statement of a model, but of one whose rows stay the query: a plan brings its rows to the others.

        Raises as `statement` does.
        """
        sql = self.statement(node, incremental)
        return sql if node.config.is_replaced else sql.removeprefix(query_head(node, self.dialect))

    def to_run(self, node: Node, incremental: bool = False) -> str:
        """Return what is `written` of a model that is going to be run now; raise as that does."""
        sql = self.written(node, incremental)
        self.heard(node, sql)
        return sql

    def _statement(self, node: Node, incremental: bool) -> str:
        inlined: dict[str, str] = {}
        context = self.context(node, inlined, incremental, self.values.setdefault(node.name, {}))
        sql = with_queries(self.renderer.render(node, context), inlined, node.file, self.dialect)
        form = plain_query if node.config.materialized == "ephemeral" else create_statement
        return form(node, sql, self.dialect)

    def as_of(self, values: Mapping[str, Any], node: Node, incremental: bool) -> str:
        """Return what the template of `node` would say with the variables of another time, as `values` kept them.

        Raises `TemplateError` as `statement` does.
        """
        inlined: dict[str, str] = {}
        context = self.context(node, inlined, incremental, before=values)
        return with_queries(self.renderer.render(node, context), inlined, node.file, self.dialect)

    def hooks(self, node: Node, when: str, incremental: bool = False) -> list[tuple[Hook, str]]:
        """Return a node's hooks of one kind with their statements; one that renders to nothing is left out."""
        found = [(hook, self.hook(hook, node, incremental)) for hook in node.hooks if hook.when == when]
        return [(hook, sql) for hook, sql in found if sql]

    def every_hook(self, node: Node) -> list[tuple[Hook, str]]:
        """Return a node's hooks with their statements, and with what those are for new rows where they differ."""
        if not node.hooks:
            return []
        forms = (False,) if node.config.is_replaced else (False, True)
        said = [[one for when in MODEL_HOOKS for one in self.hooks(node, when, new)] for new in forms]
        return said[0] if said[0] == said[-1] else [*said[0], *said[-1]]

    def hook(
        self, hook: Hook, node: Node | None = None, incremental: bool = False, more: Mapping[str, Any] | None = None
    ) -> str:
        """Return the statement of a hook, empty where it renders to nothing; `more` are names that only it sees.

        Raises `TemplateError` with file and line.
        """
        inlined: dict[str, str] = {}
        context = replace(self.context(node, inlined, incremental), more=more or {})
        try:
            sql = one_statement(self.renderer.hook(hook, node, context), dialect=self.dialect, thing="hook")
        except TemplateError as error:
            error.where = error.where or hook.where
            raise
        if inlined:
            message = f"A {hook.when} cannot read an ephemeral model, which is no relation."
            raise TemplateError(message, where=hook.where, hint="Materialize the model as a view.")
        word = squeezed(sql, self.dialect).split(maxsplit=1)[:1]
        if word and word[0].lower() in _OF_TRANSACTIONS:
            message = f"A {hook.when} runs within a transaction, which {word[0]!r} would begin or end."
            raise TemplateError(message, where=hook.where, hint="Take it away: what the hook does is committed for it.")
        return "" if is_blank(sql) else sql

    def context(
        self,
        node: Node | None,
        inlined: dict[str, str],
        incremental: bool = False,
        read: dict[str, Any] | None = None,
        before: Mapping[str, Any] | None = None,
    ) -> RenderContext:
        """Return what the template of a node may call; relations are quoted for the engine.

        Ephemeral models that it refers to are put into `inlined`, by quoted name, each after those that it reads; the
        variables that are asked for into `read`. Those of `before` stand in the place of today's.
        """
        read, before = {} if read is None else read, before or {}
        return RenderContext(
            ref=lambda name: self._ref(name, inlined, read, before),
            source=lambda group, table: quote_relation(source_relation(self.manifest, group, table), self.dialect),
            this=quote_relation(node.relation, self.dialect) if node else "",
            target=self.target,
            variables=Values("var", self.manifest.variables, read, before),
            environment=Values("env", self.environment, read, before),
            incremental=incremental,
        )

    def _ref(self, name: str, inlined: dict[str, str], read: dict[str, Any], before: Mapping[str, Any]) -> str:
        found = self.manifest.nodes.get(node_name(name))
        if found is None or found.config.materialized != "ephemeral":
            return quote_relation(ref_relation(self.manifest, name), self.dialect)
        query = quote_name(query_name(found), self.dialect)
        if query not in inlined:
            sql = self.renderer.render(found, self.context(found, inlined, read=read, before=before))
            inlined[query] = plain_query(found, sql, self.dialect)
        return query
