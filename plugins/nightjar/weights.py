"""How a load balancer splits requests between two target groups: the weights of its rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.exceptions import ClientError

TOTAL = 100  # the sum of the two weights


class TargetGroupWeights:
    """The rules that forward to a target group, and maybe to a second one.

    A rule belongs here if it forwards to the first group. Infrastructure makes the rules, the default actions of
    listeners among them; their weights alone are changed here.

    Args:
        first: Name of the target group that gets the rest of the requests.
        second: Name of the one that gets a share of them.
        region_name: AWS region; None for boto3's default.
        aws_conn_id: Connection of the Amazon provider.
    """

    def __init__(
        self, first: str, second: str, *, region_name: str | None = None, aws_conn_id: str | None = None
    ) -> None:
        self._client: Any = AwsBaseHook(aws_conn_id=aws_conn_id, client_type="elbv2", region_name=region_name).conn
        self._first, self._second = first, second

    def share(self) -> float:
        """Returns the second group's share of the requests, the highest of all rules; 0 where none forwards to it."""
        second = self._group(self._second)
        if second is None:
            return 0.0
        shares = [0.0]
        for rule in self._rules():
            weights = _weights(rule["Actions"])
            shares.append(weights.get(second["TargetGroupArn"], 0) / (sum(weights.values()) or 1))
        return max(shares)

    def set_share(self, share: float) -> None:
        """Sets the second group's share, in every rule that forwards to the first one; rules that have it stay.

        Raises:
            LookupError: There is no such group, or no rule forwards to the first one.
        """
        first, second = self._required(self._first), self._required(self._second)
        weight = round(share * TOTAL)
        wanted = {first["TargetGroupArn"]: TOTAL - weight, second["TargetGroupArn"]: weight}
        rules = list(self._rules())
        if not rules:
            raise LookupError(
                f"No rule of a load balancer forwards to {self._first}. Infrastructure makes it: apply that first."
            )
        for rule in rules:
            if _weights(rule["Actions"]) != wanted:
                self._modify(rule, [_weighted(action, wanted) for action in rule["Actions"]])

    def dimensions(self) -> tuple[dict[str, str], dict[str, str]]:
        """Returns the dimensions that CloudWatch's metrics of the two groups have.

        Raises:
            LookupError: There is no such group, or no load balancer uses it.
        """
        return self._dimensions(self._first), self._dimensions(self._second)

    def _dimensions(self, name: str) -> dict[str, str]:
        group = self._required(name)
        if not group["LoadBalancerArns"]:
            raise LookupError(f"No load balancer uses the target group {name}. Infrastructure does that: apply it.")
        balancer = group["LoadBalancerArns"][0].partition(":loadbalancer/")[2]
        return {"LoadBalancer": balancer, "TargetGroup": group["TargetGroupArn"].rpartition(":")[2]}

    def _rules(self) -> Iterator[dict[str, Any]]:
        """The rules that forward to the first group, each with the ARN of its listener."""
        first = self._required(self._first)
        for balancer in first["LoadBalancerArns"]:
            for listener in self._paged("describe_listeners", "Listeners", LoadBalancerArn=balancer):
                for rule in self._paged("describe_rules", "Rules", ListenerArn=listener["ListenerArn"]):
                    if first["TargetGroupArn"] in _weights(rule["Actions"]):
                        yield {**rule, "ListenerArn": listener["ListenerArn"]}

    def _modify(self, rule: dict[str, Any], actions: list[dict[str, Any]]) -> None:
        if rule["IsDefault"]:  # ELB changes that one with its listener only
            self._client.modify_listener(ListenerArn=rule["ListenerArn"], DefaultActions=actions)
        else:
            self._client.modify_rule(RuleArn=rule["RuleArn"], Actions=actions)

    def _required(self, name: str) -> dict[str, Any]:
        group = self._group(name)
        if group is None:
            raise LookupError(f"There is no target group {name}. Infrastructure makes it: apply that first.")
        return group

    def _group(self, name: str) -> dict[str, Any] | None:
        try:
            groups: list[dict[str, Any]] = self._client.describe_target_groups(Names=[name])["TargetGroups"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "TargetGroupNotFound":
                return None
            raise
        return groups[0]

    def _paged(self, operation: str, listed: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        for page in self._client.get_paginator(operation).paginate(**arguments):
            yield from page[listed]


def _weighted(action: dict[str, Any], wanted: dict[str, int]) -> dict[str, Any]:
    """The action with other weights if it forwards; ELB replaces all actions of a rule, so the others go with it."""
    if action["Type"] == "authenticate-oidc":  # ELB does not tell the client's secret, but keeps it if it is asked to
        return {
            **action,
            "AuthenticateOidcConfig": {**action["AuthenticateOidcConfig"], "UseExistingClientSecret": True},
        }
    if action["Type"] != "forward":
        return action
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in wanted.items()]
    kept = {name: value for name, value in action.items() if name != "TargetGroupArn"}
    return {**kept, "ForwardConfig": {**action.get("ForwardConfig", {}), "TargetGroups": groups}}


def _weights(actions: list[dict[str, Any]]) -> dict[str, int]:
    """The weight of each target group of a rule's actions."""
    found: dict[str, int] = {}
    for action in actions:
        groups = action.get("ForwardConfig", {}).get("TargetGroups") or []
        if not groups and action.get("TargetGroupArn"):
            groups = [{"TargetGroupArn": action["TargetGroupArn"]}]
        found |= {group["TargetGroupArn"]: int(group.get("Weight", 1)) for group in groups}
    return found
