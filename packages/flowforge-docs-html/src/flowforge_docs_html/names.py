"""File names and anchors from node names: safe on every disk, and different where the names are different."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256

_SAFE = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,79}")
_UNSAFE = re.compile(r"[^a-z0-9_]+")
# Windows opens a device, not a file, for these stems, whatever follows the dot.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{d}{i}" for d in ("com", "lpt") for i in range(1, 10))}


def safe_names(names: Iterable[str]) -> dict[str, str]:
    """Return a file stem for each name; a name that is a good stem already keeps it."""
    wanted = sorted(set(names))
    found = {name: name for name in wanted if _is_safe(name)}
    taken = set(found.values())
    for name in wanted:
        if name not in found:
            found[name] = _hashed(name, taken)
            taken.add(found[name])
    return found


def _is_safe(name: str) -> bool:
    return bool(_SAFE.fullmatch(name)) and name.partition(".")[0] not in _DEVICES


def _hashed(name: str, taken: set[str]) -> str:
    """Lengthen the hash until nobody has the stem, not even a model that was named to collide."""
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    slug = _UNSAFE.sub("-", name.lower()).strip("-")[:48] or "node"
    stems = (f"{slug}-{digest[:length]}" for length in range(8, len(digest) + 1))
    return next(stem for stem in stems if stem not in taken)
