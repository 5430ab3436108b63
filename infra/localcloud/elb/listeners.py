"""A listener of moto's model as a server of Caddy's configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.elbv2.models import FakeListener

from infra.localcloud.elb import caddy

ForwardTo = Callable[[str], dict[str, Any]]


def caddy_server(listener: FakeListener, forward_to: ForwardTo) -> dict[str, Any]:
    """The configuration of one listener.

    Args:
        listener: HTTP, with one default action: a fixed response, or forward to one target group.
        forward_to: Returns the handler that forwards to the target group with this ARN.

    Raises:
        NotImplementedError: The listener has another protocol or action, which is refused.
    """
    if listener.protocol != "HTTP" or len(listener.default_actions) != 1:
        raise NotImplementedError("A listener here has Protocol HTTP and one default action.")
    action = listener.default_actions[0].data
    groups = forwarded_groups(listener)
    if action["Type"] == "fixed-response":
        response = action["FixedResponseConfig"]
        handler = caddy.fixed(
            int(response["StatusCode"]), response.get("MessageBody", ""), response.get("ContentType", "")
        )
    elif action["Type"] == "forward" and len(groups) == 1:
        handler = forward_to(groups[0])
    else:
        raise NotImplementedError("A default action here is a fixed response or forwards to one target group.")
    return caddy.server(int(listener.port), handler)


def forwarded_groups(listener: FakeListener) -> list[str]:
    """ARNs of the target groups to which the listener's default actions forward."""
    groups: list[str] = []
    for action in listener.default_actions:
        if action.data.get("TargetGroupArn"):
            groups.append(action.data["TargetGroupArn"])
        else:
            weighted = action.data.get("ForwardConfig", {}).get("TargetGroups", [])
            groups += [group["TargetGroupArn"] for group in weighted]
    return groups


def dns_label(target_group_arn: str) -> str:
    """The target group's DNS label, made from the id at the end of its ARN."""
    return f"tg-{target_group_arn.rsplit('/', 1)[1].lower()}"
