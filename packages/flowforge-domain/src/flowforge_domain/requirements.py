"""The columns that a project names: those a Python model requires of its inputs, and those it describes of a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flowforge_domain.errors import RequiredColumnsError
from flowforge_domain.model import Node
from flowforge_domain.text import did_you_mean


def check_required_columns(
    model: str, inputs: Mapping[str, Iterable[str]], requires: Mapping[str, Iterable[str]]
) -> None:
    """Compare the columns of each input relation with what the model requires of it.

    Raises `RequiredColumnsError` listing every relation that is not an input and every column that is missing.
    """
    missing: dict[str, list[str]] = {}
    lines: list[str] = []
    for relation, wanted in requires.items():
        if relation not in inputs:
            missing[relation] = sorted(wanted)
            lines.append(f"{relation!r} is not an input. {did_you_mean(relation, inputs)}".rstrip())
            continue
        present = set(inputs[relation])
        if absent := sorted(set(wanted) - present):
            missing[relation] = absent
            lines.append(f"{relation!r} lacks {', '.join(absent)}; it has {', '.join(sorted(present))}.")
    if missing:
        raise RequiredColumnsError(
            "\n".join([f"Required columns are missing for model {model!r}:", *(f"  {line}" for line in lines)]),
            missing,
            hint="`requires` is keyed by relation, relation_for(dep): check the names against its columns.",
        )


def misdescribed(node: Node, present: Iterable[str]) -> list[str]:
    """Return a sentence for each column below the model's `columns` that is not among those its relation has.

    Case is forgiven: engines fold names.
    """
    columns = list(present)
    known = {name.casefold() for name in columns}
    return [
        f"Model {node.name!r} describes the column {name!r}, and its {node.config.stands_as} has none. "
        f"{did_you_mean(name, columns)}".rstrip()
        for name in node.config.columns
        if name.casefold() not in known
    ]
