"""The page: one document that holds its style and its script. It has no data of its own: the script asks for them."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("page")
SCRIPTS = ("dom.js", "api.js", "plot.js", "details.js", "table.js", "dialog.js", "overview.js", "main.js")
COMMON_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@cache
def page() -> tuple[str, dict[str, str]]:
    """Returns the document and its headers. Only its own style and script run, and it asks this server only."""
    style = (FOLDER / "page.css").read_text()
    script = '"use strict";\n' + "\n".join((FOLDER / name).read_text() for name in SCRIPTS)
    text = (FOLDER / "page.html").read_text()
    for name, body in (("style", style), ("script", script)):
        assert f"</{name}" not in body, f"the {name} would end early"
        text = text.replace(f"@{name}@", body)
    policy = (
        f"default-src 'none'; style-src 'sha256-{_digest(style)}'; script-src 'sha256-{_digest(script)}'; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    return text, {**COMMON_HEADERS, "Content-Security-Policy": policy}


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
