"""HTML of a card: every text is escaped here, and nowhere else is a tag written around a value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

ABSENT = "n/a"


class Html(NamedTuple):
    """Markup, which is not escaped again."""

    markup: str


Cell = str | int | Html


def code(text: str) -> Html:
    """A digest, a URI or an expression."""
    return Html(f"<code>{escape(text)}</code>")


def decimals(value: float | None, digits: int = 4) -> str:
    """A number with fixed decimals; ``n/a`` for one that could not be computed."""
    return ABSENT if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def signed(value: float | None) -> str:
    """A difference, with its sign."""
    return ABSENT if value is None or not math.isfinite(value) else f"{value:+.4f}"


def percent(share: float | None, digits: int = 1) -> str:
    """A share as a percentage."""
    return ABSENT if share is None or not math.isfinite(share) else f"{share:.{digits}%}"


def between(low: float | None, high: float | None) -> str:
    """An interval; empty if there is none."""
    return "" if low is None or high is None else f"{decimals(low)} to {decimals(high)}"


def paragraph(*texts: str) -> str:
    """A paragraph of sentences."""
    return f"<p>{escape(' '.join(text for text in texts if text))}</p>" if any(texts) else ""


def items(texts: Iterable[str]) -> str:
    """A list of sentences; empty if there are none."""
    entries = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{entries}</ul>" if entries else ""


def section(identifier: str, title: str, *parts: str) -> str:
    """A section of the page; empty if it has no content."""
    body = "".join(parts)
    if not body:
        return ""
    return f'<section id="{escape(identifier)}"><h2>{escape(title)}</h2>{body}</section>\n'


def facts(name: str, entries: Iterable[tuple[str, Cell]]) -> str:
    """Names and values, one a line. ``name`` is what a screen reader calls the table."""
    rows = "".join(f'<tr><th scope="row">{escape(fact)}</th>{_cell(value)}</tr>' for fact, value in entries)
    return _wide(name, f'<table class="facts" aria-label="{escape(name)}"><tbody>{rows}</tbody></table>')


def table(name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table whose first column names its rows. ``name`` is what a screen reader calls it."""
    header = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    body = "".join(
        f'<tr><th scope="row">{_content(first)}</th>{"".join(map(_cell, rest))}</tr>' for first, *rest in rows
    )
    label = f'aria-label="{escape(name)}"'
    return _wide(name, f"<table {label}><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>")


def figures(*drawings: str) -> str:
    """Figures side by side."""
    return f'<div class="figures">{"".join(drawings)}</div>'


def _wide(name: str, content: str) -> str:
    """Content that is scrolled where it is too wide, by keyboard too."""
    return f'<div class="wide" role="group" aria-label="{escape(name)}" tabindex="0">{content}</div>'


def _cell(value: Cell) -> str:
    return f"<td>{_content(value)}</td>"


def _content(value: Cell) -> str:
    if isinstance(value, Html):
        return value.markup
    return escape(f"{value:,}" if isinstance(value, int) else value)
