"""KMS keys that a service uses for the caller of a request: of streams, queues, topics and secrets.

Those of objects are in ``s3_keys.py``. Not asked: keys of DynamoDB's tables, which it uses by grants, and AWS's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from moto.backends import get_backend

from infra.localcloud.authorization.lookups import key_arn

_GENERATE, _DECRYPT = "kms:GenerateDataKey", "kms:Decrypt"
_BOTH = (_GENERATE, _DECRYPT)
# What a service does with the key of the resource, by the caller's action.
_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "kinesis:PutRecord": (_GENERATE,),
    "kinesis:PutRecords": (_GENERATE,),
    "kinesis:GetRecords": (_DECRYPT,),
    "secretsmanager:GetSecretValue": (_DECRYPT,),
    "secretsmanager:PutSecretValue": _BOTH,
    "secretsmanager:UpdateSecret": _BOTH,
    "sns:Publish": _BOTH,
    "sqs:SendMessage": _BOTH,
    "sqs:ReceiveMessage": (_DECRYPT,),
}


def uses(asked: Iterable[tuple[str, str]], region: str, account: str) -> Iterator[tuple[str, str, str]]:
    """The uses of keys that come with actions.

    Args:
        asked: Actions, each with the ARN of its resource.
        region: The region of the request.
        account: The account of the server.

    Yields:
        The action of KMS, the key's ARN, and the service that uses it.
    """
    for action, resource in asked:
        actions = _ACTIONS.get(action, ())
        name = _key(action.partition(":")[0], resource, region, account) if actions else ""
        if name and "alias/aws/" not in name:
            service = f"{action.partition(':')[0]}.{region}.amazonaws.com"
            for use in actions:
                yield use, key_arn(name, region, account), service


def _key(service: str, resource: str, region: str, account: str) -> str:
    """The key of a resource; empty without one."""
    backends: Any = get_backend(service)  # type: ignore[call-overload]  # one overload for each literal name
    return str(_KEYS[service](backends[account][region], resource) or "")


def _of_stream(backend: Any, arn: str) -> str | None:
    stream = backend.streams.get(arn.rpartition("/")[2])
    return stream.key_id if stream and stream.encryption_type == "KMS" else None


def _of_queue(backend: Any, arn: str) -> str | None:
    return getattr(backend.queues.get(arn.rpartition(":")[2]), "kms_master_key_id", None)


def _of_topic(backend: Any, arn: str) -> str | None:
    return getattr(backend.topics.get(arn), "kms_master_key_id", None)


def _of_secret(backend: Any, arn: str) -> str | None:
    return getattr(backend.secrets.get(arn), "kms_key_id", None)


_KEYS: Mapping[str, Callable[[Any, str], str | None]] = {
    "kinesis": _of_stream,
    "sqs": _of_queue,
    "sns": _of_topic,
    "secretsmanager": _of_secret,
}
