"""The answers to requests that are not signed rightly or not allowed, in AWS's codes and words."""

from __future__ import annotations

from dataclasses import dataclass

from infra.localcloud.authorization.evaluation import Decision
from infra.localcloud.authorization.principals import Principal
from infra.localcloud.authorization.requests import Ask
from infra.localcloud.authorization.signatures import SignatureError
from infra.localcloud.request import AwsRequest

_INVALID_TOKEN = "The security token included in the request is invalid."
_EXPIRED = "The security token included in the request is expired"
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key"
    " and signing method. Consult the service documentation for details."
)
_MISMATCH_S3 = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)


@dataclass(frozen=True)
class Denial:
    """An error: its HTTP status, code and message."""

    status: str
    code: str
    message: str


_S3 = {
    "missing": Denial("403 Forbidden", "AccessDenied", "Access Denied"),
    "incomplete": Denial("400 Bad Request", "AuthorizationHeaderMalformed", "The authorization header is malformed"),
    "version_2": Denial(
        "400 Bad Request",
        "InvalidRequest",
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    ),
    "unknown_key": Denial(
        "403 Forbidden", "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."
    ),
    "headers_not_signed": Denial(
        "403 Forbidden", "AccessDenied", "There were headers present in the request which were not signed"
    ),
    "mismatch": Denial("403 Forbidden", "SignatureDoesNotMatch", _MISMATCH_S3),
    "invalid_token": Denial("400 Bad Request", "InvalidToken", "The provided token is malformed or otherwise invalid."),
    "expired_token": Denial("400 Bad Request", "ExpiredToken", "The provided token has expired."),
    "skewed": Denial(
        "403 Forbidden",
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
    ),
    "url_expired": Denial("403 Forbidden", "AccessDenied", "Request has expired"),
}
_QUERY = {
    "missing": Denial("403 Forbidden", "MissingAuthenticationToken", "Request is missing Authentication Token"),
    "incomplete": Denial("400 Bad Request", "IncompleteSignature", "The request signature is incomplete"),
    "version_2": Denial("400 Bad Request", "IncompleteSignature", "Signature version 2 is not supported"),
    "unknown_key": Denial("403 Forbidden", "InvalidClientTokenId", _INVALID_TOKEN),
    "headers_not_signed": Denial("403 Forbidden", "SignatureDoesNotMatch", _MISMATCH),
    "mismatch": Denial("403 Forbidden", "SignatureDoesNotMatch", _MISMATCH),
    "invalid_token": Denial("403 Forbidden", "InvalidClientTokenId", _INVALID_TOKEN),
    "expired_token": Denial("403 Forbidden", "ExpiredToken", _EXPIRED),
    "skewed": Denial("403 Forbidden", "SignatureDoesNotMatch", "Signature expired"),
    "url_expired": Denial("403 Forbidden", "SignatureDoesNotMatch", "Signature expired"),
}
_EC2 = {
    **{kind: Denial("401 Unauthorized", "AuthFailure", denial.message) for kind, denial in _QUERY.items()},
    "skewed": Denial("400 Bad Request", "RequestExpired", "Request has expired."),
    "expired_token": Denial("400 Bad Request", "RequestExpired", "Request has expired."),
}
_JSON = {
    "missing": Denial(
        "400 Bad Request", "MissingAuthenticationTokenException", "Request is missing Authentication Token"
    ),
    "incomplete": Denial("400 Bad Request", "IncompleteSignatureException", "The request signature is incomplete"),
    "version_2": Denial("400 Bad Request", "IncompleteSignatureException", "Signature version 2 is not supported"),
    "unknown_key": Denial("400 Bad Request", "UnrecognizedClientException", _INVALID_TOKEN),
    "headers_not_signed": Denial("400 Bad Request", "InvalidSignatureException", _MISMATCH),
    "mismatch": Denial("400 Bad Request", "InvalidSignatureException", _MISMATCH),
    "invalid_token": Denial("400 Bad Request", "UnrecognizedClientException", _INVALID_TOKEN),
    "expired_token": Denial("400 Bad Request", "ExpiredTokenException", _EXPIRED),
    "skewed": Denial("400 Bad Request", "InvalidSignatureException", "Signature expired"),
    "url_expired": Denial("400 Bad Request", "InvalidSignatureException", "Signature expired"),
}


def of_signature(request: AwsRequest, error: SignatureError) -> Denial:
    """The answer to a wrong signature."""
    if request.protocol == "rest-xml" and request.service == "s3":
        table = _S3
    elif request.protocol == "ec2":
        table = _EC2
    elif request.protocol in ("query", "rest-xml"):
        table = _QUERY
    else:
        table = _JSON
    denial = table[error.kind]
    if request.protocol == "rest-json":
        denial = Denial("403 Forbidden", denial.code, denial.message)
    message = f"{denial.message}: {error.detail}" if error.detail else denial.message
    return Denial(denial.status, denial.code, message)


def of_decision(request: AwsRequest, principal: Principal, ask: Ask, decision: Decision) -> Denial:
    """The answer to a request that its policies do not allow."""
    sentence = f"User: {principal.arn} is not authorized to perform: {ask.action} on resource: {ask.resource}"
    return refused(request, f"{sentence} {decision.reason}".rstrip())


def refused(request: AwsRequest, sentence: str) -> Denial:
    """AccessDenied in the code of the request's service."""
    if request.protocol == "ec2":
        return Denial(
            "403 Forbidden", "UnauthorizedOperation", f"You are not authorized to perform this operation. {sentence}"
        )
    if request.protocol in ("query", "rest-xml"):
        code = "AuthorizationError" if request.service == "sns" else "AccessDenied"
        return Denial("403 Forbidden", code, sentence)
    status = "403 Forbidden" if request.protocol == "rest-json" else "400 Bad Request"
    return Denial(status, "AccessDeniedException", sentence)
