"""moto's SQS, which checks the characters of a message and who may use a queue for its dead letters."""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

from moto.sqs.exceptions import SQSException
from moto.sqs.models import Queue, SQSBackend

from infra.localcloud.install import Context

_FORBIDDEN = re.compile("[^\\t\\n\\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ALLOW = "RedriveAllowPolicy"
_REDRIVE = "RedrivePolicy"


class SqsBackend(SQSBackend):
    """Queues of one account and region."""

    context: ClassVar[Context]

    def create_queue(self, name: str, tags: dict[str, str] | None = None, **kwargs: Any) -> Queue:
        """CreateQueue. Raises as :meth:`_check_redrive`."""
        self._check_redrive(f"arn:aws:sqs:{self.region_name}:{self.account_id}:{name}", kwargs)
        return _with_redrive_text(super().create_queue(name, tags, **kwargs), kwargs)

    def set_queue_attributes(self, queue_name: str, attributes: dict[str, Any]) -> Queue:
        """SetQueueAttributes: attributes that are not given stay. Raises as :meth:`_check_redrive`."""
        queue = self.get_queue(queue_name)
        self._check_redrive(queue.queue_arn, attributes)
        # moto would forget a policy that is not given again.
        changed = super().set_queue_attributes(queue_name, {"Policy": queue.policy, **attributes})
        return _with_redrive_text(changed, attributes)

    def get_queue_attributes(self, queue_name: str, attribute_names: list[str]) -> dict[str, Any]:
        """GetQueueAttributes."""
        known = [name for name in attribute_names if name != _ALLOW]
        attributes = super().get_queue_attributes(queue_name, known)
        queue: Any = self.get_queue(queue_name)
        if attributes.get(_REDRIVE):
            # A queue of a state that an earlier version stored has no text.
            attributes = {**attributes, _REDRIVE: getattr(queue, "redrive_text", attributes[_REDRIVE])}
        allowed = _allowed(queue)
        if allowed and ("All" in attribute_names or _ALLOW in attribute_names):
            attributes = {**attributes, _ALLOW: allowed}
        return attributes

    def delete_message(self, queue_name: str, receipt_handle: str) -> None:
        """DeleteMessage. moto makes a new list without the message, so nothing may be sent to the old one meanwhile."""
        with self.get_queue(queue_name)._messages_lock:
            super().delete_message(queue_name, receipt_handle)

    def _check_redrive(self, source: str, attributes: dict[str, Any]) -> None:
        """Checks that a queue's dead letters may go to the queue that its redrive policy names.

        Raises:
            SQSException: That queue's RedriveAllowPolicy does not allow it.
        """
        policy = attributes.get(_REDRIVE)
        if not isinstance(policy, str) or not policy:
            return
        target = str(json.loads(policy).get("deadLetterTargetArn", "")).rsplit(":", 1)[-1]
        allowed = json.loads(_allowed(self.queues.get(target)) or "{}")
        permission = allowed.get("redrivePermission", "allowAll")
        if permission == "denyAll" or (permission == "byQueue" and source not in allowed.get("sourceQueueArns", ())):
            text = f"Value {policy} for parameter RedrivePolicy is invalid. Reason: The dead-letter queue does not"
            raise SQSException("InvalidParameterValue", f"{text} permit the redrive policy of {source}.")

    def _validate_message(self, queue: Any, message_body: str, *args: Any, **kwargs: Any) -> None:
        """Checks a message of SendMessage or SendMessageBatch.

        Raises:
            SQSException: It has characters that are not allowed.
        """
        if _FORBIDDEN.search(message_body):
            raise SQSException(
                "InvalidMessageContents",
                "Invalid characters found. Valid unicode characters are #x9 | "
                "#xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
            )
        super()._validate_message(queue, message_body, *args, **kwargs)


def _with_redrive_text(queue: Any, attributes: dict[str, Any]) -> Queue:
    """The queue, with the text of the redrive policy if one is given: moto keeps what it means."""
    if attributes.get(_REDRIVE):
        queue.redrive_text = attributes[_REDRIVE]
    found: Queue = queue
    return found


def _allowed(queue: Any) -> str:
    """A queue's RedriveAllowPolicy; moto keeps any attribute under its name in snake case."""
    return str(getattr(queue, "redrive_allow_policy", "") or "")
