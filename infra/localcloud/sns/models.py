"""moto's SNS, which checks a message before it is delivered."""

from __future__ import annotations

from typing import Any, ClassVar

from moto.sns.exceptions import SNSInvalidParameter, TopicNotFound
from moto.sns.models import SNSBackend

from infra.localcloud.install import Context

_SUBJECT = 100


class SnsBackend(SNSBackend):
    """Topics and subscriptions of one account and region."""

    context: ClassVar[Context]

    def publish(
        self,
        message: str,
        arn: str | None,
        phone_number: str | None = None,
        subject: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> str:
        """Publish.

        Raises:
            SNSInvalidParameter: The message is empty, or its subject is too long.
            TopicNotFound: There is no such topic.
        """
        if not message:
            raise SNSInvalidParameter("Invalid parameter: Empty message")
        if subject is not None and not 0 < len(subject) <= _SUBJECT:
            raise SNSInvalidParameter("Invalid parameter: Subject")
        if arn is not None and arn not in self.topics:
            raise TopicNotFound
        return super().publish(message, arn, phone_number, subject, *args, **kwargs)
