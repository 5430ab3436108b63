"""What a service does for a role without a request of its own: pulls an image, writes a log, delivers records.

On AWS these are calls with the role's credentials. Here they are function calls, so the role's policies are asked
directly, and the answer is a line of the request log like any other.
"""

from __future__ import annotations

from infra.localcloud.authorization.context import RequestContext, Values
from infra.localcloud.authorization.evaluation import Decision, Question, decide
from infra.localcloud.authorization.principals import Principal, Principals
from infra.localcloud.authorization.resource_policies import of as resource_policy_of
from infra.localcloud.errors import AccessDeniedError
from infra.localcloud.request_file import RequestFile
from infra.localcloud.request_record import Record


def require(
    principals: Principals,
    file: RequestFile,
    region: str,
    role_arn: str,
    session: str,
    action: str,
    resource: str,
    via: str = "",
) -> None:
    """Checks that a role may do what a service is about to do for it, and records the decision.

    Args:
        principals: Access keys and policies.
        file: The request log.
        region: The server's region.
        role_arn: The role.
        session: The name of the session that the service has on AWS.
        action: The IAM action.
        resource: The ARN of what it is done to, or ``*``.
        via: The service through which a KMS key is used (kms:ViaService).

    Raises:
        AccessDeniedError: The role's policies do not allow it. The text is AWS's.
    """
    account = role_arn.split(":")[4]
    arn = f"arn:aws:sts::{account}:assumed-role/{role_arn.rsplit('/', 1)[-1]}/{session}"
    principal = Principal("session", arn, account, role_arn)
    values: dict[str, Values] = {
        "aws:principalarn": (role_arn,),
        "aws:principalaccount": (account,),
        "aws:securetransport": ("true",),  # AWS's services speak TLS
    }
    if via:
        values |= {"kms:viaservice": (via,), "kms:calleraccount": (account,)}
    context = RequestContext(values)
    decision: Decision = decide(
        Question(principal, action, resource, context),
        principals.policies(principal),
        resource_policy_of(action, resource, region, account),
    )
    record = Record(role_arn, "allow" if decision.allowed else "deny", [(action, resource)])
    record.decided_by.append(f"{decision.policy}/{decision.statement}" if decision.policy else "")
    if not decision.allowed:
        sentence = f"User: {arn} is not authorized to perform: {action} on resource: {resource} {decision.reason}"
        record.error = sentence.rstrip()
    service, name = action.split(":", 1)
    file.write(record, service, name, resource, 200 if decision.allowed else 403)
    if record.error:
        raise AccessDeniedError(record.error)
