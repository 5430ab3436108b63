"""Renders the query templates of this package."""

from __future__ import annotations

from functools import cache
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined

from include.sql.filters import FILTERS


def template_text(name: str) -> str:
    """Reads ``templates/<name>``, also from a zip archive."""
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def render(template: str, **values: object) -> str:
    """Renders ``templates/<template>``.

    Raises:
        jinja2.UndefinedError: The template uses a value that was not given.
    """
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    # The output is SQL, not HTML: the filters quote.
    environment = Environment(loader=FunctionLoader(template_text), undefined=StrictUndefined, autoescape=False)
    environment.filters.update(FILTERS)
    return environment
