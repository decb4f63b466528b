"""The columns that a project names: those a Python model requires of its inputs, and those it describes of a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flowforge_domain.errors import RequiredColumnsError
from flowforge_domain.inputs import meant
from flowforge_domain.model import Node
from flowforge_domain.text import did_you_mean

_NO_NAMES: Mapping[str, str] = {}


def check_required_columns(
    model: str,
    inputs: Mapping[str, Iterable[str]],
    requires: Mapping[str, Iterable[str]],
    names: Mapping[str, str] = _NO_NAMES,
) -> None:
    """Compare the columns of each input relation with what the model requires of it, by that or by its name in `deps`.

    `names` maps those to relations. Raises `RequiredColumnsError` listing every key that is not an input and every
    column that is missing.
    """
    missing: dict[str, list[str]] = {}
    lines: list[str] = []
    for key, wanted in requires.items():
        relation = meant(key, inputs, names)
        if relation not in inputs:
            missing[key] = sorted(wanted)
            lines.append(f"{key!r} is not an input. {did_you_mean(key, names or inputs)}".rstrip())
            continue
        present = set(inputs[relation])
        if absent := sorted(set(wanted) - present):
            missing[key] = absent
            lines.append(f"{key!r} lacks {', '.join(absent)}; it has {', '.join(sorted(present))}.")
    if missing:
        raise RequiredColumnsError(
            "\n".join([f"Required columns are missing for model {model!r}:", *(f"  {line}" for line in lines)]),
            missing,
            hint="`requires` is keyed by the names in `deps`, or relation_for(dep): check them against the columns.",
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
