"""Ask a service, through its load balancer, whether it serves what was deployed."""

from __future__ import annotations

import json
import tarfile
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException

if TYPE_CHECKING:
    from airflow.sdk import Context

IN_A_ROW = 5
TRIES = 15
PAUSE_SECONDS = 0.5
TIMEOUT_SECONDS = 10
TOLERANCE = 1e-6


class VerifyServiceOperator(BaseOperator):
    """Green when ``/version`` is the requested version and digest five times in a row, ``/golden`` is ok, and ``/predict``
    answers a golden row as in training. Returns ``{"url", "prediction"}``; a failure is also pushed as the XCom ``failure``.

    :param url_parameter: SSM parameter that holds the load balancer's URL.
    :param version: requested model version (templated).
    :param bundle_digest: requested bundle digest (templated).
    :param bundle_uri: the bundle in S3, from which one golden row is read (templated).
    :param api_key_secret: Secrets Manager secret whose text is the API key to send; "" where callers need none.
    """

    template_fields = ("version", "bundle_digest", "bundle_uri")

    def __init__(
        self,
        *,
        url_parameter: str,
        version: str,
        bundle_digest: str,
        bundle_uri: str,
        api_key_secret: str = "",
        region_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.api_key_secret = api_key_secret
        self.url_parameter = url_parameter
        self.version = version
        self.bundle_digest = bundle_digest
        self.bundle_uri = bundle_uri
        self.region_name = region_name

    def execute(self, context: Context) -> dict[str, Any]:
        ssm = AwsBaseHook(aws_conn_id=None, client_type="ssm", region_name=self.region_name).conn
        url = ssm.get_parameter(Name=self.url_parameter)["Parameter"]["Value"]
        try:
            self._check_version(url)
            self._check_golden(url)
            prediction = self._check_prediction(url)
        except AirflowException as error:
            context["ti"].xcom_push(key="failure", value=str(error))
            raise
        return {"url": url, "prediction": prediction}

    def _check_version(self, url: str) -> None:
        wanted = {"model_version": str(self.version), "bundle_digest": self.bundle_digest}
        good, seen = 0, None
        for _ in range(TRIES):
            status, answer = call(f"{url}/version")
            seen = {name: str(answer.get(name)) for name in wanted} if status == 200 else answer
            good = good + 1 if seen == wanted else 0
            if good == IN_A_ROW:
                return
            if not good:
                time.sleep(PAUSE_SECONDS)
        raise AirflowException(f"{url}/version does not answer {wanted} {IN_A_ROW} times in a row, last was {seen}")

    def _check_golden(self, url: str) -> None:
        status, answer = call(f"{url}/golden")
        if status != 200 or answer.get("ok") is not True:
            raise AirflowException(f"{url}/golden: the golden rows do not score as in training: HTTP {status} {answer}")
        self.log.info("Golden rows: %s", answer)

    def _check_prediction(self, url: str) -> dict[str, Any]:
        golden = golden_row(
            AwsBaseHook(aws_conn_id=None, client_type="s3", region_name=self.region_name).conn, self.bundle_uri
        )
        status, answer = call(f"{url}/predict", golden["request"], self._key())
        if status != 200 or abs(answer["probability"] - golden["probability"]) > TOLERANCE:
            raise AirflowException(
                f"{url}/predict answers HTTP {status} {answer} to a golden row, expected {golden['probability']}"
            )
        self.log.info("A golden request scores %s as in training", answer)
        return answer

    def _key(self) -> dict[str, str]:
        if not self.api_key_secret:
            return {}
        secrets = AwsBaseHook(aws_conn_id=None, client_type="secretsmanager", region_name=self.region_name).conn
        return {"X-Api-Key": secrets.get_secret_value(SecretId=self.api_key_secret)["SecretString"].strip()}


def call(
    url: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """GET, or POST of JSON: HTTP status and JSON answer; status 0 and the reason when nothing readable answers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, {"error": error.read(2000).decode(errors="replace")}
    except (OSError, ValueError) as error:
        return 0, {"error": str(error)}


def golden_row(s3: Any, bundle_uri: str) -> dict[str, Any]:
    """The first golden row of a bundle: ``{"request", "probability", "prediction"}``. The archive is read as a stream, never
    whole.
    """
    bucket, key = bundle_uri.removeprefix("s3://").split("/", 1)
    with tarfile.open(fileobj=s3.get_object(Bucket=bucket, Key=key)["Body"], mode="r|gz") as archive:
        for member in archive:
            if member.name.removeprefix("./") == "golden.jsonl":
                return json.loads(archive.extractfile(member).readline())
    raise AirflowException(f"{bundle_uri} holds no golden.jsonl")
