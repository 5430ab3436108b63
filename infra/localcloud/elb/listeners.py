"""A listener of moto's model, with its rules, as a server of Caddy's configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from moto.elbv2.models import FakeAction, FakeListener

from infra.localcloud.elb import caddy
from infra.localcloud.elb.conditions import matcher

ForwardTo = Callable[[str], list[dict[str, Any]]]


class Rule(Protocol):
    """A rule of a listener. The priority of the last one, which has no conditions, is ``default``."""

    arn: str
    priority: Any
    conditions: list[dict[str, Any]]
    actions: list[FakeAction]


def rules_in_order(listener: FakeListener) -> list[Rule]:
    """The listener's rules as they are tried: by priority, the default last."""
    rules: Iterable[Any] = listener.rules.values()
    return sorted(
        rules, key=lambda rule: (rule.priority == "default", 0 if rule.priority == "default" else int(rule.priority))
    )


def caddy_server(listener: FakeListener, forward_to: ForwardTo) -> dict[str, Any]:
    """The configuration of one listener.

    Args:
        listener: HTTP or HTTPS; the actions of its rules are forward to target groups, redirect or fixed response.
        forward_to: Returns the handlers that forward to the target group with this ARN.

    Raises:
        NotImplementedError: The listener has another protocol, action or condition, which is refused.
    """
    if listener.protocol not in ("HTTP", "HTTPS"):
        raise NotImplementedError("A listener here has Protocol HTTP or HTTPS.")
    routes = []
    for rule in rules_in_order(listener):
        actions = listener.default_actions if rule.priority == "default" else rule.actions
        route: dict[str, Any] = {"handle": _handlers(listener, actions, forward_to), "terminal": True}
        if rule.conditions:
            route["match"] = [matcher(rule.conditions)]
        routes.append(route)
    return caddy.server(int(listener.port), routes)


def _handlers(listener: FakeListener, actions: list[FakeAction], forward_to: ForwardTo) -> list[dict[str, Any]]:
    if len(actions) != 1:
        raise NotImplementedError("A rule here has one action: nobody is authenticated before it.")
    action = actions[0].data
    if action["Type"] == "fixed-response":
        response = action["FixedResponseConfig"]
        text, kind = response.get("MessageBody", ""), response.get("ContentType", "")
        return [caddy.fixed(int(response["StatusCode"]), text, kind)]
    if action["Type"] == "redirect":
        config = action["RedirectConfig"]
        return [caddy.redirect(int(config["StatusCode"].removeprefix("HTTP_")), _location(listener, config))]
    if action["Type"] == "forward":
        return _forward(action, forward_to)
    raise NotImplementedError("An action here is a fixed response, a redirect or forwards to target groups.")


def _forward(action: Mapping[str, Any], forward_to: ForwardTo) -> list[dict[str, Any]]:
    """The handlers of a forward action: each request goes to one of the groups, by chance and by weight."""
    sticky = action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig") or {}
    if str(sticky.get("Enabled")).lower() == "true":
        raise NotImplementedError("Callers here do not stick to a target group: no cookie is set.")
    weights = {arn: weight for arn, weight in _weights(action).items() if weight}
    if len(weights) > 1:
        return [caddy.split([(weight, forward_to(arn)) for arn, weight in weights.items()])]
    # Where all weights are 0, no request finds a target, as on AWS.
    return forward_to(next(iter(weights))) if weights else [caddy.fixed(503, "", "")]


def _location(listener: FakeListener, config: Mapping[str, str]) -> str:
    """The URL of a redirect, with Caddy's placeholders in place of AWS's."""
    path, query = config.get("Path", "/#{path}"), config.get("Query", "#{query}")
    # With an empty query there is no question mark.
    asked = caddy.QUERY if query == "#{query}" else f"?{query}" if query else ""
    protocol, port = config.get("Protocol", "#{protocol}"), config.get("Port", "#{port}")
    text = f"{protocol}://{config.get('Host', '#{host}')}:{port}{path}{asked}"
    for name, value in {
        "#{protocol}": listener.protocol,
        "#{port}": str(listener.port),
        "#{host}": caddy.HOST,
        "/#{path}": caddy.PATH,
        "#{path}": caddy.PATH,
        "#{query}": caddy.QUERY_WITHOUT_MARK,
    }.items():
        text = text.replace(name, value)
    scheme, rest = text.split("://", 1)
    return f"{scheme.lower()}://{rest}"


def forwarded_groups(listener: FakeListener) -> list[str]:
    """ARNs of the target groups to which the listener's actions forward."""
    actions = [*listener.default_actions, *(action for rule in rules_in_order(listener) for action in rule.actions)]
    return [arn for action in actions for arn in _groups_of(action.data)]


def _groups_of(action: Mapping[str, Any]) -> list[str]:
    return list(_weights(action))


def _weights(action: Mapping[str, Any]) -> dict[str, int]:
    """The weight of each target group of a forward action; empty for another action."""
    groups = action.get("ForwardConfig", {}).get("TargetGroups") or []
    if not groups and action.get("TargetGroupArn"):
        return {action["TargetGroupArn"]: 1}
    return {group["TargetGroupArn"]: int(group.get("Weight", 1)) for group in groups}


def dns_label(target_group_arn: str) -> str:
    """The target group's DNS label, made from the id at the end of its ARN."""
    return f"tg-{target_group_arn.rsplit('/', 1)[1].lower()}"
