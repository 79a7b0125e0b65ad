"""Answers and counts as a person reads them, in a terminal and in a notebook."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

# Rows of a table that are shown.
ROWS = 10


def cell(value: object) -> str:
    """A value in a table."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, tuple):
        return ", ".join(map(cell, value))
    return str(value)


def text_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lines of columns, aligned on the right."""
    lines = [list(head), *([cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(value.rjust(width) for value, width in zip(line, widths)).rstrip() for line in lines)


def html_table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The same for a notebook."""

    def line(tag: str, values: Iterable[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(value)}</{tag}>" for value in values) + "</tr>"

    body = "".join(line("td", map(cell, row)) for row in rows)
    top = f"<caption>{html.escape(caption)}</caption><thead>{line('th', head)}</thead>"
    return f"<table>{top}<tbody>{body}</tbody></table>"
