"""Functions run as processes with their role's credentials: by Invoke, and by schedules, once a period."""

from __future__ import annotations

import io
import json
import signal
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import ACCOUNT, REGION, Cloud
from tests.support.policed_roles import allow, make_role
from tests.support.restarts import RestartedCloud

pytestmark = pytest.mark.stack

CODE = """
import os, sys, time
import boto3
from helper import GREETING

def handler(event, context):
    print("called with", event, flush=True)
    if "seconds" in event:
        time.sleep(event["seconds"])
    if event.get("die"):
        os._exit(3)
    if event.get("fail"):
        raise ValueError(event["fail"])
    who = boto3.client("sts").get_caller_identity()["Arn"]
    if queue := os.environ.get("QUEUE"):
        boto3.client("sqs").send_message(QueueUrl=queue, MessageBody=event["time"])
    return {"greeting": GREETING, "who": who, "left": context.get_remaining_time_in_millis() > 0}
"""
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestartedCloud]:
    """A server whose rates take a fiftieth of their time."""
    with RestartedCloud(tmp_path_factory.mktemp("cloud"), schedule_minute=1.2) as running:
        yield running


@pytest.fixture
def cloud(server: RestartedCloud) -> Cloud:
    return server.cloud


@pytest.fixture(scope="module")
def role(server: RestartedCloud) -> str:
    log = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/*"
    may = [allow("sqs:SendMessage"), allow(["logs:CreateLogStream", "logs:PutLogEvents"], log)]
    return make_role(server.cloud, "function", *may, trust=TRUST)


def create(cloud: Cloud, name: str, role: str, code: str = CODE, **settings: Any) -> str:
    """Creates a function; returns its ARN."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("main.py", code)
        archive.writestr("helper.py", "GREETING = 'hello'\n")
    given = {"Runtime": "python3.13", "Handler": "main.handler", "Timeout": 55, **settings}
    created = cloud.client("lambda").create_function(
        FunctionName=name, Role=role, Code={"ZipFile": buffer.getvalue()}, **given
    )
    return str(created["FunctionArn"])


def invoke(cloud: Cloud, name: str, **event: Any) -> tuple[str | None, Any]:
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


def test_a_function_runs_with_the_credentials_of_its_role_and_writes_its_log(cloud: Cloud, role: str) -> None:
    create(cloud, "whole", role)
    error, value = invoke(cloud, "whole", n=1)
    assert error is None
    assert value["greeting"] == "hello" and value["left"] is True
    assert value["who"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/function/")
    lines = cloud.client("logs").filter_log_events(logGroupName="/aws/lambda/whole")["events"]
    assert any("called with {'n': 1}" in line["message"] for line in lines)


@pytest.mark.parametrize(
    ("event", "kind", "text"),
    [
        ({"fail": "no such day"}, "ValueError", "no such day"),
        ({"die": True}, "Runtime.ExitError", "without an answer"),
        ({"seconds": 60}, "Sandbox.Timedout", "timed out after 1.00 seconds"),
    ],
)
def test_a_function_that_fails_answers_why(
    cloud: Cloud, role: str, event: dict[str, Any], kind: str, text: str
) -> None:
    name = f"fails-{kind.replace('.', '-')}"
    create(cloud, name, role, Timeout=1 if "seconds" in event else 55)
    error, value = invoke(cloud, name, **event)
    assert (error, value["errorType"]) == ("Unhandled", kind)
    assert text in value["errorMessage"]


def test_what_it_may_not_is_denied(cloud: Cloud, role: str) -> None:
    code = "import boto3\ndef handler(event, context):\n    boto3.client('s3').list_buckets()\n"
    create(cloud, "denied", role, code)
    error, value = invoke(cloud, "denied")
    assert error == "Unhandled" and "AccessDenied" in value["errorMessage"] and "role/function" in value["errorMessage"]


def test_what_cannot_be_run_is_refused_by_name(cloud: Cloud, role: str) -> None:
    create(cloud, "node", role, Runtime="nodejs22.x")
    with pytest.raises(ClientError, match=r"node has nodejs22\.x; only functions in Python"):
        invoke(cloud, "node")


def test_a_role_that_lambda_may_not_assume_runs_nothing(cloud: Cloud) -> None:
    other = json.loads(json.dumps(TRUST).replace("lambda", "glue"))
    create(cloud, "untrusted", make_role(cloud, "untrusted", trust=other))
    error, value = invoke(cloud, "untrusted")
    assert error == "Unhandled" and "cannot be assumed by Lambda" in value["errorMessage"]


def times(cloud: Cloud, url: str, found: list[str]) -> list[str]:
    """Adds what a queue has received; the scheduled times of every start so far."""
    sqs = cloud.client("sqs")
    for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        found.append(json.loads(message["Body"])["time"] if message["Body"].startswith("{") else message["Body"])
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def schedule(cloud: Cloud, name: str, target: str, rate: str = "rate(1 minute)") -> str:
    events = cloud.client("events")
    arn = str(events.put_rule(Name=name, ScheduleExpression=rate)["RuleArn"])
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": target}])
    return arn


def permit(cloud: Cloud, function: str, rule: str) -> None:
    cloud.client("lambda").add_permission(
        FunctionName=function,
        StatementId="Schedule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )


def test_a_schedule_starts_a_function_that_lets_it(server: RestartedCloud, cloud: Cloud, role: str) -> None:
    url = cloud.client("sqs").create_queue(QueueName="started")["QueueUrl"]
    function = create(cloud, "scheduled", role, Environment={"Variables": {"QUEUE": url}})
    rule = schedule(cloud, "starts", function)
    cloud.wait_until(lambda: f"no permission for {rule}" in server.log())
    assert times(cloud, url, []) == []
    permit(cloud, "scheduled", rule)
    cloud.wait_until(lambda: times(cloud, url, []))
    cloud.client("events").disable_rule(Name="starts")


def test_a_schedule_starts_once_a_period_also_over_a_kill_and_a_restart(server: RestartedCloud) -> None:
    """A start that is doubled has the time of another one; one that is lost leaves a gap while the server is up."""
    url = server.cloud.client("sqs").create_queue(QueueName="counted")["QueueUrl"]
    schedule(server.cloud, "counted", f"arn:aws:sqs:{REGION}:{ACCOUNT}:counted")
    found: list[str] = []

    def wait_for_more() -> None:
        wanted = len(found) + 3
        server.cloud.wait_until(lambda: len(times(server.cloud, url, found)) >= wanted)

    for number in (signal.SIGKILL, signal.SIGTERM):
        wait_for_more()
        server.restart(number)
    wait_for_more()
    server.cloud.client("events").disable_rule(Name="counted")
    assert len(set(found)) == len(found)
    instants = sorted(datetime.fromisoformat(text) for text in found)
    assert instants[-1] <= datetime.now(UTC) + timedelta(seconds=1)


def test_a_rule_that_is_put_again_as_it_was_goes_on(cloud: Cloud) -> None:
    """A laptop's bootstrap puts its rules at each start: an hourly one must not begin anew each time."""
    url = cloud.client("sqs").create_queue(QueueName="again")["QueueUrl"]
    target = f"arn:aws:sqs:{REGION}:{ACCOUNT}:again"

    def put_and_look() -> list[str]:
        schedule(cloud, "again", target, "rate(3 minutes)")
        return times(cloud, url, [])

    cloud.wait_until(put_and_look)
    cloud.client("events").disable_rule(Name="again")
