"""CloudFront: VPC origins and cache policies are kept, beside what moto keeps. Nothing is served from an edge."""

from __future__ import annotations

from moto.cloudfront import urls
from moto.cloudfront.models import cloudfront_backends
from moto.cloudfront.responses import CloudFrontResponse

from infra.localcloud.cloudfront.models import CloudFrontBackend
from infra.localcloud.cloudfront.responses import ACTIONS, PATHS
from infra.localcloud.install import Context, add_actions, replace_backend


def install(context: Context) -> None:
    """Puts this backend, its actions and their paths into moto."""
    replace_backend(cloudfront_backends, CloudFrontBackend, context)
    add_actions(CloudFrontResponse, *ACTIONS)
    urls.url_paths.update({f"{{0}}/2020-05-31/{path}$": CloudFrontResponse.dispatch for path in PATHS})
