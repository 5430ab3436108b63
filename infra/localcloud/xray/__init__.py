"""X-Ray: segments become traces that can be read back. Groups and sampling rules are kept."""

from __future__ import annotations

from moto.xray import urls
from moto.xray.models import xray_backends
from moto.xray.responses import XRayResponse

from infra.localcloud.install import Context, add_actions, replace_backend
from infra.localcloud.xray.models import XRayBackend
from infra.localcloud.xray.responses import ACTIONS, PATHS


def install(context: Context) -> None:
    """Puts this backend, its actions and their paths into moto."""
    replace_backend(xray_backends, XRayBackend, context)
    add_actions(XRayResponse, *ACTIONS)
    urls.url_paths.update({f"{{0}}/{path}$": XRayResponse.dispatch for path in PATHS})
