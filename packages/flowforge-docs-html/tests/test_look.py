"""Colours that can be read, and a stylesheet and script that stay within the policy."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

import flowforge_docs_html

ASSETS = Path(flowforge_docs_html.__file__).with_name("assets")
CSS = (ASSETS / "site.css").read_text(encoding="utf-8")
SCRIPT = (ASSETS / "site.js").read_text(encoding="utf-8")
READ = [
    *((text, ground) for text in ("text", "quiet", "accent") for ground in ("page", "card", "sunk")),
    *((kind, f"{kind}-soft") for kind in ("sql", "python", "source", "seed")),
    *(("text", f"{kind}-soft") for kind in ("sql", "python", "source", "seed")),
    *((colour, "card") for colour in ("up", "down", "keyword", "string", "number", "comment")),
    ("accent", "accent-soft"),
]


def _themes() -> dict[str, dict[str, str]]:
    blocks = re.findall(r"(:root[^{]*)\{([^}]*)\}", CSS)
    colours = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", body)) for _, body in blocks[:3]]
    return {"light": colours[0], "dark by choice": colours[1], "dark by system": colours[2]}


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", _themes())
@pytest.mark.parametrize(("text", "ground"), READ)
def test_text_stands_out_from_its_ground(theme: str, text: str, ground: str) -> None:
    colours = _themes()[theme]
    low, high = sorted((_luminance(colours[text]), _luminance(colours[ground])))
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_both_ways_to_the_dark_theme_lead_to_the_same_colours() -> None:
    themes = _themes()
    assert themes["dark by choice"] == themes["dark by system"]
    assert set(themes["light"]) == set(themes["dark by choice"])


def test_the_stylesheet_loads_nothing_from_elsewhere() -> None:
    assert set(re.findall(r"url\(([^)]*)\)", CSS)) == {'"icon.svg"'}
    assert "@import" not in CSS


def test_motion_and_paper_are_thought_of() -> None:
    assert "prefers-reduced-motion" in CSS
    assert "@media print" in CSS
    assert CSS.count("{") == CSS.count("}")


def test_the_script_never_parses_text_as_markup() -> None:
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "fetch("):
        assert way not in SCRIPT
    assert "http" not in SCRIPT


def test_mermaid_is_the_pinned_file_with_its_licence() -> None:
    data = (ASSETS / "mermaid.min.js").read_bytes()
    assert hashlib.sha256(data).hexdigest() == "581ed7d74bd9048d0e3a91363927d72ef22942d7722546b27f7cc29e35390eb8"
    assert b'version:"11.17.2"' in data or b'"11.17.2"' in data
    assert "MIT" in (ASSETS / "mermaid.LICENSE").read_text(encoding="utf-8")
