"""The ports of FlowForge: protocols without bodies, and the hooks through which plugins announce what fulfils them.

Start with `engine.py`.
"""

from __future__ import annotations
