"""Each rule finds what breaks it. The plans are made by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support import terraform_rules as rules
from tests.support.terraform_plans import Plan, hand_made
from tests.support.terraform_rules import Rule


def policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "It", **statement}]})


OPEN_BLOCK = dict.fromkeys(rules.BLOCKS, True) | {"block_public_policy": False}
EVERYONE = policy(Effect="Allow", Principal="*", Action="s3:GetObject", Resource="*")
BROKEN: list[tuple[Rule, str, dict[str, Any]]] = [
    *((rules.encrypted, kind, {}) for kind in rules.ENCRYPTED),
    (rules.encrypted, "aws_dynamodb_table", {"server_side_encryption": [{"enabled": False, "kms_key_arn": "arn"}]}),
    *((rules.private, kind, {path: value}) for kind, (path, value) in rules.PUBLIC.items() if "." not in path),
    (rules.private, "aws_ecs_service", {"network_configuration": [{"assign_public_ip": True}]}),
    (rules.groups_closed, "aws_vpc_security_group_ingress_rule", {"cidr_ipv4": "0.0.0.0/0"}),
    (rules.groups_closed, "aws_vpc_security_group_ingress_rule", {"cidr_ipv6": "::/0"}),
    (rules.groups_closed, "aws_security_group", {"ingress": [{"cidr_blocks": ["10.0.0.0/8"]}]}),
    (rules.groups_closed, "aws_security_group_rule", {"type": "ingress"}),
    (rules.groups_closed, "aws_default_security_group", {"ingress": [{"self": True}]}),
    (rules.buckets_private, "aws_s3_bucket", {"bucket": "alone"}),
    (rules.buckets_private, "aws_s3_bucket_public_access_block", OPEN_BLOCK),
    (rules.buckets_private, "aws_s3_bucket_policy", {"policy": EVERYONE}),
    (rules.roles_bounded, "aws_iam_role", {"name": "nightjar-glue"}),
    (rules.endpoints_limited, "aws_vpc_endpoint", {}),
    (rules.endpoints_limited, "aws_vpc_endpoint", {"policy": policy(Effect="Allow", Principal="*", Action="sqs:*")}),
]


@pytest.mark.parametrize(("rule", "kind", "values"), BROKEN)
def test_what_breaks_a_rule_is_found_by_its_address(rule: Rule, kind: str, values: dict[str, Any]) -> None:
    found = rule(hand_made((kind, values)))
    assert found and all(line.startswith("module.it") for line in found)


def test_every_rule_is_shown_to_fail() -> None:
    assert {rule for rule, *_ in BROKEN} == set(rules.RULES)


def test_a_value_that_is_known_only_after_the_apply_is_set() -> None:
    change = {
        "address": "module.it.aws_sns_topic.this",
        "mode": "managed",
        "type": "aws_sns_topic",
        "change": {"after": {}, "after_unknown": {"kms_master_key_id": True}},
    }
    assert rules.encrypted(Plan([change])) == []


def test_a_data_source_is_no_resource() -> None:
    assert Plan([{"address": "data.aws_vpc.it", "mode": "data", "type": "aws_vpc"}]).resources == []
