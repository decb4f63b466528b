"""What went wrong while a model was built, told in terms of the model: its file, its line, the SQL it became."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import SequenceMatcher
from pathlib import Path
from shlex import quote
from traceback import extract_tb

from flowforge_domain.ddl import find_target, first_line
from flowforge_domain.dialect import Dialect
from flowforge_domain.errors import EngineError, ErrorKind, ModelError
from flowforge_domain.hooks import Hook
from flowforge_domain.inputs import ModelInputs
from flowforge_domain.manifest import Manifest, input_relations, source_relation
from flowforge_domain.model import Node
from flowforge_domain.relation import relation_parts, same_relation
from flowforge_domain.text import Location, caret, words_of
from flowforge_ports.engine import Engine, Frame

# In memory no other command finds what one has made; a `Project` that is kept open does.
KEEPS_NOTHING = "An in-memory target keeps nothing between commands: give the profile one that lasts, as a file does."


def statement_error(
    error: EngineError, node: Node, statement: str, head: str, text: str, manifest: Manifest, engine: Engine, kept: str
) -> ModelError:
    """Return an engine's error about a model's statement, with the line of the model's file it belongs to.

    `head` is what stands before the model's own SQL where that is a plain query; `kept` is the file that holds what
    ran, "" where none does: compiled again, the statement may be another.
    """
    head = "" if find_target(text, dialect=engine.dialect) else head
    sql = statement.removeprefix(head)
    # A statement that cannot be read is wrong as a whole where the engine says no line; a value is somewhere in it.
    line = error.line or (first_line(sql) if error.kind is ErrorKind.SYNTAX else 0)
    column = error.column - len(head) if error.line == 1 else error.column
    otherwise = f"See the SQL that was run: {kept}" if kept else "Correct its SQL."
    return ModelError(
        node.name,
        f"Model {node.name!r} failed: {error.message}",
        where=Location(node.file, _line_in_file(text, sql, line)),
        snippet=caret(sql, line, max(0, column)),
        hint=_next_step(error, node, manifest, engine, otherwise),
    )


def moved_back(error: EngineError, run: str, statement: str, dialect: Dialect) -> EngineError:
    """Return an error about what was run as one about `statement`, in whose place it stood with another name."""
    target = find_target(statement, dialect=dialect)
    if error.column and target is not None and error.line == statement.count("\n", 0, target.end) + 1:
        error.column += len(statement) - len(run)
    return error


@contextmanager
def about_rows(node: Node, manifest: Manifest, engine: Engine, into: str = "") -> Iterator[None]:
    """Raise an engine's error of the block as one about a model's rows: of a frame, or on their way `into` a relation.

    Raises `ModelError`.
    """
    when = f" while its new rows were brought into {into}" if into else ""
    otherwise = "Check its settings, and the types of its columns."
    if not into:
        otherwise = "Check what the function returns, and what it reads."
    try:
        yield
    except EngineError as error:
        raise ModelError(
            node.name,
            f"Model {node.name!r} failed{when}: {error.message}",
            where=node.where(),
            hint=_next_step(error, node, manifest, engine, otherwise),
        ) from error


@contextmanager
def about_views(node: Node) -> Iterator[None]:
    """Raise an engine's error of the block as one about what stands on a model's relation: `ModelError`."""
    try:
        yield
    except EngineError as error:
        message = f"Model {node.name!r} failed: {error.message}"
        raise ModelError(node.name, message, where=node.where(), hint=error.hint) from error


def function_error(error: BaseException, node: Node, inputs: ModelInputs[Frame], root: Path) -> ModelError:
    """Return what a user's function raised, with the last line of the project it passed through.

    It may be written for the frames of another engine: where the error can come from that, theirs are named.
    """
    line, file = node.where().line, node.file
    for frame in extract_tb(error.__traceback__):
        if Path(frame.filename).is_relative_to(root):
            line, file = frame.lineno or 0, Path(frame.filename).relative_to(root).as_posix()
    code = (root / file).read_text("utf-8", "replace") if (root / file).is_file() else ""
    return ModelError(
        node.name,
        f"Model {node.name!r} failed: {type(error).__name__}: {words_of(error)}".rstrip(": "),
        where=Location(file, line),
        snippet=caret(code, line),
        hint=_function_hint(error, inputs),
    )


def hook_error(error: EngineError, node: Node, hook: Hook, sql: str) -> ModelError:
    """Return an engine's error about a hook of a model."""
    return ModelError(
        node.name,
        f"Model {node.name!r} failed in its {hook.when}: {error.message}",
        where=hook.where,
        snippet=hook_excerpt(error, sql),
        hint=error.hint or "Correct the hook.",
    )


