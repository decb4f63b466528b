"""Fulfils `TemplateRenderer`: the fast path where it can, Jinja where it must."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from flowforge_domain.errors import FlowForgeError, TemplateError
from flowforge_domain.hooks import Hook
from flowforge_domain.model import Node, node_name
from flowforge_domain.text import Location
from flowforge_ports.project import RenderContext
from flowforge_project.folder import MACRO_SUFFIX, MACROS, ProjectFile, files_below
from flowforge_project.hook_files import in_place
from flowforge_project.plain_sql import normalized, render_plain

if TYPE_CHECKING:
    from flowforge_project.macro_files import MacroLibrary


@dataclass(frozen=True)
class FileTemplates:
    """Renders the files of SQL models of the project in a folder."""

    root: Path

    def render(self, node: Node, context: RenderContext) -> str:
        """Return the node's SQL; raise `TemplateError` with file, line, the line itself and a caret."""
        text = normalized(ProjectFile(str(node.path), node.file).text())
        return render_text(text, node, context, self.library if node.macros else None)

    def hook(self, hook: Hook, node: Node | None, context: RenderContext) -> str:
        """Return a hook's SQL; raise `TemplateError` with file and line."""
        if node is not None:
            context = replace(context, ref=_declared_only(context.ref, node))
        library = self.library if hook.macros else None
        return _rendered(in_place(hook), hook.where.path, context, library, hook.macros).strip("\n")

    @cached_property
    def library(self) -> MacroLibrary:
        """The project's macros, read when the first model calls one."""
        from flowforge_project.macro_files import MacroLibrary, parse_macros

        files = files_below(self.root, MACROS, (MACRO_SUFFIX,))
        found = (macro for file in files for macro in parse_macros(normalized(file.text()), file.name))
        return MacroLibrary({macro.name: macro for macro in found})


def render_text(text: str, node: Node, context: RenderContext, library: MacroLibrary | None = None) -> str:
    """Return the SQL of a normalized template; `node` says what it may refer to, and which macros it calls.

    Raises `TemplateError`; its own message when the template refers to a node that the graph does not know of.
    """
    context = replace(context, ref=_declared_only(context.ref, node))
    return _rendered(text, node.file, context, library, node.macros)


def _rendered(
    text: str, file: str, context: RenderContext, library: MacroLibrary | None, macros: tuple[str, ...]
) -> str:
    try:
        plain = render_plain(text, context.ref, context.source)
    except FlowForgeError as error:
        raise TemplateError(error.message, where=Location(file), hint=error.hint) from error
    if plain is not None:
        return plain
    from flowforge_project.jinja_sql import render_jinja

    return render_jinja(text, file, context, library, macros)


def _declared_only(ref: Callable[[str], str], node: Node) -> Callable[[str], str]:
    """Refuse a computed reference that the graph does not know: its order would be luck."""

    def declared(name: str) -> str:
        if not isinstance(name, str):
            raise TemplateError(f"ref() takes a name as text, not {name!r}.", hint="Write ref('orders').")
        if node_name(name) not in node.deps:
            raise TemplateError(
                f"ref({name!r}) is computed, so the graph does not know of it.",
                hint=f"Add a line: -- depends_on: {{{{ ref('{node_name(name)}') }}}}",
            )
        return ref(name)

    return declared
