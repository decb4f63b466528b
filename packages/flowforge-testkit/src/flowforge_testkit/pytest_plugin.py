"""The pytest plugin of the testkit: light at import, since pytest loads it in every run."""

from __future__ import annotations
