"""What runs beside a case, in threads of its own: an engine that does not let go must not take the suite with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Beside:
    """Calls in threads that nobody has to wait for, not even Python at its end; a case waits `within` seconds."""

    within: float
    started: list[Future[Any]] = field(default_factory=list)

    def start(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Begin a call, and return what will hold its result or its error."""
        future: Future[Any] = Future()
        self.started.append(future)
        threading.Thread(target=_settle, args=(future, call, *arguments), daemon=True).start()
        return future

    @property
    def ended(self) -> bool:
        """Tell whether nothing runs any more: until then not even closing a session needs to end."""
        return all(future.done() for future in self.started)


def _settle(future: Future[Any], call: Callable[..., Any], *arguments: Any) -> None:
    try:
        future.set_result(call(*arguments))
    except Exception as error:  # noqa: BLE001 - handed to the case, which raises it
        future.set_exception(error)
