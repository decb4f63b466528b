"""What others have made, and rows that are kept from build to build, are not given away: which models are refused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from shlex import quote

from flowforge_app.evidence import Evidence
from flowforge_domain.capability import Capability
from flowforge_domain.dialect import Dialect, any_row, quote_relation, relation_key
from flowforge_domain.errors import EngineError, ErrorKind, ModelError
from flowforge_domain.model import Node
from flowforge_domain.relation import relation_parts
from flowforge_domain.state import StateRow


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a model is not built, and one way out; the first of `settings` that is said is where."""

    why: str
    hint: str
    settings: tuple[str, ...] = ("materialized", "full_refresh")


def refused(node: Node, evidence: Evidence, anew: Collection[str]) -> Refused | None:
    """Return why `node` may not be built upon the rows that stand; `anew` are growing models built from scratch."""
    dialect, elsewhere = evidence.definitions.engine.dialect, evidence.versions.target.elsewhere
    if elsewhere and (found := elsewhere.get(relation_key(node.relation, dialect))):
        return built_elsewhere(node.relation, *found, dialect)
    if node.config.is_replaced:
        if node.name in evidence.over_foreign:
            return _foreign(node, evidence)
        kind = evidence.lost_kind(node) if node.config.full_refresh is False else ""
        return _never_refreshed(node, kind) if kind else None
    if node.config.full_refresh is False or node.name in anew:
        return None
    row = evidence.stranger(node)
    if row is None or not row.keeps_rows:
        return None
    return Refused(
        f"{row.relation} holds the rows that {row.model} of project {row.project} keeps.",
        "Set `schema` or `alias`; or, if this project had that name, write `defaults: {full_refresh: false}` into"
        " project.yml for one run, to go on.",
    )


def is_over_foreign(node: Node, evidence: Evidence) -> bool:
    """Tell whether `node` would replace a table with rows that no state row of any target tells of.

    Only where a table and its state row come together: elsewhere a killed run may have left one without the other.
    """
    engine, target = evidence.definitions.engine, evidence.versions.target
    key = relation_key(node.relation, engine.dialect)
    entry = target.entries.get(key)
    if not node.config.is_replaced or entry is None or entry.kind != "table":
        return False
    if key in target.rows or key in target.elsewhere or Capability.TRANSACTIONAL_STATE not in engine.capabilities:
        return False
    try:
        return bool(engine.session.query(any_row(node.relation, engine.dialect)).rows)
    except EngineError as error:
        if error.kind is ErrorKind.PERMISSION:
            return True
        raise


def refusal(node: Node, found: Refused, evidence: Evidence) -> ModelError:
    """Return the error about a model that is refused, at the line which says why."""
    places = evidence.definitions.reader.places(node)
    said = next((places[name] for name in found.settings if places.get(name)), None)
    where = said[-1].where if said else node.where()
    return ModelError(node.name, f"Model {node.name!r} failed: {found.why}", where=where, hint=found.hint)


def built_elsewhere(relation: str, table: str, row: StateRow | None, dialect: Dialect) -> Refused:
    """Return why a relation is not written to which another target's state table `table` tells of, or may tell."""
    runs = f"built by runs on the schema {relation_parts(table)[0]}"
    unused = f"or, if nothing runs on that schema any more: drop table {quote_relation(table, dialect)}"
    if row is None:
        why = f"{relation} may be {runs}: another version of FlowForge wrote what tells of them, {table}."
        return Refused(why, f"Use that version; {unused}")
    return Refused(
        f"{relation} is {runs}, as {row.model} of project {row.project}.",
        f'Tell the two apart in project.yml, as in `schema: "{{{{ target.schema }}}}_marts"`; {unused}',
    )


def _foreign(node: Node, evidence: Evidence) -> Refused:
    named, select = "it", quote(node.name)
    if len(evidence.over_foreign) > 1:
        named, select = "all like it", f"config.materialized:{node.config.materialized}"
    return Refused(
        f"{node.relation} is a table with rows that no run of FlowForge has built: building it would replace them.",
        f"Rename the model, or drop the table; or replace {named}: flowforge run --full-refresh --select {select}",
        settings=("alias",),
    )


def _never_refreshed(node: Node, kind: str) -> Refused:
    return Refused(
        f"as a {node.config.materialized} it would replace the rows kept as {kind}, and full_refresh is false.",
        f"Set materialized='{kind}' again, or drop `full_refresh` to let the rows go.",
    )
