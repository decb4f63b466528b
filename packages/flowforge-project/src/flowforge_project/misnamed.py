"""Finds Python files that hold models which nobody reads, because of their names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_MARK = re.compile(rb"^@(?:\w+\.)*model\b", re.MULTILINE)


def misnamed_models(root: Path) -> Iterator[str]:
    """Yield a notice for each Python file below `models/` that marks models and is taken for a helper."""
    for folder, folders, names in os.walk(root / "models"):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
        for name in sorted(name for name in names if name.endswith(".py") and not name.endswith(".ff.py")):
            if _marks_models(Path(folder, name)):
                file = Path(folder, name).relative_to(root).as_posix()
                better = f"{file.removesuffix('.py')}.ff.py"
                yield f"{file} holds @model, and is read as a helper: rename it to {better} if it is a model."


def _marks_models(path: Path) -> bool:
    content = b""
    with suppress(OSError):
        content = path.read_bytes()
    return b"flowforge" in content and _MARK.search(content) is not None
