"""Templates and what guards them: autoescape for everything, JSON that cannot end its element, a strict policy."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from flowforge_docs_html.richtext import rich

_HERE = Path(__file__).parent
_JSON_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&"}
# Sets the remembered theme before the first paint. Inline, so that nothing flashes; allowed by its hash.
_THEME_SCRIPT = (_HERE / "templates" / "theme.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Templates:
    """The site's templates, compiled once."""

    environment: Environment

    def page(self, template: str, values: Mapping[str, Any]) -> str:
        """Return one page; an undefined name is an error."""
        return self.environment.get_template(template).render(values)


def templates() -> Templates:
    """Open the templates."""
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters |= {"rich": rich, "json": json_block}
    environment.globals |= {
        "theme_script": Markup(_THEME_SCRIPT),  # noqa: S704 - ours, read from beside this file
        "policy": policy(allow_injected_styles=False),
        "drawing_policy": policy(allow_injected_styles=True),
    }
    return Templates(environment)


def json_block(value: Any) -> Markup:
    """Return JSON for a `<script type="application/json">`: ASCII only, and nothing HTML would see as markup."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return Markup(text.translate(_JSON_ESCAPES))  # noqa: S704 - no <, > or & is left


def policy(*, allow_injected_styles: bool) -> str:
    """Return the Content-Security-Policy of a page: our own files, one hashed script, and nothing from elsewhere.

    External scripts are allowed by 'self': a hash does not let them run from file://. Mermaid writes a <style> and
    style attributes into what it draws and offers no nonce, so pages that draw with it allow injected styles;
    with every fetch forbidden, a style can carry nothing out.
    """
    digest = b64encode(sha256(_THEME_SCRIPT.encode()).digest()).decode()
    styles = "'self' 'unsafe-inline'" if allow_injected_styles else "'self'"
    return (
        f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src {styles}; img-src 'self'; "
        "base-uri 'none'; form-action 'none'"
    )
