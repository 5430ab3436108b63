"""X-Ray's groups, sampling rules and tags: documents in AWS's own names. ``traces.py`` has the traces."""

from __future__ import annotations

import secrets
import time
from typing import Any, ClassVar

from moto.utilities.tagging_service import TaggingService
from moto.xray.models import XRayBackend as MotoXRayBackend

from infra.localcloud.actions import AwsError, Members, found, kept
from infra.localcloud.install import Context
from infra.localcloud.xray.traces import Traces

_DEFAULT = "Default"
_NO_INSIGHTS = {"InsightsEnabled": False, "NotificationsEnabled": False}
_FIXED = ("RuleName", "RuleARN", "Version")


class XRayBackend(MotoXRayBackend):
    """The groups and sampling rules of one account and region.

    Attributes:
        groups: By ARN. As on AWS, there is always a group ``Default``.
        rules: Sampling rules by name, as ``SamplingRuleRecord``. As on AWS, there is always a rule ``Default``.
        traces: The traces that arrived.
    """

    context: ClassVar[Context]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.tagging = TaggingService()
        self.groups: dict[str, Members] = {}
        self.rules: dict[str, Members] = {}
        self.traces: Traces = {}
        self.create_group({"GroupName": _DEFAULT})
        default = {"ResourceARN": "*", "Priority": 10000, "FixedRate": 0.05, "ReservoirSize": 1, "Version": 1}
        any_one = dict.fromkeys(("ServiceName", "ServiceType", "Host", "HTTPMethod", "URLPath"), "*")
        self.create_rule({"RuleName": _DEFAULT, **default, **any_one})

    def create_group(self, request: Members) -> Members:
        """CreateGroup.

        Raises:
            AwsError: The group exists.
        """
        name = request["GroupName"]
        if any(group["GroupName"] == name for group in self.groups.values()):
            raise AwsError("InvalidRequestException", f"Group already exists: {name}")
        arn = f"arn:aws:xray:{self.region_name}:{self.account_id}:group/{name}/{secrets.token_hex(26).upper()}"
        group = {
            "GroupName": name,
            "GroupARN": arn,
            **kept(request, "FilterExpression"),
            "InsightsConfiguration": {**_NO_INSIGHTS, **(request.get("InsightsConfiguration") or {})},
        }
        self.groups[arn] = group
        self.tagging.tag_resource(arn, request.get("Tags"))
        return group

    def group(self, request: Members) -> Members:
        """The group with the request's GroupARN or GroupName.

        Raises:
            AwsError: There is none.
        """
        for group in self.groups.values():
            if request.get("GroupARN") in (None, group["GroupARN"]) and request.get("GroupName") in (
                None,
                group["GroupName"],
            ):
                return group
        raise AwsError("InvalidRequestException", "Group not found")

    def update_group(self, request: Members) -> Members:
        """UpdateGroup."""
        group = self.group(request)
        group.update(kept(request, "FilterExpression"))
        group["InsightsConfiguration"].update(request.get("InsightsConfiguration") or {})
        return group

    def delete_group(self, request: Members) -> None:
        """DeleteGroup.

        Raises:
            AwsError: There is none, or it is the default group.
        """
        group = self.group(request)
        if group["GroupName"] == _DEFAULT:
            raise AwsError("InvalidRequestException", "The default group cannot be deleted")
        del self.groups[group["GroupARN"]]
        self.tagging.delete_all_tags_for_resource(group["GroupARN"])

    def create_rule(self, rule: Members, tags: list[dict[str, str]] | None = None) -> Members:
        """CreateSamplingRule.

        Raises:
            AwsError: The name exists, or is missing.
        """
        name = rule.get("RuleName")
        if not name:
            raise AwsError("InvalidRequestException", "RuleName is required")
        if name in self.rules:
            raise AwsError("InvalidRequestException", f"Rule already exists: {name}")
        arn = f"arn:aws:xray:{self.region_name}:{self.account_id}:sampling-rule/{name}"
        now = time.time()
        record = {
            "SamplingRule": {"Attributes": {}, **rule, "RuleARN": arn},
            "CreatedAt": now,
            "ModifiedAt": now,
        }
        self.rules[name] = record
        self.tagging.tag_resource(arn, tags)
        return record

    def update_rule(self, update: Members) -> Members:
        """UpdateSamplingRule."""
        record = self.rule(update)
        changes: dict[str, Any] = {name: value for name, value in update.items() if name not in _FIXED}
        record["SamplingRule"].update(changes)
        record["ModifiedAt"] = time.time()
        return record

    def delete_rule(self, request: Members) -> Members:
        """DeleteSamplingRule.

        Raises:
            AwsError: There is none, or it is the default rule.
        """
        record = self.rule(request)
        rule = record["SamplingRule"]
        if rule["RuleName"] == _DEFAULT:
            raise AwsError("InvalidRequestException", "The default rule cannot be deleted")
        self.tagging.delete_all_tags_for_resource(rule["RuleARN"])
        return self.rules.pop(rule["RuleName"])

    def rule(self, request: Members) -> Members:
        """The sampling rule with the request's RuleName or RuleARN.

        Raises:
            AwsError: There is none.
        """
        name = request.get("RuleName") or str(request.get("RuleARN", "")).rsplit("/", 1)[-1]
        return found(self.rules, name, "InvalidRequestException", f"Sampling rule does not exist: {name}")

    def tagged(self, arn: str) -> str:
        """The ARN, if it is that of a group or rule.

        Raises:
            AwsError: It is not.
        """
        if arn not in self.groups and arn not in [one["SamplingRule"]["RuleARN"] for one in self.rules.values()]:
            raise AwsError("ResourceNotFoundException", f"The resource {arn} was not found")
        return arn
