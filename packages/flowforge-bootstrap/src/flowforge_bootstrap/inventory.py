"""What is installed: each engine with its versions and what it promises, and each plugin that cannot be used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from textwrap import fill

from flowforge_bootstrap.plugins import SHIPPED_ENGINES, Plugins, install_line
from flowforge_domain.capability import GUARANTEES, Capability
from flowforge_domain.errors import FlowForgeError, PluginError
from flowforge_ports.engine import EngineSpec

_NAME = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class Installed:
    """An engine that can be used: who announces it, on which libraries it stands, and in words what it can do.

    `unproved` is what no test of it was run on, `limits` what its tests found not to hold; each is "" where there is
    no such thing.
    """

    name: str
    distribution: str
    libraries: str
    abilities: Mapping[str, list[str]]
    unproved: str
    limits: str


def installed(plugins: Plugins) -> list[Installed]:
    """Return the engines that can be used, by name."""
    return [
        _installed(distribution, spec)
        for _, [(distribution, spec), *others] in sorted(plugins.engines.items())
        if not others
    ]


def missing(plugins: Plugins) -> dict[str, str]:
    """Return the engines of FlowForge itself that are not installed, with the command for each."""
    return {name: install_line(name) for name in SHIPPED_ENGINES if name not in plugins.engines}


def faults(plugins: Plugins) -> list[FlowForgeError]:
    """Return why plugins cannot be used: what is broken, and names that two claim."""
    found: list[FlowForgeError] = [
        PluginError(f"{one.name} of {versioned(one.distribution)} cannot be used: {one.reason}", hint=one.fix)
        for one in plugins.broken
    ]
    for name, claims in sorted(plugins.engines.items()):
        if len(claims) > 1:
            claimants = " and ".join(versioned(distribution) for distribution, _ in claims)
            found.append(PluginError(f"Engine {name!r} is claimed by {claimants}.", hint="Uninstall one of them."))
    return found


def described(can: frozenset[Capability]) -> dict[str, list[str]]:
    """Return what an engine guarantees, can and cannot do, in words; without what would be empty."""
    found = {
        "guarantees": [one.value for one in Capability if one in can & GUARANTEES],
        "can": [one.value for one in Capability if one in can - GUARANTEES],
        "cannot": [one.value for one in Capability if one not in can],
    }
    return {subject: listed for subject, listed in found.items() if listed}


def libraries(distribution: str) -> str:
    """Return the libraries that an engine's distribution asks for, without those of FlowForge itself."""
    required = _requires(distribution)
    names = [_NAME.match(requirement) for requirement in required if "extra ==" not in requirement]
    found = [name[0] for name in names if name and not name[0].startswith("flowforge")]
    listed = ", ".join(versioned(name).replace(" ", "\xa0") for name in found)
    return fill(listed, width=70, break_on_hyphens=False).replace("\xa0", " ")


def _installed(distribution: str, spec: EngineSpec) -> Installed:
    stands_on, can = libraries(spec.distribution), described(spec.capabilities)
    return Installed(spec.name, versioned(distribution), stands_on, can, spec.unproved, spec.limits)


def _requires(distribution: str) -> list[str]:
    try:
        return requires(distribution) or []
    except PackageNotFoundError:
        return []


def versioned(distribution: str) -> str:
    """Return a distribution with its version, where it is installed."""
    try:
        return f"{distribution} {version(distribution)}"
    except PackageNotFoundError:
        return distribution
