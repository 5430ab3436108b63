"""S3 as a WSGI application. It answers before moto, with locks and a store of its own; moto's S3 serves no request."""

from __future__ import annotations

from collections.abc import Iterable
from http.client import responses
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from infra.localcloud.operations.admission import refused
from infra.localcloud.operations.table import service_table
from infra.localcloud.request import ENVIRON_KEY, AwsRequest
from infra.localcloud.s3 import routing
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.operations import HANDLERS
from infra.localcloud.s3.request import MAX_KEY, Answer, S3Request, read
from infra.localcloud.s3.store import Store


class S3Requests:
    """WSGI middleware that answers the requests to S3 and passes all others on."""

    def __init__(self, application: WSGIApplication, store: Store, account: str, region: str) -> None:
        self._application = application
        self._store = store
        self._account = account
        self._region = region

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request."""
        asked: AwsRequest = environ[ENVIRON_KEY]
        if not asked.is_s3:
            return self._application(environ, start_response)
        request: S3Request | None = None
        try:
            request = read(environ, self._account, self._region)
            # What was authorised is executed. A request that names no operation finds its error here.
            known = asked.action in HANDLERS
            name = (
                asked.action if known else routing.find(request.method, request.level, request.query, request.headers)
            )
            answer = self._answer(request, name)
        except S3Error as error:
            answer = _refusal(error, environ["REQUEST_METHOD"], request.id if request else "local")
        body = answer.body
        length = answer.length if answer.length is not None else len(body) if isinstance(body, bytes) else 0
        headers = list(answer.headers.items())
        headers += [("x-amz-request-id", request.id if request else "local"), ("x-amz-id-2", "local")]
        if answer.status not in (204, 304):
            headers.append(("content-length", str(length)))
        start_response(f"{answer.status} {responses.get(answer.status, '')}", headers)
        return [body] if isinstance(body, bytes) else body

    def _answer(self, request: S3Request, name: str) -> Answer:
        if len(request.key.encode()) > MAX_KEY:
            raise S3Error("KeyTooLongError", Size=str(len(request.key.encode())), MaxSizeAllowed=str(MAX_KEY))
        line = service_table("s3").operations[name]
        if line.kind == "refused":
            raise S3Error("NotImplemented", refused("s3", name, line.text).message)
        self._check_owner(request)
        return HANDLERS[name](self._store, request)

    def _check_owner(self, request: S3Request) -> None:
        """Compares the owner that the caller expects."""
        expected = request.headers.get("x-amz-expected-bucket-owner")
        if expected and request.bucket and self._store.bucket(request.bucket).account != expected:
            raise S3Error("AccessDenied")


def _refusal(error: S3Error, method: str, request_id: str) -> Answer:
    headers = dict(error.headers)
    if method == "HEAD" or error.status == 304:
        return Answer(error.status, headers)
    return Answer(error.status, {"content-type": "application/xml", **headers}, error.document(request_id))
