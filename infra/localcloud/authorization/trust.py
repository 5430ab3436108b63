"""Trust policies, for the services of AWS that assume a role."""

from __future__ import annotations

from typing import Any

from infra.localcloud.authorization.context import RequestContext, Values
from infra.localcloud.authorization.evaluation import Question, ResourcePolicy, decide
from infra.localcloud.authorization.principals import IdentityPolicies, Principal


def allows_service(role: Any, service: str, account: str, source_arn: str | None) -> bool:
    """Whether a role's trust policy allows a service to assume the role.

    Args:
        role: moto's role.
        service: Such as ``glue.amazonaws.com``.
        account: The account for which the service acts (aws:SourceAccount).
        source_arn: The resource for which the service acts (aws:SourceArn).
    """
    values: dict[str, Values] = {
        "aws:sourceaccount": (account,),
        "aws:principalisawsservice": ("true",),
        "aws:securetransport": ("true",),
    }
    if source_arn:
        values["aws:sourcearn"] = (source_arn,)
    caller = Principal("service", service, account)
    question = Question(caller, "sts:AssumeRole", str(role.arn), RequestContext(values))
    policy = ResourcePolicy("trust policy", str(role.assume_role_policy_document), required=True, account=account)
    return decide(question, IdentityPolicies(), policy).allowed
