"""A person's approval, asked for only where there is a reason to."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.exceptions import HITLRejectException, HITLTimeoutError
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from airflow.sdk import Context


class ApproveIfOperator(ApprovalOperator):
    """Waits for a person's approval if there is a reason to ask; without one, it succeeds at once.

    While it waits, it takes no worker and no trigger. A rejection fails the task, and no retry asks again.

    Args:
        reason: Why a person is asked (templated); empty: nobody is.
        response_timeout: How long to wait for the answer.
        **kwargs: Arguments of every operator, and ``subject`` and ``body`` (templated) for the person.
    """

    template_fields = (*ApprovalOperator.template_fields, "reason")

    def __init__(self, *, reason: str, response_timeout: timedelta, **kwargs: Any) -> None:
        super().__init__(fail_on_reject=True, response_timeout=response_timeout, **kwargs)
        self.reason = reason

    def execute(self, context: Context) -> Any:
        """Asks, or succeeds."""
        if not self.reason:
            self.log.info("No approval is needed")
            return None
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Continues with the answer.

        Raises:
            AirflowFailException: It is no, or nobody answered in time.
        """
        try:
            return super().execute_complete(context, event)
        except HITLRejectException:
            raise AirflowFailException("A person has rejected this. Nothing was started.") from None
        except HITLTimeoutError:
            raise AirflowFailException(
                f"Nobody has answered within {self.response_timeout}. Clear this task to ask again."
            ) from None
