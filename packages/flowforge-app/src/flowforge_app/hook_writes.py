"""State rows of what hooks may have written to, so that no later run takes it for what was built or loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flowforge_app.definitions import Definitions
from flowforge_app.evidence import Evidence
from flowforge_app.hook_effects import Effect, HookEffects
from flowforge_app.target_state import read_target
from flowforge_domain.dialect import relation_key
from flowforge_domain.hooks import Hook
from flowforge_domain.model import Node
from flowforge_domain.state import StateRow, forget_relations, hooked, insert_states, rewritten


def told_of_hook(hook: Hook, sql: str, definitions: Definitions) -> tuple[str, ...]:
    """Return the statements that write what a hook of a run may have written to into the state rows.

    They belong into its transaction.
    """
    if HookEffects(definitions).effect(hook, sql).writes == ():
        return ()
    target = read_target(definitions.engine)
    effects = HookEffects(definitions, target.entries)
    return _statements(effects.effect(hook, sql), effects, target.rows)


def told_of_unknown(evidence: Evidence) -> tuple[str, ...]:
    """Return those that write into all state rows that a hook of a model may have written to anything, if one has."""
    if not evidence.hooks.unknown:
        return ()
    target = read_target(evidence.definitions.engine)
    return _statements(evidence.hooks.unknown[0], HookEffects(evidence.definitions, target.entries), target.rows)


def written_by_hooks(node: Node, hooks: Sequence[tuple[Hook, str]], evidence: Evidence) -> list[StateRow]:
    """Return the rows of what the hooks of a build have written to, as far as that can be told.

    Where a hook may have written to anything, the end of the run tells it: it is one text for all of its models.
    """
    told: dict[str, StateRow] = {}
    for effect in (evidence.hooks.effects.effect(hook, sql, node) for hook, sql in hooks):
        if effect.writes != ():
            told |= _told(effect, node, evidence, told)
    return list(told.values())


def _statements(effect: Effect, effects: HookEffects, rows: Mapping[str, StateRow]) -> tuple[str, ...]:
    engine = effects.definitions.engine
    if engine.sources:
        engine.sources.wrote(effect.writes, effect.title)
    touched = effects.names.touched(effect.writes, rows).items()
    known = {key: effects.entries[key].identity for key, _ in touched if key in effects.entries}
    told = [hooked(row, effect.title, known.get(key, "")) for key, row in touched]
    if not told:
        return ()
    removal = forget_relations([row.relation for row in told], engine.dialect)
    return (*removal, *insert_states(told, engine.dialect))


def _told(effect: Effect, node: Node, evidence: Evidence, told: dict[str, StateRow]) -> dict[str, StateRow]:
    engine, versions, names = evidence.definitions.engine, evidence.versions, evidence.hooks.effects.names
    if engine.sources:
        engine.sources.wrote(effect.writes, effect.title)
        read = [key for key in versions.sources if names.may_be(effect.writes, key)]
        versions.sources.update(engine.sources.versions(read) if read else {})
    if effect.writes is None:
        evidence.hooks.unknown.append(effect)
        return {}
    touched = names.touched(effect.writes, {**versions.target.rows, **versions.told, **told})
    touched.pop(relation_key(node.relation, engine.dialect), None)
    fresh = versions.told.keys() | told.keys()
    # What this run has built before holds what the hook did, and is built again whenever the hook's model is.
    return {
        key: rewritten(row, effect.title) if key in fresh and not row.is_doubted else hooked(row, effect.title)
        for key, row in touched.items()
    }
