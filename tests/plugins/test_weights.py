"""The weights of a load balancer's rules: found by the target group, changed in every rule, and only the weights."""

from __future__ import annotations

from typing import Any

import pytest
from nightjar.weights import TargetGroupWeights

from tests.support.moto_cloud import MotoCloud

pytestmark = pytest.mark.stack


class Balanced:
    """A load balancer with two listeners: one forwards by default, one by a rule."""

    def __init__(self, cloud: MotoCloud) -> None:
        self.elb, ec2 = cloud.client("elbv2"), cloud.client("ec2")
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]]
        made = self.elb.create_load_balancer(Name="nightjar", Subnets=subnets)["LoadBalancers"]
        self.arns = {
            name: self.elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")[
                "TargetGroups"
            ][0]["TargetGroupArn"]
            for name in ("live", "live-c", "other")
        }
        self.listeners = {
            port: self.elb.create_listener(
                LoadBalancerArn=made[0]["LoadBalancerArn"], Protocol="HTTP", Port=port, DefaultActions=actions
            )["Listeners"][0]["ListenerArn"]
            for port, actions in ((8000, self.split(100, 0)), (443, self.forward("other")))
        }
        conditions = [{"Field": "host-header", "Values": ["live.internal"]}]
        self.rule = self.elb.create_rule(
            ListenerArn=self.listeners[443], Conditions=conditions, Priority=1, Actions=self.split(100, 0)
        )["Rules"][0]["RuleArn"]

    def forward(self, name: str) -> list[dict[str, Any]]:
        return [{"Type": "forward", "TargetGroupArn": self.arns[name]}]

    def split(self, first: int, second: int) -> list[dict[str, Any]]:
        weighted = (("live", first), ("live-c", second))
        groups = [{"TargetGroupArn": self.arns[name], "Weight": weight} for name, weight in weighted]
        return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]

    def weights(self) -> list[list[int]]:
        """Those of the rule, and of the listener that forwards by default."""
        (rule,) = self.elb.describe_rules(RuleArns=[self.rule])["Rules"]
        (listener,) = self.elb.describe_listeners(ListenerArns=[self.listeners[8000]])["Listeners"]
        return [
            [int(group["Weight"]) for group in actions[0]["ForwardConfig"]["TargetGroups"]]
            for actions in (rule["Actions"], listener["DefaultActions"])
        ]


@pytest.fixture
def balanced(cloud: MotoCloud) -> Balanced:
    return Balanced(cloud)


def test_a_share_is_set_in_every_rule_and_nowhere_else(balanced: Balanced) -> None:
    weights = TargetGroupWeights("live", "live-c")
    assert weights.share() == 0
    weights.set_share(0.15)
    assert balanced.weights() == [[85, 15], [85, 15]]
    assert weights.share() == pytest.approx(0.15)
    (other,) = balanced.elb.describe_listeners(ListenerArns=[balanced.listeners[443]])["Listeners"]
    assert other["DefaultActions"][0]["TargetGroupArn"] == balanced.arns["other"]
    (rule,) = balanced.elb.describe_rules(RuleArns=[balanced.rule])["Rules"]
    assert rule["Conditions"][0]["Field"] == "host-header"
    weights.set_share(0)
    assert (weights.share(), balanced.weights()) == (0, [[100, 0], [100, 0]])


def test_a_share_in_one_rule_alone_is_a_share(balanced: Balanced) -> None:
    """A worker died between two rules."""
    balanced.elb.modify_rule(RuleArn=balanced.rule, Actions=balanced.split(50, 50))
    weights = TargetGroupWeights("live", "live-c")
    assert weights.share() == 0.5
    weights.set_share(0)
    assert balanced.weights() == [[100, 0], [100, 0]]


def test_the_metrics_dimensions_are_those_of_cloudwatch(balanced: Balanced) -> None:
    for name, dimensions in zip(("live", "live-c"), TargetGroupWeights("live", "live-c").dimensions(), strict=True):
        assert dimensions["LoadBalancer"].startswith("app/nightjar/")
        assert dimensions["TargetGroup"].startswith(f"targetgroup/{name}/")


def test_what_is_not_there_has_no_share_and_cannot_get_one(balanced: Balanced) -> None:
    weights = TargetGroupWeights("live", "absent-c")
    assert weights.share() == 0
    with pytest.raises(LookupError, match="There is no target group absent-c"):
        weights.set_share(0.1)


def test_a_group_that_no_rule_forwards_to_cannot_share(balanced: Balanced, cloud: MotoCloud) -> None:
    vpc = cloud.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    balanced.elb.create_target_group(Name="unused", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
    with pytest.raises(LookupError, match="No rule of a load balancer forwards to unused"):
        TargetGroupWeights("unused", "live-c").set_share(0.1)


def test_what_else_a_rule_does_stays(balanced: Balanced) -> None:
    """For instance, the login of a person before the request is forwarded, and that a caller stays with its group."""
    login = {
        "Type": "authenticate-cognito",
        "AuthenticateCognitoConfig": {
            "UserPoolArn": "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_1",
            "UserPoolClientId": "client",
            "UserPoolDomain": "domain",
        },
    }
    (forward,) = balanced.split(100, 0)
    stays = {"Enabled": True, "DurationSeconds": 60}
    forward["ForwardConfig"]["TargetGroupStickinessConfig"] = stays
    balanced.elb.modify_rule(RuleArn=balanced.rule, Actions=[{**login, "Order": 1}, {**forward, "Order": 2}])
    TargetGroupWeights("live", "live-c").set_share(0.15)
    (rule,) = balanced.elb.describe_rules(RuleArns=[balanced.rule])["Rules"]
    assert [action["Type"] for action in rule["Actions"]] == ["authenticate-cognito", "forward"]
    config = rule["Actions"][1]["ForwardConfig"]
    assert config["TargetGroupStickinessConfig"] == stays
    assert [int(group["Weight"]) for group in config["TargetGroups"]] == [85, 15]


def test_a_login_by_oidc_keeps_its_secret(balanced: Balanced) -> None:
    """ELB does not tell it, and refuses a change that neither has it nor asks to keep it."""
    names = ("Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint")
    config = {**{name: f"https://idp.example/{name}" for name in names}, "ClientId": "client"}
    login = {"Type": "authenticate-oidc", "AuthenticateOidcConfig": config, "Order": 1}
    actions = [login, {**balanced.split(100, 0)[0], "Order": 2}]
    balanced.elb.modify_rule(RuleArn=balanced.rule, Actions=actions)
    balanced.elb.modify_listener(ListenerArn=balanced.listeners[8000], DefaultActions=actions)
    TargetGroupWeights("live", "live-c").set_share(0.15)
    (rule,) = balanced.elb.describe_rules(RuleArns=[balanced.rule])["Rules"]
    (listener,) = balanced.elb.describe_listeners(ListenerArns=[balanced.listeners[8000]])["Listeners"]
    for changed in (rule["Actions"], listener["DefaultActions"]):
        assert changed[0]["AuthenticateOidcConfig"] == {**config, "UseExistingClientSecret": True}
        assert [int(group["Weight"]) for group in changed[1]["ForwardConfig"]["TargetGroups"]] == [85, 15]
