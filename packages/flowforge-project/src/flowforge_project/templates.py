"""Fulfils `TemplateRenderer`: the fast path where it can, Jinja where it must."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flowforge_domain.errors import FlowForgeError, TemplateError
from flowforge_domain.model import Node, node_name
from flowforge_domain.text import Location
from flowforge_ports.project import RenderContext
from flowforge_project.folder import ProjectFile
from flowforge_project.plain_sql import normalized, plain_facts, render_plain


@dataclass(frozen=True)
class FileTemplates:
    """Renders the files of SQL models."""

    def render(self, node: Node, context: RenderContext) -> str:
        """Return the node's SQL; raise `TemplateError` with file, line, the line itself and a caret."""
        return render_text(normalized(ProjectFile(str(node.path), node.file).text()), node, context)


def render_text(text: str, node: Node, context: RenderContext) -> str:
    """Return the SQL of a normalized template; `node` says what it may refer to.

    Raises `TemplateError`; its own message when the template refers to a node that the graph does not know of.
    """
    declared = _declared_only(context.ref, node)
    if plain_facts(text) is None:
        from dataclasses import replace

        from flowforge_project.jinja_sql import render_jinja

        return render_jinja(text, node.file, replace(context, ref=declared))
    try:
        return render_plain(text, declared, context.source)
    except FlowForgeError as error:
        raise TemplateError(error.message, where=Location(node.file), hint=error.hint) from error


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
