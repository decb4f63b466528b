"""The site port fulfilled: static pages, written so that a reader never sees half a file.

Reading order: `pages.py` (what is said), `templates/` (how it looks), `graph_svg.py` over `layout.py` (the graph).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import get_ident

from flowforge_docs_html.pages import Book, model_pages, overview
from flowforge_docs_html.render import Templates, templates
from flowforge_ports.docs import SiteContent

_ASSETS = Path(__file__).with_name("assets")
_INDEX = "index.html"
# Names the pages we made, so that the next build can remove those of models that are gone, and no file of a user's.
_LIST = "models/.flowforge-pages"
_OURS = re.compile(r"models/[a-z0-9_][a-z0-9_.-]*\.html")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True)
class HtmlSite:
    """Writes sites as files; keeps its templates, and nothing of a site, between two of them."""

    templates: Templates = field(default_factory=templates)

    def write(self, out_dir: Path, content: SiteContent) -> Path:
        """Write the site into `out_dir` and return the page to open."""
        book = Book(content)
        (out_dir / "models").mkdir(parents=True, exist_ok=True)
        (out_dir / "assets").mkdir(exist_ok=True)
        before = _listed(out_dir)
        pages = {book.graph.vertices[i].href for i in book.graph.models.values()}
        # Listed before they exist: a build that is killed leaves no page that nobody knows.
        _write_list(out_dir, pages | before)
        for path, text in _pages(book, self.templates):
            _write(out_dir / path, _encoded(_without_root(text, content.manifest.root)))
        for asset in sorted(_ASSETS.iterdir()):
            _write(out_dir / "assets" / asset.name, asset.read_bytes())
        for gone in sorted(before - pages):
            (out_dir / gone).unlink(missing_ok=True)
        _write_list(out_dir, pages)
        return out_dir / _INDEX


def open_site() -> HtmlSite:
    """Open the site that `plugin.py` announces."""
    return HtmlSite()


def _pages(book: Book, templates: Templates) -> Iterator[tuple[str, str]]:
    for path, values in model_pages(book):
        yield path, templates.page("model.html.j2", values)
    yield _INDEX, templates.page("index.html.j2", overview(book))


def _without_root(text: str, root: Path) -> str:
    """Replace the project's folder where a model's SQL spells it out: a site is made to be passed on."""
    spelling = str(root)  # a folder right below the top, such as /data, tells nothing about anyone
    if len(root.parts) < 3 or spelling not in text:
        return text
    return re.sub(re.escape(spelling) + r"(?![\w-])", ".", text)


def _encoded(text: str) -> bytes:
    """Make what HTML cannot carry visible: control characters as their pictures, lone surrogates as escapes."""
    visible = _CONTROLS.sub(lambda found: chr(0x2400 + ord(found[0])), text)
    return visible.encode("utf-8", "backslashreplace")


def _listed(out_dir: Path) -> set[str]:
    """Return the pages of an earlier build; a line that no build of ours wrote is not believed."""
    file = out_dir / _LIST
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
    return {line for line in lines if _OURS.fullmatch(line)}


def _write_list(out_dir: Path, pages: Iterable[str]) -> None:
    _write(out_dir / _LIST, "".join(f"{page}\n" for page in sorted(pages)).encode())


def _write(path: Path, data: bytes) -> None:
    """Write beside the file and rename; leave a file alone that is as it should be.

    Two builds into one folder do not meet: each thread writes beside in a name of its own.
    """
    if path.is_file() and path.read_bytes() == data:
        return
    fresh = path.with_name(f".{path.name}.{os.getpid()}-{get_ident()}.new")
    fresh.write_bytes(data)
    fresh.replace(path)
