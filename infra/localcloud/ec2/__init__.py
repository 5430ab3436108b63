"""EC2: security group rules have the descriptions that they were given."""

from __future__ import annotations

from moto.ec2.models import ec2_backends
from moto.ec2.models.security_groups import SecurityGroup

from infra.localcloud.ec2.models import Ec2Backend, grouped_rules
from infra.localcloud.install import Context, replace_backend


def install(context: Context) -> None:
    """Puts this backend into moto, and the descriptions into what a security group describes."""
    replace_backend(ec2_backends, Ec2Backend, context)
    SecurityGroup._flattened_rules = grouped_rules  # type: ignore[method-assign]
