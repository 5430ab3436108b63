"""WSGI middleware that checks the signature of each request and asks IAM's policies."""

from __future__ import annotations

import hashlib
import hmac
import io
import re
import sys
import threading
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from infra.localcloud.authorization import (
    condition_keys,
    denials,
    payload,
    pinning,
    requests,
    resource_policies,
    signatures,
)
from infra.localcloud.authorization.evaluation import Decision, Question, decide, denied_by_resource
from infra.localcloud.authorization.principals import ANONYMOUS, IdentityPolicies, Principals
from infra.localcloud.refuse import answer_error
from infra.localcloud.request import ENVIRON_KEY, AwsRequest
from infra.localcloud.request_record import OPERATOR, RECORD_KEY, Record
from infra.localcloud.wsgi import HeldResponse

CHUNKED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_HASH = re.compile(r"[0-9a-f]{64}")
# A body up to this size is checked before the service sees the request; a larger one while the service reads it.
_WHOLE = 256 * 1024
# Always allowed, even against an explicit deny.
_FREE = {"sts:GetCallerIdentity"}
# What the root user of an account may do with a bucket whatever the bucket's policy denies.
_OWN_POLICY = {"GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"}


class Authorization:
    """Lets a request through if it is signed by a known key whose policies allow it.

    Args:
        application: The application behind it.
        principals: Access keys and policies.
        account: The account of the server.
        region: Its region, for anonymous requests.
    """

    def __init__(self, application: WSGIApplication, principals: Principals, account: str, region: str) -> None:
        self._application = application
        self._principals = principals
        self._account = account
        self._region = region
        self._said: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request."""
        request: AwsRequest = environ[ENVIRON_KEY]
        record: Record = environ[RECORD_KEY]
        try:
            caller = self._identified(environ)
        except signatures.SignatureError as error:
            record.decision, record.error = "signature", f"{error.kind} {error.detail}".strip()
            return _answer(request, denials.of_signature(request, error), start_response)
        except payload.PayloadError as error:
            record.decision, record.error = "signature", error.code
            return _answer(request, _of_payload(request, error), start_response)
        principal = caller.principal
        record.caller = OPERATOR if principal.kind == "operator" else principal.identity_arn or principal.arn
        if sentence := pinning.pin(request, environ):
            record.decision, record.error = "deny", sentence
            return _answer(request, denials.refused(request, sentence), start_response)
        is_operator = principal.kind == "operator"
        judge = self._denied_to_operator if is_operator else self._denied
        if denial := judge(request, environ, caller, record):
            record.decision, record.error = "deny", denial.message
            return _answer(request, denial, start_response)
        record.decision = OPERATOR if is_operator else "allow"
        return self._passed_on(request, environ, start_response)

    # --- the signature -----------------------------------------------------------------------------------------

    def _identified(self, environ: WSGIEnvironment) -> condition_keys.Caller:
        request: AwsRequest = environ[ENVIRON_KEY]
        signature = signatures.parse(environ)
        if signature is None:
            if not request.is_s3:
                raise signatures.SignatureError("missing")
            environ["HTTP_AUTHORIZATION"] = _anonymous(self._region)
            return condition_keys.Caller(ANONYMOUS, IdentityPolicies(), None, self._region, self._account)
        key = signatures.verify(environ, signature, self._principals, _declared_hash(environ, signature))
        _guard_body(environ, signature, key.secret)
        # moto looks for service, region and key in this header only, and in its usual form.
        environ["HTTP_AUTHORIZATION"] = signature.authorization()
        policies = self._principals.policies(key.principal)
        return condition_keys.Caller(key.principal, policies, signature, signature.region, self._account)

    # --- the policies ------------------------------------------------------------------------------------------

    def _denied(
        self, request: AwsRequest, environ: WSGIEnvironment, caller: condition_keys.Caller, record: Record
    ) -> denials.Denial | None:
        """The refusal of a request; None if everything that it asks for is allowed."""
        if f"{request.service}:{request.action}" in _FREE:
            return None
        if not caller.policies.exists and caller.principal.kind != "anonymous":
            return denials.of_signature(request, signatures.SignatureError("unknown_key"))
        asks = requests.asks(request, environ, caller)
        record.note = requests.note(request)
        record.asked = [(ask.action, ask.resource) for ask in asks]
        if not asks:
            return denials.refused(
                request,
                f"User: {caller.principal.arn} is not authorized to perform: {request.service}:{request.action}."
                " The local cloud does not know which IAM action it needs, so only the operator may call it",
            )
        for ask in asks:
            decision = self._decide(ask, caller)
            record.decided_by.append(f"{decision.policy}/{decision.statement}" if decision.policy else "")
            if not decision.allowed:
                return self._refusal(request, caller, ask, decision)
        return None

    def _denied_to_operator(
        self, request: AwsRequest, environ: WSGIEnvironment, caller: condition_keys.Caller, record: Record
    ) -> denials.Denial | None:
        """The refusal by an explicit deny of a bucket policy: as on AWS it binds the account's root user.

        Only the bucket policy itself stays in the operator's hands, so that nobody is locked out.
        """
        if not request.is_s3 or request.action in _OWN_POLICY or not self._has_policy(request, caller):
            return None
        for ask in requests.asks(request, environ, caller):
            policy = resource_policies.of(ask.action, ask.resource, caller.region, caller.account)
            question = Question(caller.principal, ask.action, ask.resource, ask.context)
            if policy and (decision := denied_by_resource(question, policy)):
                record.asked = [(ask.action, ask.resource)]
                record.decided_by.append(f"{decision.policy}/{decision.statement}")
                return self._refusal(request, caller, ask, decision)
        return None

    def _has_policy(self, request: AwsRequest, caller: condition_keys.Caller) -> bool:
        bucket = f"arn:aws:s3:::{request.labels.get('Bucket', '')}"
        policy = resource_policies.of("s3:ListBucket", bucket, caller.region, caller.account)
        return bool(policy and policy.document)

    def _decide(self, ask: requests.Ask, caller: condition_keys.Caller) -> Decision:
        policy = resource_policies.of(ask.action, ask.resource, caller.region, caller.account)
        return decide(Question(caller.principal, ask.action, ask.resource, ask.context), caller.policies, policy)

    def _refusal(
        self, request: AwsRequest, caller: condition_keys.Caller, ask: requests.Ask, decision: Decision
    ) -> denials.Denial:
        denial = denials.of_decision(request, caller.principal, ask, decision)
        if "cannot evaluate" in decision.reason:
            self._say(denial.message)
        return denial

    def _say(self, sentence: str) -> None:
        """Writes a sentence to the server's log, once."""
        with self._lock:
            if sentence in self._said:
                return
            self._said.add(sentence)
        sys.stderr.write(f"{sentence}\n")

    # --- the body ----------------------------------------------------------------------------------------------

    def _passed_on(
        self, request: AwsRequest, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        body = environ["wsgi.input"]
        if not isinstance(body, payload.HashedBody | payload.SignedChunks):
            return self._application(environ, start_response)
        # The service may hide the failure of a body that it was reading, so its answer is held back.
        held = HeldResponse()
        parts = self._application(environ, held)
        if body.failure:
            if close := getattr(parts, "close", None):
                close()
            return _answer(request, _of_payload(request, body.failure), start_response)
        start_response(*held.start)
        return parts


def _anonymous(region: str) -> str:
    """An Authorization header without a key: moto would else guess the service, and judge by ACLs alone."""
    scope = f"20000101/{region}/s3/aws4_request"
    return f"{signatures.ALGORITHM} Credential=anonymous/{scope}, SignedHeaders=host, Signature="


def _declared_hash(environ: WSGIEnvironment, signature: signatures.Signature) -> str:
    """The hash of the body that is part of what was signed."""
    declared = environ.get("HTTP_X_AMZ_CONTENT_SHA256", "")
    if signature.service == "s3":
        if signature.seconds is not None:
            return declared if declared and "x-amz-content-sha256" in signature.headers else signatures.UNSIGNED
        if not declared:
            raise signatures.SignatureError("incomplete", "Missing required header for this request:"
                                            " x-amz-content-sha256")  # fmt: skip
        return str(declared)
    if declared and "x-amz-content-sha256" in signature.headers:
        return str(declared)
    body = environ["wsgi.input"].read()
    environ["wsgi.input"] = io.BytesIO(body)
    return hashlib.sha256(body).hexdigest()


def _guard_body(environ: WSGIEnvironment, signature: signatures.Signature, secret: str) -> None:
    """Checks the body against the hash in the header, now or while it is read."""
    declared = environ.get("HTTP_X_AMZ_CONTENT_SHA256", "")
    body = environ["wsgi.input"]
    if declared.startswith(CHUNKED):
        key = signature.signer(secret)
        prefix = f"{signatures.ALGORITHM}-PAYLOAD\n{signature.time}\n{signature.scope}"
        environ["wsgi.input"] = payload.SignedChunks(
            body, signature.signature, prefix, lambda text: signatures.sign(key, text)
        )
    elif _HASH.fullmatch(declared):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        hashed = payload.HashedBody(body, length, declared)
        if length > _WHOLE and signature.service == "s3":
            environ["wsgi.input"] = hashed
            return
        data = hashed.read()
        if not data and not hmac.compare_digest(declared, payload.EMPTY):
            raise payload.PayloadError("XAmzContentSHA256Mismatch", payload.MISMATCH)
        environ["wsgi.input"] = io.BytesIO(data)


def _of_payload(request: AwsRequest, error: payload.PayloadError) -> denials.Denial:
    if request.service == "s3":
        return denials.Denial("400 Bad Request", error.code, str(error))
    return denials.of_signature(request, signatures.SignatureError("mismatch"))


def _answer(request: AwsRequest, denial: denials.Denial, start_response: StartResponse) -> Iterable[bytes]:
    return answer_error(request, denial.status, denial.code, denial.message, start_response)
