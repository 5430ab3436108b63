"""Route 53: a hosted zone that is made with a VPC is private, and has the VPC."""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.route53.responses import Route53

from infra.localcloud.install import Context, add_actions

_create = Route53.create_hosted_zone


def create_hosted_zone(self: Route53) -> ActionResult:
    """Answers CreateHostedZone. moto reads the VPC only if the configuration says that the zone is private."""
    if self._get_param("VPC.VPCId"):
        self.params["HostedZoneConfig"] = {**self.params.get("HostedZoneConfig", {}), "PrivateZone": True}
    return _create(self)


def install(context: Context) -> None:
    """Puts this action into moto."""
    add_actions(Route53, create_hosted_zone)
