"""Rules for the service, its edge and its alarms. Each returns what breaks it, as lines of text."""

from __future__ import annotations

import json
import re
from typing import Any

from infra.laptop.bootstrap.definitions import definition
from tests.support.terraform_plans import Plan, Resource
from tests.support.terraform_rules import Rule

TLS_POLICY = "ELBSecurityPolicy-TLS13-"
SECRET_NAME = re.compile(r"PASSWORD|TOKEN|CREDENTIAL|PRIVATE_KEY")
SECRET_IN_URL = re.compile(r"://[^/@]*:[^/@]+@")
MANAGED_GROUPS = {
    "AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesCommonRuleSet",
}  # fmt: skip


def alarms_notify(plan: Plan) -> list[str]:
    """Each alarm has an action, or a composite alarm has one for it, and names its runbook; silence is decided."""
    metric, composite = (list(plan.of(f"aws_cloudwatch_{kind}_alarm")) for kind in ("metric", "composite"))
    rules = " ".join(str(alarm.value("alarm_rule")) for alarm in composite if alarm.is_set("alarm_actions"))
    actions = ("alarm_actions", "ok_actions", "actions_enabled")
    needed = [(alarm, "treat_missing_data") for alarm in metric]
    needed += [(alarm, path) for alarm in composite for path in actions]
    needed += [(alarm, path) for alarm in metric for path in actions if f'"{alarm.value("alarm_name")}"' not in rules]
    return [f"{alarm.address}: {path} is not set" for alarm, path in needed if not alarm.is_set(path)] + [
        f"{alarm.address}: does not name its page"
        for alarm in (*metric, *composite)
        if "/docs/runbooks/" not in str(alarm.value("alarm_description"))
    ]


def listeners_encrypted(plan: Plan) -> list[str]:
    """Each listener speaks TLS 1.2 or newer, and forwards nothing by default."""
    found = []
    for listener in plan.of("aws_lb_listener"):
        if listener.value("protocol") != "HTTPS" or not str(listener.value("ssl_policy")).startswith(TLS_POLICY):
            found.append(f"{listener.address}: is not TLS")
        if listener.value("default_action.0.type") != "fixed-response":
            found.append(f"{listener.address}: forwards what no rule names")
    return found


def public_rules_limited(plan: Plan) -> list[str]:
    """A rule of the edge's listener forwards one host, and the public routes only."""
    public = set(definition("cluster")["public_routes"])
    found = []
    for rule in plan.of("aws_lb_listener_rule"):
        hosts, paths = (_condition(rule, kind) for kind in ("host_header", "path_pattern"))
        if not hosts or any("*" in host for host in hosts):
            found.append(f"{rule.address}: takes every host")
        if rule.module == "edge" and (not paths or not set(paths) <= public):
            found.append(f"{rule.address}: forwards more than the public routes")
    return found


def _condition(rule: Resource, kind: str) -> list[str]:
    conditions: list[dict[str, Any]] = rule.value("condition") or []
    return [value for condition in conditions for block in condition.get(kind) or [] for value in block["values"]]


def tasks_confined(plan: Plan) -> list[str]:
    """A container is not root, has a read-only root filesystem and no capabilities, and an image by digest."""
    found = []
    for task, container in _containers(plan):
        if container.get("user") in (None, "0", "root"):
            found.append(f"{task.address}: runs as root")
        if not container.get("readonlyRootFilesystem"):
            found.append(f"{task.address}: can write to its root filesystem")
        if container.get("linuxParameters", {}).get("capabilities", {}).get("drop") != ["ALL"]:
            found.append(f"{task.address}: keeps capabilities")
        if "@sha256:" not in container["image"]:
            found.append(f"{task.address}: has an image that can change")
    return found


def tasks_without_secrets(plan: Plan) -> list[str]:
    """No variable of a container holds a secret: its definition can be read by everyone who may list tasks."""
    return [
        f"{task.address}: {variable['name']} holds a secret"
        for task, container in _containers(plan)
        for variable in container.get("environment", [])
        if SECRET_NAME.search(variable["name"]) or SECRET_IN_URL.search(variable["value"])
    ]


def _containers(plan: Plan) -> list[tuple[Resource, dict[str, Any]]]:
    return [
        (task, container)
        for task in plan.of("aws_ecs_task_definition")
        for container in json.loads(task.value("container_definitions"))
    ]


def edge_guarded(plan: Plan) -> list[str]:
    """A distribution has a web ACL and speaks TLS; the web ACL blocks by default, has AWS's groups, limits and logs."""
    found = []
    for distribution in plan.of("aws_cloudfront_distribution"):
        if not distribution.is_set("web_acl_id"):
            found.append(f"{distribution.address}: has no web ACL")
        if distribution.value("default_cache_behavior.0.viewer_protocol_policy") == "allow-all":
            found.append(f"{distribution.address}: answers without TLS")
        if not str(distribution.value("viewer_certificate.0.minimum_protocol_version")).startswith("TLSv1.2"):
            found.append(f"{distribution.address}: speaks an old TLS")
    for acl in plan.of("aws_wafv2_web_acl"):
        text = json.dumps(acl.values)
        if not acl.value("default_action.0.block"):
            found.append(f"{acl.address}: lets pass what no rule names")
        found += [f"{acl.address}: lacks {group}" for group in sorted(MANAGED_GROUPS) if f'"{group}"' not in text]
        found += [f"{acl.address}: has no {part}" for part in ("rate-limit", "body-size") if f'"{part}"' not in text]
    logged = len(list(plan.of("aws_wafv2_web_acl_logging_configuration")))
    if logged < len(list(plan.of("aws_wafv2_web_acl"))):
        found += [f"{acl.address}: has no log" for acl in plan.of("aws_wafv2_web_acl")]
    return found


def passwords_elsewhere(plan: Plan) -> list[str]:
    """No password is in the plan, and none gets into the state: Terraform reads back the value of a secret it wrote."""
    found = [
        f"{version.address}: its value gets into the state" for version in plan.of("aws_secretsmanager_secret_version")
    ]
    found += [f"{user.address}: has a password" for user in plan.of("aws_elasticache_user") if user.is_set("passwords")]
    found += [
        f"{it.address}: has an auth token"
        for it in plan.of("aws_elasticache_replication_group")
        if it.is_set("auth_token")
    ]
    for cluster in plan.of("aws_rds_cluster"):
        if cluster.is_set("master_password") or not cluster.is_set("manage_master_user_password"):
            found.append(f"{cluster.address}: its password is not RDS's own")
    return found


def databases_kept(plan: Plan) -> list[str]:
    """A database has backups, IAM authentication and logs."""
    wanted = ("backup_retention_period", "iam_database_authentication_enabled", "enabled_cloudwatch_logs_exports")
    return [
        f"{cluster.address}: {path} is not set"
        for cluster in plan.of("aws_rds_cluster")
        for path in wanted
        if not cluster.is_set(path)
    ]


RULES: tuple[Rule, ...] = (
    alarms_notify, listeners_encrypted, public_rules_limited, tasks_confined, tasks_without_secrets, edge_guarded,
    passwords_elsewhere, databases_kept,
)  # fmt: skip
