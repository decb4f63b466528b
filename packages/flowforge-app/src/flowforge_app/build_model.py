"""Build one model inside the transaction that its caller opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flowforge_app.compile_models import CompileModels
from flowforge_app.model_errors import function_error, python_engine_error, statement_error
from flowforge_app.replace import replacing
from flowforge_domain.capability import Capability
from flowforge_domain.dialect import RelationKind, relation_key
from flowforge_domain.errors import EngineError, RequiredColumnsError, UnsupportedByEngineError
from flowforge_domain.fingerprint import fingerprint
from flowforge_domain.manifest import Manifest, input_relations
from flowforge_domain.materialize import built_as, prepare_statements
from flowforge_domain.model import Node
from flowforge_domain.requirements import check_required_columns
from flowforge_ports.engine import Engine, Frame, Frames
from flowforge_ports.project import FunctionLoader, ProjectReader


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made: rows if the engine says, and the fingerprint of what went in."""

    rows: int | None
    fingerprint: str


@dataclass(frozen=True)
class BuildModel:
    """Builds a SQL or Python model on one engine."""

    manifest: Manifest
    engine: Engine
    compiler: CompileModels
    reader: ProjectReader
    functions: FunctionLoader

    def __call__(self, node: Node, existing: Mapping[str, RelationKind]) -> Built:
        """Replace the node's relation; `existing` maps relations to what they are now.

        Raises `FlowForgeError` with model, file and line; the caller rolls back.
        """
        if node.kind == "sql":
            statement = self.compiler.statement(node)
            rows, text = self._run_statement(node, statement, existing), statement
        else:
            text = self.reader.text(node)
            rows = self._run_function(node, existing)
        return Built(rows, fingerprint(node.kind, text))

    def _run_statement(self, node: Node, statement: str, existing: Mapping[str, RelationKind]) -> int | None:
        standing = existing.get(relation_key(node.relation, self.engine.dialect))
        try:
            with replacing(self.engine, node.relation, node.config.stands_as, standing) as into:
                rows = self.engine.session.execute(built_as(statement, into, self.engine.dialect))
        except EngineError as error:
            text = self.reader.text(node)
            raise statement_error(error, node, statement, text, self.manifest, self.engine) from error
        return rows if node.config.stands_as == "table" else None

    def _run_function(self, node: Node, existing: Mapping[str, RelationKind]) -> int | None:
        frames = self.engine.frames
        if frames is None:
            raise UnsupportedByEngineError(self.engine.name, Capability.PYTHON_MODELS.value)
        function = self.functions.function(node)
        try:
            inputs = self._inputs(node, frames)
            result = _call(function, list(inputs.values()), inputs, node, self.manifest)
            self._prepare(node, existing)
            return frames.write(node.relation, result)
        except EngineError as error:
            raise python_engine_error(error, node, self.manifest, self.engine) from error

    def _inputs(self, node: Node, frames: Frames) -> dict[str, Frame]:
        inputs = {relation: frames.read(relation) for relation in input_relations(self.manifest, node)}
        try:
            columns = {relation: frames.columns(frame) for relation, frame in inputs.items()}
            check_required_columns(node.name, columns, node.requires)
        except RequiredColumnsError as error:
            error.where = node.where()
            raise
        return inputs

    def _prepare(self, node: Node, existing: Mapping[str, RelationKind]) -> None:
        kind = existing.get(relation_key(node.relation, self.engine.dialect))
        for statement in prepare_statements(node.relation, node.config.stands_as, kind, self.engine.dialect):
            self.engine.session.execute(statement)


def _call(
    function: Callable[..., Any], frames: list[Frame], inputs: dict[str, Frame], node: Node, manifest: Manifest
) -> Frame:
    """Call a user's function as its deps say: without argument, with the frame, or with a dict of frames."""
    arguments = [inputs] if len(frames) > 1 else frames
    try:
        return function(*arguments)
    except (Exception, SystemExit) as error:
        raise function_error(error, node, inputs, manifest.root) from error
