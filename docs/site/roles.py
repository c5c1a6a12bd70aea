"""Sphinx's roles in docstrings (:class:`x`) as links, for mkdocstrings."""

import re

import griffe

ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`~?([\w.]+)`")


def link(match: re.Match) -> str:
    path = match[1]
    name = path.rpartition(".")[2]
    return f'<autoref optional identifier="{path}"><code>{name}</code></autoref>'


class Roles(griffe.Extension):
    def on_object(self, *, obj, **_) -> None:
        if obj.docstring:
            obj.docstring.value = ROLE.sub(link, obj.docstring.value)
