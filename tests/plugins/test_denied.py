"""A denied call fails its task without a retry; another error of AWS is retried."""

from __future__ import annotations

import pytest
from airflow.sdk.exceptions import AirflowFailException
from botocore.exceptions import ClientError
from nightjar.denied import fail_if_denied
from nightjar.outcomes import outcomes


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "not authorized to perform: glue:GetTable"}}, "GetTable")


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "AuthorizationError"])
@pytest.mark.parametrize("guard", [fail_if_denied, outcomes])
def test_a_denied_call_is_not_retried(code: str, guard: type) -> None:
    with pytest.raises(AirflowFailException, match=r"glue:GetTable.*clear this task"), guard():
        raise error(code)


def test_a_throttled_call_is_retried() -> None:
    with pytest.raises(ClientError, match="ThrottlingException"), fail_if_denied():
        raise error("ThrottlingException")
