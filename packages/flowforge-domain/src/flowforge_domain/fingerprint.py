"""Fingerprints: one short text that changes when what went into a build changes."""

from __future__ import annotations

import hashlib


def fingerprint(*parts: str) -> str:
    """Return the SHA-256 of `parts` in hex; the borders between parts count."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()
