"""What others have built, and rows that are kept from build to build, are not given away: which models are refused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from flowforge_app.evidence import Evidence
from flowforge_domain.dialect import Dialect, quote_relation, relation_key
from flowforge_domain.errors import ModelError
from flowforge_domain.model import Node
from flowforge_domain.relation import relation_parts
from flowforge_domain.state import StateRow


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a model is not built, and one way out."""

    why: str
    hint: str


def refused(node: Node, evidence: Evidence, anew: Collection[str]) -> Refused | None:
    """Return why `node` may not be built upon the rows that stand; `anew` are growing models built from scratch."""
    dialect, elsewhere = evidence.definitions.engine.dialect, evidence.versions.target.elsewhere
    if elsewhere and (found := elsewhere.get(relation_key(node.relation, dialect))):
        return built_elsewhere(node.relation, *found, dialect)
    if node.config.is_replaced:
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


def refusal(node: Node, found: Refused, evidence: Evidence) -> ModelError:
    """Return the error about a model that is refused, at the line which says how it is materialized."""
    places = evidence.definitions.reader.places(node)
    said = places.get("materialized") or places.get("full_refresh")
    where = said[-1].where if said else node.where()
    return ModelError(node.name, f"Model {node.name!r} failed: {found.why}", where=where, hint=found.hint)


def built_elsewhere(relation: str, table: str, row: StateRow, dialect: Dialect) -> Refused:
    """Return why a relation is not written to which another target's state row tells of, in the state table `table`."""
    schema = relation_parts(table)[0]
    return Refused(
        f"{relation} is built by runs on the schema {schema}, as {row.model} of project {row.project}.",
        "Tell the two apart in project.yml, as in `schema: \"{{ env_var('MARTS_SCHEMA') }}\"`; or, if nothing runs on "
        f"that schema any more: drop table {quote_relation(table, dialect)}",
    )


def _never_refreshed(node: Node, kind: str) -> Refused:
    return Refused(
        f"as a {node.config.materialized} it would replace the rows kept as {kind}, and full_refresh is false.",
        f"Set materialized='{kind}' again, or drop `full_refresh` to let the rows go.",
    )
