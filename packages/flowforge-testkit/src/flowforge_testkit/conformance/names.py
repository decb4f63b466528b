"""Names: every identifier of the corpus comes back exactly as it was given, or is refused; nothing else happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from pathlib import Path

from flowforge_domain.capability import Capability
from flowforge_domain.catalog import kinds
from flowforge_domain.checks import Check, check_failure, check_query
from flowforge_domain.dialect import Dialect, known_name, quote_name, quote_relation, stored_name
from flowforge_domain.errors import (
    ConfigError,
    EngineError,
    ErrorKind,
    FlowForgeError,
    SeedError,
    UnsupportedByEngineError,
)
from flowforge_domain.materialize import drop_statement
from flowforge_domain.relation import relation_name, same_relation
from flowforge_domain.results import Rows
from flowforge_ports.engine import Engine
from flowforge_testkit.conformance.ground import build, claims, count, frames_of, needs, rows, transaction
from flowforge_testkit.conformance.seeds import load

NAMES: tuple[str, ...] = tuple(
    json.loads(resources.files("flowforge_testkit.conformance").joinpath("names.json").read_text(encoding="utf-8"))
)
Rule = Callable[[str, Dialect], str]
_MOST_WRONG = 10


@dataclass(frozen=True)
class Names:
    """The names to try: all, or `most` of those that the rules of the dialect let through; `tell` hears how many.

    With `holding` those only that hold this text, with `without` those that hold none of these.
    """

    most: int | None
    tell: Callable[[str], None]
    holding: str = ""
    without: tuple[str, ...] = ()

    def chosen(self, rule: Rule, dialect: Dialect) -> Sequence[str]:
        """Return the names, the same in every run; two that the rules refuse are among them."""
        names = [n for n in NAMES if self.holding in n and not any(text in n for text in self.without)]
        if self.most is None:
            return names
        refused = [name for name in names if _is_refused(name, rule, dialect)]
        held = [name for name in names if name not in refused]
        some = sorted(held, key=_lot)[: self.most]
        self.tell(f"with {len(some)} of {len(held)} names; {len(refused)} more are refused before the engine is asked")
        return [*refused[:2], *some]


def test_table_of_any_name_is_found_or_refused(engine: Engine, names: Names) -> None:
    def try_name(name: str) -> None:
        relation = relation_name(name)
        build(engine, relation, "select 1 as a union all select 2")
        assert set(engine.catalog.relations()) == {"ff_tripwire", same_relation(relation)}
        assert [column for column, _ in engine.catalog.columns(relation)] == ["a"]
        assert count(engine, relation) == 2
        engine.session.execute(drop_statement(relation, "table", engine.dialect))

    assert_harmless(engine, names.chosen(_relation, engine.dialect), try_name)


@claims(Capability.VIEWS)
def test_view_of_any_name_replaces_a_table_of_that_name(engine: Engine, names: Names) -> None:
    def try_name(name: str) -> None:
        relation = relation_name(name)
        build(engine, relation, "select 1 as a")
        build(engine, relation, "select 1 as a union all select 2", "view")
        assert kinds(engine.catalog.relations()) == {"ff_tripwire": "table", same_relation(relation): "view"}
        assert count(engine, relation) == 2
        engine.session.execute(drop_statement(relation, "view", engine.dialect))

    assert_harmless(engine, names.chosen(_relation, engine.dialect), try_name)


@needs(Capability.PYTHON_MODELS)
def test_frame_keeps_a_column_of_any_name_or_refuses_it(engine: Engine, names: Names) -> None:
    frames = frames_of(engine)

    def try_name(name: str) -> None:
        with transaction(engine):
            frames.write("ff_t", frames.from_rows(Rows((name, "ff_other"), [(1, 2), (None, 3)])))
        assert [column for column, _ in engine.catalog.columns("ff_t")] == [kept(engine, name), "ff_other"]
        assert tuple(frames.columns(frames.read("ff_t"))) == (kept(engine, name), "ff_other")
        check = Check("not_null", "ff_t", name)
        value = engine.session.query(check_query(check, "ff_t", engine.dialect)).rows[0][0]
        assert check_failure(check, value) == f"ff_t.{name} has 1 NULL values"

    assert_harmless(engine, names.chosen(quote_name, engine.dialect), try_name)


@needs(Capability.CSV_SEEDS)
def test_seed_header_of_any_name_is_kept_or_refused(engine: Engine, names: Names, tmp_path: Path) -> None:
    def try_name(name: str) -> None:
        load(engine, tmp_path, '"{}",ff_other\n1,2\n'.format(name.replace('"', '""')))
        assert [column for column, _ in engine.catalog.columns("ff_seed")] == [kept(engine, name), "ff_other"]

    assert_harmless(engine, names.chosen(quote_name, engine.dialect), try_name)


def kept(engine: Engine, name: str) -> str:
    """Return the name as it comes back: where unquoted names fold up, a word in upper case is one in lower case."""
    return known_name(stored_name(name, engine.dialect), engine.dialect)


def assert_harmless(engine: Engine, names: Sequence[str], attempt: Callable[[str], None]) -> None:
    """Attempt these names up to the tenth that is wrong: each works or is refused as ours, the tripwire untouched."""
    build(engine, "ff_tripwire", "select 42 as a")
    wrong: list[str] = []
    for name in names:
        try:
            attempt(name)
        except UnsupportedByEngineError:
            raise
        except (AssertionError, FlowForgeError) as error:
            if not _refuses(error):
                wrong.append(f"{name!r}: {next(iter(str(error).splitlines()), type(error).__name__)}")
                if len(wrong) == _MOST_WRONG or not _swept(engine):
                    break
        assert rows(engine, "select a from ff_tripwire") == [(42,)], f"{name!r} reached another table"
    assert not wrong, "\n".join([_how_many(len(wrong)), *wrong])


def _how_many(wrong: int) -> str:
    if wrong == _MOST_WRONG:
        return f"the first {wrong} names that are wrong:"
    return "1 name is wrong:" if wrong == 1 else f"{wrong} names are wrong:"


def _swept(engine: Engine) -> bool:
    """Drop what a name that is wrong has left; tell whether nothing of it stands in the way of the next."""
    for relation, kind in kinds(engine.catalog.relations()).items():
        if relation != "ff_tripwire":
            with suppress(FlowForgeError):
                engine.session.execute(drop_statement(relation, kind, engine.dialect))
    return set(engine.catalog.relations()) == {"ff_tripwire"}


def _relation(name: str, dialect: Dialect) -> str:
    return quote_relation(relation_name(name), dialect)


def _lot(name: str) -> str:
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _is_refused(name: str, rule: Rule, dialect: Dialect) -> bool:
    try:
        rule(name, dialect)
    except ConfigError:
        return True
    return False


def _refuses(error: Exception) -> bool:
    """Tell a refusal of the name from a statement that went wrong: the engine may reserve names for itself."""
    if isinstance(error, EngineError):
        return error.kind is ErrorKind.DATA
    return isinstance(error, ConfigError | SeedError)
