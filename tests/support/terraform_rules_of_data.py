"""Rules for the lake, the jobs and Airflow in a plan. Each returns what breaks it, as lines of text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from infra.lambdas.dead_man.main import NAMESPACE, PUBLISHED, RETRAINED
from infra.package.glue import WHEELS
from tests.support.terraform_plans import Plan, Resource
from tests.support.terraform_rules import Rule

# Buckets whose accesses are not logged: the logs themselves, and CloudTrail's, whose accesses the trail records.
WITHOUT_ACCESS_LOG = ("module.logs.", "module.audit_bucket")
RETENTION_HOURS = 168
CHECKS = ("nightjar-dead-man", "nightjar-deadlines")  # functions that tell of what does not happen
CODE = re.compile(r"s3://[^/]+/code/[0-9a-f-]+/")
RELEASE = re.compile(r"releases/[0-9a-f-]+/")


def raw_is_write_once(plan: Plan) -> list[str]:
    """The policy of raw refuses a put that could replace an object, for everyone, and old objects cannot be expired."""
    policies = [policy for policy in plan.of("aws_s3_bucket_policy") if '["raw"]' in policy.address]
    found = [f"{policy.address}: lets an object be replaced" for policy in policies if not _refuses_replacing(policy)]
    rules = [rule for rule in plan.of("aws_s3_bucket_lifecycle_configuration") if '["raw"]' in rule.address]
    found += [
        f"{rule.address}: expires objects" for rule in rules for each in rule.values["rule"] if each["expiration"]
    ]
    return found if policies else [*found, "raw has no policy"]


def accesses_logged(plan: Plan) -> list[str]:
    """Each bucket's accesses are logged, but those of the logs."""
    modules = {resource.address.rsplit(".", 2)[0] for resource in plan.of("aws_s3_bucket")}
    logged = {resource.address.rsplit(".", 2)[0] for resource in plan.of("aws_s3_bucket_logging")}
    return [
        f"{module}: its accesses are not logged"
        for module in sorted(modules - logged)
        if not any(part in f"{module}." for part in WITHOUT_ACCESS_LOG)
    ]


def nothing_is_lost(plan: Plan) -> list[str]:
    """Tables can be restored to a point in time, streams keep a week, queues have a dead-letter queue."""
    found = [
        f"{table.address}: has no point-in-time recovery"
        for table in plan.of("aws_dynamodb_table")
        if not table.value("point_in_time_recovery.0.enabled")
    ]
    found += [
        f"{stream.address}: keeps {stream.value('retention_period')} hours"
        for stream in plan.of("aws_kinesis_stream")
        if (stream.value("retention_period") or 0) < RETENTION_HOURS
    ]
    found += [
        f"{queue.address}: has no dead-letter queue"
        for queue in plan.of("aws_sqs_queue")
        if not queue.is_set("redrive_policy") and ".dead_" not in queue.address
    ]
    return found


def glue_code_is_fixed(plan: Plan) -> list[str]:
    """A job's script, modules and wheels are of one build; pip installs those wheels and nothing else."""
    found = []
    for job in plan.of("aws_glue_job"):
        arguments = job.value("default_arguments") or {}
        modules = arguments.get("--additional-python-modules", "")
        uris = [job.value("command.0.script_location") or "", arguments.get("--extra-py-files", ""), modules]
        builds = {match[0] if (match := CODE.match(uri)) else None for uri in uris}
        if len(builds) != 1 or None in builds:
            found.append(f"{job.address}: its code is not of one build: {uris}")
        if not modules.endswith(f"/{WHEELS}") or arguments.get("--python-modules-installer-option") != "--no-index":
            found.append(f"{job.address}: pip may install what the release does not contain")
        if not job.is_set("security_configuration"):
            found.append(f"{job.address}: has no security configuration")
    return found


def airflow_runs_one_release(plan: Plan) -> list[str]:
    """Plugins, requirements and DAGs of the environment are of one immutable release; its log groups have an end."""
    found = []
    for environment in plan.of("aws_mwaa_environment"):
        paths = [environment.value(path) or "" for path in ("plugins_s3_path", "requirements_s3_path", "dag_s3_path")]
        releases = {match[0] if (match := RELEASE.match(path)) else None for path in paths}
        if len(releases) != 1 or None in releases:
            found.append(f"{environment.address}: is not of one release: {paths}")
        if not environment.is_set("startup_script_s3_path"):
            found.append(f"{environment.address}: has no settings")
    return found


def silence_is_noticed(plan: Plan) -> list[str]:
    """The checks are started by the clock; the dead-man check's metrics have alarms with actions, one for silence."""
    found = [line for name in CHECKS for line in _not_started(plan, name)]
    workloads = {str(stream.key) for stream in plan.of("aws_kinesis_stream")}
    for metric, silent in ((PUBLISHED, "breaching"), (RETRAINED, None)):
        watched = {name for alarm in _alarms(plan, metric, silent) for name in _workload(alarm)}
        found += [f"{metric} of {workload} has no alarm" for workload in sorted(workloads - watched)]
    return found


def _not_started(plan: Plan, name: str) -> Iterator[str]:
    """What a function lacks to be started by the clock."""
    if name not in [function.value("function_name") for function in plan.of("aws_lambda_function")]:
        yield f"there is no function {name}"
        return
    rules = {rule.value("name"): rule for rule in plan.of("aws_cloudwatch_event_rule")}
    scheduled = rules.get(name)
    if not (scheduled and scheduled.is_set("schedule_expression")):
        yield f"{name} has no schedule"
    if not any(target.value("rule") == name for target in plan.of("aws_cloudwatch_event_target")):
        yield f"the schedule of {name} starts nothing"
    if not any(permission.value("function_name") == name for permission in plan.of("aws_lambda_permission")):
        yield f"the schedule may not start {name}"


def _alarms(plan: Plan, metric: str, silent: str | None) -> Iterator[Resource]:
    for alarm in plan.of("aws_cloudwatch_metric_alarm"):
        names_it = (alarm.value("namespace"), alarm.value("metric_name")) == (NAMESPACE, metric)
        if names_it and alarm.is_set("alarm_actions") and silent in (None, alarm.value("treat_missing_data")):
            yield alarm


def _workload(alarm: Resource) -> Iterator[str]:
    dimensions: dict[str, str] = alarm.value("dimensions") or {}
    if "Workload" in dimensions:
        yield dimensions["Workload"]


def _refuses_replacing(policy: Resource) -> bool:
    return any(_needs_if_none_match(statement) for statement in policy.statements())


def _needs_if_none_match(statement: dict[str, Any]) -> bool:
    everyone = statement["Effect"] == "Deny" and statement["Principal"] == "*"
    return everyone and statement.get("Condition", {}).get("Null", {}).get("s3:if-none-match") == "true"


RULES: tuple[Rule, ...] = (
    raw_is_write_once, accesses_logged, nothing_is_lost, glue_code_is_fixed, airflow_runs_one_release,
    silence_is_noticed,
)  # fmt: skip
