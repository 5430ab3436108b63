"""The plugin that adds the models page to Airflow's UI.

Every process of Airflow runs this file, so it imports nothing of the page.

The page itself (``models_page``) is imported at its first request, which only an API server gets.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

PREFIX = "/nightjar/models"
ICON = (
    "data:image/svg+xml;base64,"
    "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAxNiAxNiIgZmlsbD0ibm9uZSIgc3Ryb2tlPSIjODg4"
    "IiBzdHJva2Utd2lkdGg9IjEuNSI+PHBhdGggZD0iTTEgMTVWMU0xIDE1aDE0TTMgMTFsMy00IDMgMiA1LTYiLz48L3N2Zz4="
)


class ModelsPage:
    """The ASGI application of ``models_page.app``, imported at the first request."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers a request."""
        page = await asyncio.to_thread(import_module, "models_page.app")
        await page.app(scope, receive, send)


class ModelsPagePlugin(AirflowPlugin):
    """Registers the page and its entry in the navigation."""

    name = "nightjar_models_page"
    fastapi_apps = [{"name": "Models", "app": ModelsPage(), "url_prefix": PREFIX}]  # noqa: RUF012 - as the base class has it
    external_views = [  # noqa: RUF012 - likewise
        {
            "name": "Models",
            "href": f"{urlsplit(conf.get('api', 'base_url', fallback='')).path.rstrip('/')}{PREFIX}/",
            "url_route": "models",
            "destination": "nav",
            "nav_top_level": True,
            "icon": ICON,
        }
    ]
