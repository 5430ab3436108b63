"""Delivers an event to a target of a rule."""

from __future__ import annotations

import json
import sys
import time
import uuid
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.exceptions import JsonRESTError, ServiceException
from moto.logs.models import logs_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends


def is_supported(arn: str) -> bool:
    """Whether events reach a target with this ARN. Functions receive the starts of schedules alone."""
    return _service(arn) in ("sqs", "sns") or (_service(arn) == "logs" and ":log-group:" in arn)


def is_function(arn: str) -> bool:
    """Whether the target is a function of Lambda."""
    return _service(arn) == "lambda"


def changed_by(target: dict[str, Any], account: str, region: str) -> list[BaseBackend]:
    """Returns the backends that a delivery to the target may change."""
    known: dict[str, tuple[BackendDict[Any], ...]] = {
        "sqs": (sqs_backends,),
        "sns": (sns_backends, sqs_backends),
        "lambda": (),
    }
    return [backends[account][region] for backends in known.get(_service(target["Arn"]), (logs_backends,))]


def deliver(target: dict[str, Any], event: dict[str, Any], account: str, region: str) -> None:
    """Sends the event to the target.

    As on AWS, the publisher learns nothing of a target that does not accept it; the server's log names it.
    """
    arn = target["Arn"]
    message = _message(target, event)
    try:
        if _service(arn) == "sqs":
            group = target.get("SqsParameters", {}).get("MessageGroupId")
            sqs_backends[account][region].send_message(arn.rsplit(":", 1)[-1], message, group_id=group)
        elif is_function(arn):
            functions: Any = lambda_backends[account][region]
            functions.start_for(event["resources"][0], arn, json.loads(message))
        elif _service(arn) == "sns":
            sns_backends[account][region].publish(message, arn=arn)
        else:
            logs = logs_backends[account][region]
            group = arn.split(":log-group:", 1)[1].removesuffix(":*")
            stream = str(uuid.uuid4())
            logs.create_log_stream(group, stream)
            logs.put_log_events(group, stream, [{"timestamp": int(time.time() * 1000), "message": message}])
    except (ServiceException, JsonRESTError, PermissionError, NotImplementedError) as error:
        sys.stderr.write(f"EventBridge could not deliver {event['id']} to {arn}: {error}\n")


def _service(arn: str) -> str:
    parts = arn.split(":")
    return parts[2] if len(parts) > 2 else ""


def _message(target: dict[str, Any], event: dict[str, Any]) -> str:
    if "Input" in target:
        return str(target["Input"])
    value: Any = event
    for part in target.get("InputPath", "$").split(".")[1:]:
        value = value.get(part) if isinstance(value, dict) else None
    return json.dumps(value)
