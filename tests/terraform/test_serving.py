"""The plan keeps the rules for the service, its edge and its alarms, and what breaks one is found."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.laptop.bootstrap.definitions import definition
from tests.support import terraform_serving_rules as rules
from tests.support.terraform_plans import Plan, hand_made
from tests.support.terraform_rules import Rule

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_plan_keeps_the_rule(request: pytest.FixtureRequest, environment: str, rule: Rule) -> None:
    assert rule(request.getfixturevalue(environment)) == []


def test_the_rules_have_something_to_look_at(prod: Plan) -> None:
    kinds = {
        "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm",
        "aws_lb_listener", "aws_lb_listener_rule", "aws_ecs_task_definition",
        "aws_cloudfront_distribution", "aws_wafv2_web_acl", "aws_elasticache_user",
        "aws_rds_cluster",
    }  # fmt: skip
    assert kinds - {resource.type for resource in prod.resources} == set()


def test_every_alarm_of_the_definition_is_planned_for_every_workload(prod: Plan) -> None:
    names = {"workload": "", "topic": "", "runbooks": "", "stream": "", "load_balancer": "", "target_group": ""}
    file = definition("alarms", **names, max_tasks="1")
    defined = file["alarms"]
    workloads = {service.key for service in prod.of("aws_ecs_service")}
    expected = {page for page, alarm in defined.items() if alarm["per"] == "platform"}
    expected |= {
        f"{name}/{page}" for name in workloads for page, alarm in defined.items() if alarm["per"] == "workload"
    }
    assert {alarm.key for alarm in prod.of("aws_cloudwatch_metric_alarm")} == expected
    composites = {f"{name}/{page}" for name in workloads for page in file["composites"]}
    assert {alarm.key for alarm in prod.of("aws_cloudwatch_composite_alarm")} == composites


def test_cloudfront_reaches_the_port_of_the_public_routes_only(prod: Plan) -> None:
    (origin,) = prod.of("aws_cloudfront_vpc_origin")
    (listener,) = [it for it in prod.of("aws_lb_listener") if it.module == "edge"]
    (opened,) = [it for it in prod.of("aws_vpc_security_group_ingress_rule") if it.module == "edge"]
    ports = {opened.value("from_port"), opened.value("to_port"), listener.value("port")}
    assert ports == {origin.value("vpc_origin_endpoint_config.0.https_port")}
    (internal,) = [it for it in prod.of("aws_lb_listener") if it.module == "serving"]
    assert internal.value("port") not in ports


def test_production_is_protected_from_deletion_and_development_is_not(dev: Plan, prod: Plan) -> None:
    for plan, protected in ((prod, True), (dev, False)):
        assert {it.value("enable_deletion_protection") for it in plan.of("aws_lb")} == {protected}
        assert {it.value("deletion_protection") for it in plan.of("aws_rds_cluster")} == {protected}


def container(**changes: Any) -> dict[str, Any]:
    sound = {
        "user": "10001",
        "readonlyRootFilesystem": True,
        "linuxParameters": {"capabilities": {"drop": ["ALL"]}},
        "image": "i@sha256:1",
    }
    return {"container_definitions": json.dumps([sound | changes])}


def variable(name: str, value: str) -> dict[str, Any]:
    return container(environment=[{"name": name, "value": value}])


def forwarding(*paths: str, host: str = "rides.example.com") -> dict[str, Any]:
    return {"condition": [{"host_header": [{"values": [host]}]}, {"path_pattern": [{"values": list(paths)}]}]}


TLS = {"protocol": "HTTPS", "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"}
NOT_FOUND = {"default_action": [{"type": "fixed-response"}]}
ALARM = {"alarm_actions": ["t"], "ok_actions": ["t"], "actions_enabled": True, "treat_missing_data": "breaching"}
PAGE = {"alarm_description": "It is late. What to do: https://example.com/docs/runbooks/late.md"}
ACL = {"default_action": [{"block": [{}]}], "names": [*rules.MANAGED_GROUPS, "rate-limit", "body-size"]}
DISTRIBUTION = {
    "web_acl_id": "acl",
    "default_cache_behavior": [{"viewer_protocol_policy": "https-only"}],
    "viewer_certificate": [{"minimum_protocol_version": "TLSv1.2_2021"}],
}
CLUSTER = {"manage_master_user_password": True}
KEPT = {"backup_retention_period": 3, "iam_database_authentication_enabled": True}

BROKEN: list[tuple[Rule, str, dict[str, Any]]] = [
    (rules.alarms_notify, "aws_cloudwatch_metric_alarm", ALARM | PAGE | {"alarm_actions": []}),
    (rules.alarms_notify, "aws_cloudwatch_metric_alarm", ALARM | {"alarm_description": "It is late."}),
    (rules.listeners_encrypted, "aws_lb_listener", NOT_FOUND | {"protocol": "HTTP"}),
    (rules.listeners_encrypted, "aws_lb_listener", NOT_FOUND | TLS | {"ssl_policy": "ELBSecurityPolicy-2016-08"}),
    (rules.listeners_encrypted, "aws_lb_listener", TLS | {"default_action": [{"type": "forward"}]}),
    (rules.public_rules_limited, "aws_lb_listener_rule", forwarding("/predict", "/golden")),
    (rules.public_rules_limited, "aws_lb_listener_rule", forwarding("/*")),
    (rules.public_rules_limited, "aws_lb_listener_rule", forwarding()),
    (rules.public_rules_limited, "aws_lb_listener_rule", forwarding("/predict", host="*.example.com")),
    (rules.tasks_confined, "aws_ecs_task_definition", container(user="root")),
    (rules.tasks_confined, "aws_ecs_task_definition", container(user=None)),
    (rules.tasks_confined, "aws_ecs_task_definition", container(readonlyRootFilesystem=False)),
    (rules.tasks_confined, "aws_ecs_task_definition", container(linuxParameters={})),
    (rules.tasks_confined, "aws_ecs_task_definition", container(image="i:latest")),
    (rules.tasks_without_secrets, "aws_ecs_task_definition", variable("DB_PASSWORD", "x")),
    (rules.tasks_without_secrets, "aws_ecs_task_definition", variable("REDIS_URL", "rediss://:hunter2@cache:6379")),
    (rules.edge_guarded, "aws_cloudfront_distribution", DISTRIBUTION | {"web_acl_id": None}),
    (rules.edge_guarded, "aws_cloudfront_distribution", DISTRIBUTION | {"viewer_certificate": []}),
    (
        rules.edge_guarded,
        "aws_cloudfront_distribution",
        DISTRIBUTION | {"default_cache_behavior": [{"viewer_protocol_policy": "allow-all"}]},
    ),
    (rules.edge_guarded, "aws_wafv2_web_acl", ACL),  # without a log
    (rules.edge_guarded, "aws_wafv2_web_acl", ACL | {"default_action": [{"allow": [{}]}]}),
    (rules.edge_guarded, "aws_wafv2_web_acl", ACL | {"names": []}),
    (rules.passwords_elsewhere, "aws_secretsmanager_secret_version", {"secret_string": "{}"}),
    (rules.passwords_elsewhere, "aws_elasticache_user", {"passwords": ["x"]}),
    (rules.passwords_elsewhere, "aws_elasticache_replication_group", {"auth_token": "x"}),
    (rules.passwords_elsewhere, "aws_rds_cluster", {"master_password": "x"}),
    (rules.passwords_elsewhere, "aws_rds_cluster", {}),
    (rules.databases_kept, "aws_rds_cluster", KEPT),
]
SOUND: list[tuple[Rule, str, dict[str, Any]]] = [
    (rules.alarms_notify, "aws_cloudwatch_metric_alarm", ALARM | PAGE),
    (rules.listeners_encrypted, "aws_lb_listener", TLS | NOT_FOUND),
    (rules.public_rules_limited, "aws_lb_listener_rule", forwarding("/predict", "/ready")),
    (rules.tasks_confined, "aws_ecs_task_definition", container()),
    (rules.tasks_without_secrets, "aws_ecs_task_definition", variable("REDIS_URL", "rediss://cache:6379")),
    (rules.edge_guarded, "aws_cloudfront_distribution", DISTRIBUTION),
    (rules.passwords_elsewhere, "aws_rds_cluster", CLUSTER),
    (rules.databases_kept, "aws_rds_cluster", KEPT | {"enabled_cloudwatch_logs_exports": ["postgresql"]}),
]


@pytest.mark.parametrize(("rule", "kind", "values"), BROKEN)
def test_what_breaks_a_rule_is_found_by_its_address(rule: Rule, kind: str, values: dict[str, Any]) -> None:
    found = rule(hand_made((kind, values), module="edge"))
    assert found and all(line.startswith(f"module.edge.{kind}.this: ") for line in found)


@pytest.mark.parametrize(("rule", "kind", "values"), SOUND)
def test_what_keeps_a_rule_passes(rule: Rule, kind: str, values: dict[str, Any]) -> None:
    assert rule(hand_made((kind, values), module="edge")) == []


def test_every_rule_is_shown_both_ways() -> None:
    assert {rule for rule, *_ in BROKEN} == {rule for rule, *_ in SOUND} == set(rules.RULES)
