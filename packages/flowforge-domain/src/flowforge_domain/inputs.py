"""The inputs of a Python model, looked up by relation or by the names that its `deps` have."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, TypeVar

from flowforge_domain.model import node_name

Frame = TypeVar("Frame")


class ModelInputs(dict[str, Frame]):
    """Frames by relation, as a dict of them; where a key is taken, so is the name of a dep, a source as `group.table`.

    `names` maps those to relations, which a profile may change. What is both is the relation.
    """

    def __init__(self, frames: Mapping[str, Frame], names: Mapping[str, str]) -> None:
        super().__init__(frames)
        self.names = names

    def __getitem__(self, key: str) -> Frame:
        try:
            return super().__getitem__(meant(key, self.keys(), self.names))
        except KeyError:
            # As it was written: what it might have meant is nobody's business.
            raise KeyError(key) from None

    def __contains__(self, key: object) -> bool:
        return super().__contains__(meant(key, self.keys(), self.names))

    def get(self, key: str, default: Any = None) -> Any:  # noqa: D102
        return super().get(meant(key, self.keys(), self.names), default)

    def pop(self, key: str, *default: Any) -> Any:  # noqa: D102
        return super().pop(meant(key, self.keys(), self.names), *default)


def meant(key: Any, relations: Container[str], names: Mapping[str, str]) -> Any:
    """Return the relation of an input that a key means; a key that means none is returned as it is."""
    if key in relations or not isinstance(key, str):
        return key
    return names.get(node_name(key), key)
