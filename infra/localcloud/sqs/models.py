"""moto's SQS, which checks the characters of a message."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from moto.sqs.exceptions import SQSException
from moto.sqs.models import SQSBackend

from infra.localcloud.install import Context

_FORBIDDEN = re.compile("[^\\t\\n\\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class SqsBackend(SQSBackend):
    """Queues of one account and region."""

    context: ClassVar[Context]

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
