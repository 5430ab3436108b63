"""The HTML of the pages of jobs and documents. It imports nothing of Airflow."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

STYLE = """
:root { color-scheme: light dark; background: Canvas; color: CanvasText; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
th { text-align: left; padding-right: 2rem; vertical-align: top; }
td { overflow-wrap: anywhere; }
pre { background: light-dark(#f4f4f5, #26262b); padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.failed { border-left: 4px solid #dc2626; }
"""
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def html(template: str, **values: Any) -> str:
    """Renders a template beside this file. Every value is escaped."""
    return _PAGES.get_template(template).render(style=Markup(STYLE), **values)
