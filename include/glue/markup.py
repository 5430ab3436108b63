"""HTML that loads nothing and runs nothing, whatever text got into it.

Pages of other programs are taken apart and put together again from the elements below; text is escaped. The policy in
the head is a second barrier: a browser that obeys it would run no script and send no request.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from html.parser import HTMLParser

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_ELEMENTS = {
    "a", "b", "br", "caption", "code", "dd", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i",
    "li", "nav", "ol", "p", "pre", "section", "small", "span", "strong", "sub", "sup", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
# These are left out with what is in them, the rest without.
_WITHOUT_CONTENT = frozenset(("script", "style", "template", "noscript", "svg", "math", "button", "select"))
_VOID = frozenset(("br", "hr"))
_ATTRIBUTES = frozenset(("id", "class", "colspan", "rowspan", "scope", "lang"))
STYLE = """
:root { color-scheme: light dark; background: Canvas; color: CanvasText; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1.5rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .75rem 0; }
th, td { border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: .35rem .6rem; }
th, td { text-align: left; vertical-align: top; overflow-wrap: anywhere; }
td.number { font-variant-numeric: tabular-nums; }
.fa-check-circle::before { content: "✓"; } .fa-times::before { content: "✗"; }
.fa-exclamation-triangle::before { content: "!"; }
.critical, .refused, .failed { color: light-dark(#b3261e, #ff8a80); font-weight: 600; }
.warning { color: light-dark(#8a5a00, #ffcc66); font-weight: 600; }
.passed, .published { color: light-dark(#1b6e3c, #7ddc9a); font-weight: 600; }
.quiet { opacity: .75; }
"""


def page(title: str, body: str, language: str = "en") -> str:
    """Returns a whole page.

    Args:
        title: The title, as plain text.
        body: The content, as HTML.
        language: The language of the content.
    """
    return (
        f'<!doctype html>\n<html lang="{escape(language)}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>\n<main>{body}</main>\n</body></html>\n"
    )


def table(name: str, head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Returns a table of plain texts and numbers. ``name`` is what a screen reader calls it."""
    return table_of(name, head, ("".join(map(_cell, row)) for row in rows))


def table_of(name: str, head: Iterable[str], rows: Iterable[str]) -> str:
    """Returns a table whose rows are given as HTML of their cells. Where it is too wide, it alone is scrolled."""
    header = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    lines = "".join(f"<tr>{row}</tr>" for row in rows)
    label = f'aria-label="{escape(name)}"'
    whole = f"<table {label}><thead><tr>{header}</tr></thead><tbody>{lines}</tbody></table>"
    return f'<div class="wide" role="group" {label} tabindex="0">{whole}</div>'


def clean_page(text: str) -> str:
    """Returns a page of another program with nothing but the elements that show text, and links within the site."""
    cleaner = _Cleaner()
    cleaner.feed(text)
    cleaner.close()
    return page(cleaner.title.strip() or "Report", "".join(cleaner.body))


def _cell(value: object) -> str:
    numeric = isinstance(value, int | float)
    return f'<td class="number">{value:,}</td>' if numeric else f"<td>{escape(str(value))}</td>"


class _Cleaner(HTMLParser):
    """Collects the content of ``body`` from allowed elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.body: list[str] = []
        self._skipped: list[str] = []
        self._in_title = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if self._skipped or tag in _WITHOUT_CONTENT:
            self._skipped += [tag] if tag in _WITHOUT_CONTENT else []
        elif tag == "title":
            self._in_title = True
        elif tag in _ELEMENTS:
            kept = [f'{name}="{escape(value or "")}"' for name, value in attributes if _is_kept(tag, name, value or "")]
            self.body.append(f"<{' '.join([tag, *kept])}>")

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        if self._skipped:
            if tag == self._skipped[-1]:
                self._skipped.pop()
        elif tag == "title":
            self._in_title = False
        elif tag in _ELEMENTS and tag not in _VOID:
            self.body.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        elif not self._skipped:
            self.body.append(escape(data))


def _is_kept(tag: str, name: str, value: str) -> bool:
    if tag == "a" and name == "href":
        return ":" not in value and not value.startswith(("/", "\\"))
    return name in _ATTRIBUTES
