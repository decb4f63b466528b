"""What a template can call, by name, and what of it is refused: SQL is shown and stored, so no secret may get there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flowforge_domain.errors import TemplateError
from flowforge_domain.secret import is_secret_name
from flowforge_domain.text import did_you_mean
from flowforge_ports.project import RenderContext

# Short words count only where a word ends: HOURLY, SECURITY, MONKEY_COUNT and DATA_PATH are no secrets.
_SECRET = re.compile(
    r"pass(?!eng)|pwd|secret|token|credential|private|auth(?!ors?(?![a-z]))|bearer|cookie|session|salt|webhook|dsn|conn"
    r"|ur[il]s?(?![a-z])|(?:api|access)key|(?<![a-z])keys?(?![a-z])|(?<![a-z])pat(?![a-z])",
    re.IGNORECASE,
)
_UNSET = object()


def template_names(context: RenderContext) -> dict[str, Any]:
    """Return what a template can call, by name."""

    def var(name: str, default: Any = _UNSET) -> Any:
        return _variable(context.variables, name, default)

    def env_var(name: str, default: str | None = None) -> str:
        return _env_var(context.environment, name, default)

    return {
        "ref": context.ref,
        "source": context.source,
        "config": lambda **_: "",
        "is_incremental": lambda: context.incremental,
        "var": var,
        "env_var": env_var,
        "target": context.target,
        **({"this": context.this} if context.this else {}),
        **context.more,
    }


def _variable(variables: Mapping[str, Any], name: str, default: Any) -> Any:
    if not isinstance(name, str):
        raise TemplateError(f"var() takes a name as text, not {name!r}.", hint="Write var('start').")
    if is_secret_name(name):
        raise _secret(f"var({name!r})")
    if name in variables:
        return variables[name]
    if default is not _UNSET:
        return default
    hint = did_you_mean(name, variables) or "Add it to `vars` in project.yml, or give a default."
    raise TemplateError(f"There is no variable {name!r}.", hint=hint)


def _env_var(environment: Mapping[str, str], name: str, default: str | None) -> str:
    if _SECRET.search(name):
        raise _secret(f"env_var({name!r})")
    if name in environment:
        return environment[name]
    if default is not None:
        return default
    raise TemplateError(f"The environment variable {name!r} is not set.", hint="Set it, or give a default.")


def _secret(call: str) -> TemplateError:
    return TemplateError(
        f"{call} looks like a secret, and SQL is shown and stored.", hint="Use secrets in profiles.yml only."
    )
