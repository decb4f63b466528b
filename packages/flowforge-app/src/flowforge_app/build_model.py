"""Build one model inside the transaction that its caller opened."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from inspect import signature
from typing import Any

from flowforge_app.compile_models import CompileModels, tell_nobody
from flowforge_app.model_errors import (
    about_rows,
    about_views,
    function_error,
    hook_error,
    moved_back,
    statement_error,
)
from flowforge_app.replace import keeping, renewing, replacing
from flowforge_app.staging import StagedBuild
from flowforge_app.view_texts import ViewTexts
from flowforge_domain.capability import Capability
from flowforge_domain.dialect import RelationKind, count_rows, relation_key
from flowforge_domain.errors import EngineError, ModelError, RequiredColumnsError, UnsupportedByEngineError, told_as
from flowforge_domain.hooks import Hook, may_change_rows
from flowforge_domain.inputs import ModelInputs
from flowforge_domain.late_views import Renewals
from flowforge_domain.manifest import Manifest, input_names, input_relations
from flowforge_domain.materializations import PLANS
from flowforge_domain.materialize import built_as, prepare_statements, query_head, staging_head
from flowforge_domain.model import Node
from flowforge_domain.plan import Plan, Situation
from flowforge_domain.requirements import check_required_columns
from flowforge_ports.engine import Engine, Frame, Frames
from flowforge_ports.project import FunctionLoader, ProjectReader


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made: rows if the engine says; `hooks` are those that ran, with their statements."""

    rows: int | None
    hooks: tuple[tuple[Hook, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """What a build finds: `existing` maps relations to what they are now, and is kept true.

    `now` is the moment of the run, ISO 8601 in UTC. Growing models named in `anew` are built from scratch. The models
    that the run builds are `due`.
    """

    existing: dict[str, RelationKind]
    now: str
    anew: Collection[str] = ()
    due: Collection[str] = ()


@dataclass(frozen=True)
class BuildModel:
    """Builds a SQL or Python model on one engine; `plans` are the materializations that work on staged rows.

    `told` hears of each statement that makes the model's relation or changes it, before that is run.
    """

    manifest: Manifest
    engine: Engine
    compiler: CompileModels
    reader: ProjectReader
    functions: FunctionLoader
    plans: Mapping[str, Callable[[Situation], Plan]] = field(default_factory=lambda: PLANS)
    told: Callable[[Node, str], None] = tell_nobody

    def __call__(self, node: Node, ground: Ground) -> Built:
        """Replace the node's relation, or bring new rows into it, as it is materialized.

        Raises `FlowForgeError` with model, file and line; the caller rolls back.
        """
        build = _Build(self, node, ground)
        texts = ViewTexts(self.manifest, self.compiler, self.engine.dialect, node, ground.due)
        kept = keeping(self.engine, node.relation, ground.existing, Renewals(texts, texts.later))
        with about_views(node), kept:
            before = build.run_hooks("pre_hook")
            with renewing(self.engine, texts):
                built = build.from_sql() if node.kind == "sql" else build.from_function()
            after = build.run_hooks("post_hook")
        built = replace(built, hooks=(*before, *after))
        if built.rows is None or node.config.materialized != "table":
            return built
        changed = any(may_change_rows(sql, self.engine.dialect) for _, sql in after)
        return replace(built, rows=_count(self.engine, node.relation)) if changed else built


@dataclass(frozen=True)
class _Build:
    """One build of one model."""

    on: BuildModel
    node: Node
    ground: Ground

    def run_hooks(self, when: str) -> list[tuple[Hook, str]]:
        """Run the hooks of one kind and return them with their statements."""
        hooks = self.on.compiler.hooks(self.node, when, incremental=self.goes_on)
        for hook, sql in hooks:
            try:
                self.engine.session.execute(sql)
            except EngineError as error:
                raise hook_error(error, self.node, hook, sql) from error
        return hooks

    def from_sql(self) -> Built:
        statement = self.on.compiler.to_run(self.node, incremental=self.goes_on)
        if self.staged is not None:
            return Built(self._from_staged(self.staged, statement))
        self.on.told(self.node, statement)
        run = statement
        try:
            with replacing(self.engine, self.node.relation, self.node.config.stands_as, self.standing) as into:
                run = built_as(statement, into, self.engine.dialect)
                rows = self.engine.session.execute(run)
        except EngineError as error:
            raise self._told(
                moved_back(error, run, statement, self.engine.dialect), statement, self._query_head()
            ) from error
        return Built(rows if self.node.config.stands_as == "table" else None)

    def _from_staged(self, staged: StagedBuild, query: str) -> int | None:
        head = staging_head(staged.relation, self.engine.dialect)
        statement = f"{head}{query}"

        def fill(_: str) -> int | None:
            self.on.told(self.node, statement)
            try:
                return self.engine.session.execute(statement)
            except EngineError as error:
                raise self._told(error, statement, head) from error

        with about_rows(self.node, self.on.manifest, self.engine, into=self.node.relation):
            return staged(fill)

    def _told(self, error: EngineError, statement: str, head: str) -> ModelError:
        text = self.on.reader.text(self.node)
        kept = self.on.compiler.kept(self.node)
        return statement_error(error, self.node, statement, head, text, self.on.manifest, self.engine, kept)

    def from_function(self) -> Built:
        frames = self.engine.frames
        if frames is None:
            raise UnsupportedByEngineError(self.engine.name, Capability.PYTHON_MODELS.value)
        function = self.on.functions.function(self.node)
        if carry := self.engine.carry:
            for module in self.on.functions.modules():
                carry(module)
        about_frames = partial(about_rows, self.node, self.on.manifest, self.engine)
        with about_frames():
            inputs = self._inputs(frames)
            this = frames.read(self.node.relation) if self.goes_on and _wants_this(function) else None
            result = _call(function, inputs, this, self.node, self.on.manifest)
            if self.staged is None:
                self._make_room()
                return Built(frames.write(self.node.relation, result))

        def fill(relation: str) -> int | None:
            with about_frames():
                return frames.write(relation, result)

        with about_frames(into=self.node.relation):
            return Built(self.staged(fill))

    @property
    def engine(self) -> Engine:
        return self.on.engine

    @cached_property
    def standing(self) -> RelationKind | None:
        return self.ground.existing.get(relation_key(self.node.relation, self.engine.dialect))

    @cached_property
    def goes_on(self) -> bool:
        """Whether new rows come to those that stand; a snapshot's history is never built from scratch."""
        grows = self.node.config.materialized in self.on.plans
        return grows and self.standing == "table" and self.node.name not in self.ground.anew

    @cached_property
    def staged(self) -> StagedBuild | None:
        """How the rows are staged, None where they replace the relation at once."""
        plan = self.on.plans.get(self.node.config.materialized)
        if plan is None:
            return None
        return StagedBuild(
            self.engine,
            self.node,
            plan,
            self.standing,
            self.goes_on,
            self.ground.now,
            self.ground.existing,
            self.on.reader,
            partial(self.on.told, self.node),
        )

    def _query_head(self) -> str:
        # As it was compiled: an engine that is open may say more in its own, such as `copy grants`.
        return query_head(self.node, self.on.compiler.dialect)

    def _inputs(self, frames: Frames) -> ModelInputs[Frame]:
        names = input_names(self.on.manifest, self.node)
        inputs = {relation: frames.read(relation) for relation in input_relations(self.on.manifest, self.node)}
        try:
            columns = {relation: frames.columns(frame) for relation, frame in inputs.items()}
            check_required_columns(self.node.name, columns, self.node.requires, names)
        except RequiredColumnsError as error:
            error.where = self.node.where()
            raise
        return ModelInputs(inputs, names)

    def _make_room(self) -> None:
        kind = self.node.config.stands_as
        for statement in prepare_statements(self.node.relation, kind, self.standing, self.engine.dialect):
            self.engine.session.execute(statement)


def _count(engine: Engine, relation: str) -> int:
    return int(engine.session.query(count_rows(relation, engine.dialect)).rows[0][0])


def _wants_this(function: Callable[..., Any]) -> bool:
    return "this" in signature(function).parameters


def _call(
    function: Callable[..., Any], inputs: ModelInputs[Frame], this: Frame | None, node: Node, manifest: Manifest
) -> Frame:
    """Call a user's function as its deps say: without argument, with the frame, or with a dict of frames."""
    arguments = [inputs] if len(inputs) > 1 else list(inputs.values())
    named = {"this": this} if _wants_this(function) else {}
    with told_as(lambda error: function_error(error, node, inputs, manifest.root)):
        return function(*arguments, **named)
