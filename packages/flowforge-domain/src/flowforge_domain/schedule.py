"""The order in which what is ready is taken: the longest chain first, or the end of a run waits for a single model.

Hu, T. C. (1961), "Parallel Sequencing and Assembly Line Problems", Operations Research 9(6).
"""

from __future__ import annotations

from collections.abc import Mapping, Set


def longest_first(waits: Mapping[str, Set[str]], seconds: Mapping[str, float]) -> dict[str, Set[str]]:
    """Return `waits`, the names ordered by how long the chain takes that begins with each; ties stay as they are.

    `seconds` is what each took before; a name that is not there takes none. With no times nothing changes.
    """
    if not seconds:
        return dict(waits)
    children: dict[str, list[str]] = {name: [] for name in waits}
    for name, before in waits.items():
        for above in before:
            children[above].append(name)
    left = {name: len(children[name]) for name in waits}
    ready = [name for name, count in left.items() if not count]
    chain: dict[str, float] = {}
    while ready:
        name = ready.pop()
        chain[name] = seconds.get(name, 0.0) + max((chain[child] for child in children[name]), default=0.0)
        for above in waits[name]:
            left[above] -= 1
            if not left[above]:
                ready.append(above)
    return {name: waits[name] for name in sorted(waits, key=lambda name: -chain[name])}