def hook_excerpt(error: EngineError, sql: str) -> str:
    """Return the line of a hook's SQL that an engine complains about, the first one where it names none.

    A hook may be one of several on a line of its file.
    """
    return caret(sql, error.line or first_line(sql), error.column)


def _function_hint(error: BaseException, inputs: ModelInputs[Frame]) -> str:
    if isinstance(error, KeyError):
        return _key_hint(error, inputs.names)
    given = next(iter(inputs.values()), None)
    if given is None or not _may_be_of_frames(error, given):
        return "Correct the function; FLOWFORGE_TRACE=1 shows the whole trace."
    kind = f"{type(given).__module__}.{type(given).__qualname__}"
    return f"Correct the function for what it is given, {kind}. How to convert it: docs/guide/models.md, Frames."


def _may_be_of_frames(error: BaseException, frame: Frame) -> bool:
    """Tell whether a function may have raised this for taking `frame` for another library's."""
    if not isinstance(error, AttributeError):
        return isinstance(error, TypeError)
    # Columns are of the frames' library too.
    libraries = [type(one).__module__.partition(".")[0] for one in (error.obj, frame)]
    return libraries[0] == libraries[1]


def _key_hint(error: KeyError, inputs: Mapping[str, str]) -> str:
    keys = ", ".join(map(repr, inputs))
    ((name, relation), *_) = [*inputs.items(), ("", "")]
    if len(inputs) == 1 and error.args[:1] in ((name,), (relation,)):
        return "A function of one input is given its frame itself: drop the key."
    if len(inputs) > 1:
        return f"Inputs are keyed by the names in `deps`, or relation_for(dep): {keys}. Otherwise check the columns."
    return f"Check the columns of {keys}: flowforge show {quote(relation)}" if inputs else "Check the key."


def _next_step(error: EngineError, node: Node, manifest: Manifest, engine: Engine, otherwise: str) -> str:
    """Return the engine's own hint, or one command that helps."""
    if error.kind is not ErrorKind.MISSING_RELATION:
        return error.hint or otherwise
    seeds = {same_relation(seed.relation) for seed in manifest.seeds.values()}
    sources = {same_relation(source_relation(manifest, *key)) for key in node.sources}
    missing = {r for r in map(same_relation, input_relations(manifest, node)) if _names(error.message, r)}
    if missing & seeds:
        return "Load the seeds first: flowforge seed" if engine.keeps else KEEPS_NOTHING
    if missing - sources:
        return f"Build what it reads first: flowforge run --select {quote(f'+{node.name}')}"
    named = set(map(same_relation, input_relations(manifest, node)))
    for name, one in manifest.nodes.items():
        if same_relation(one.relation) not in named and name != node.name and _names(error.message, one.relation):
            return f"Write ref({name!r}) for the table of that model: only then it is built first."
    return error.hint or "Create the table, or correct its name in sources.yml."


def _names(message: str, relation: str) -> bool:
    """Tell whether an engine's message names a relation, by its last part as a word of its own."""
    last = re.escape(relation_parts(relation.casefold())[-1])
    return re.search(rf"(?<!\w){last}(?!\w)", message.casefold()) is not None


def _line_in_file(text: str, statement: str, line: int) -> int:
    """Return the line of the model's file that became line `line` of its statement, or looks most like it."""
    written, run = text.splitlines(), statement.splitlines()
    if len(written) == len(run) or not 1 <= line <= len(run):
        return line
    alike = [SequenceMatcher(None, candidate.strip(), run[line - 1].strip()).ratio() for candidate in written]
    return alike.index(max(alike)) + 1
