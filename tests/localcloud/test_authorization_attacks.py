"""Attacks on the endpoint, and wrong or missing signatures."""

from __future__ import annotations

import http.client
import json
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config as ClientConfig
from botocore.credentials import Credentials

from tests.support.localcloud import REGION, ROOT, Cloud
from tests.support.policed_roles import BUCKET, allow, refused

pytestmark = pytest.mark.stack


def answer(
    cloud: Cloud, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    """The answer to a raw request."""
    connection = http.client.HTTPConnection(urlsplit(cloud.endpoint).netloc, timeout=60)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body=body or None, headers=names)
    got = connection.getresponse()
    result = got.status, got.read(), {name.lower(): value for name, value in got.getheaders()}
    connection.close()
    return result


@pytest.mark.parametrize(
    ("path", "method"),
    [("/moto-api/reset", "POST"), ("/moto-api/data.json", "GET"), ("/moto-api/", "GET"), ("//moto-api/reset", "POST"),
     ("/latest/meta-data/iam/security-credentials/default-role", "GET"), ("/moto-api", "GET")],
)  # fmt: skip
def test_the_emulators_own_routes_are_closed(cloud: Cloud, guarded_s3: Any, path: str, method: str) -> None:
    assert answer(cloud, method, path)[0] in (403, 404)
    assert guarded_s3.head_bucket(Bucket=BUCKET)


@pytest.mark.parametrize(
    ("host", "served"),
    [("evil.example", False), ("127.0.0.1.evil.example:{port}", False), ("localhost.evil.example", False), ("", False),
     ("169.254.169.254", False), ("127.0.0.1:1", False), ("evil.example:{port}", False),
     ("127.0.0.1:{port}", True), ("localhost:{port}", True), ("[::1]:{port}", True), ("api.localhost:{port}", True),
     ("bucket.s3.localhost:{port}", True)],
)  # fmt: skip
def test_only_names_of_this_machine_are_served(cloud: Cloud, host: str, served: bool) -> None:
    port = urlsplit(cloud.endpoint).port
    status, body, _ = answer(cloud, "GET", "/", Host=host.format(port=port))
    assert status == 403
    assert (b"Host header" in body) == (not served)  # a served request is refused for its missing signature


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:8080", "file://"])
def test_requests_of_web_pages_are_refused(cloud: Cloud, guarded_s3: Any, origin: str) -> None:
    status, body, headers = answer(cloud, "POST", "/", b"Action=ListRoles", Origin=origin)
    assert (status, b"web pages" in body) == (403, True)
    status, _, more = answer(cloud, "OPTIONS", f"/{BUCKET}", Origin=origin, Access_Control_Request_Method="PUT")
    assert status == 403
    assert not [name for name in {**headers, **more} if name.startswith("access-control")]


def test_a_form_of_a_page_without_origin_is_refused(cloud: Cloud) -> None:
    assert answer(cloud, "GET", "/", Sec_Fetch_Site="cross-site")[0] == 403


WRONG: list[tuple[str, str, dict[str, str], str]] = [
    ("s3", "list_buckets", {"aws_access_key_id": "AKIANOBODY"}, "InvalidAccessKeyId"),
    ("s3", "list_buckets", {"aws_secret_access_key": "guess"}, "SignatureDoesNotMatch"),
    ("s3", "list_buckets", {"aws_session_token": "guess"}, "InvalidToken"),
    ("sts", "get_caller_identity", {"aws_access_key_id": "AKIANOBODY"}, "InvalidClientTokenId"),
    ("sts", "get_caller_identity", {"aws_secret_access_key": "guess"}, "SignatureDoesNotMatch"),
    ("dynamodb", "list_tables", {"aws_access_key_id": "AKIANOBODY"}, "UnrecognizedClientException"),
    ("dynamodb", "list_tables", {"aws_secret_access_key": "guess"}, "InvalidSignatureException"),
    ("lambda", "list_functions", {"aws_access_key_id": "AKIANOBODY"}, "UnrecognizedClientException"),
    ("ec2", "describe_vpcs", {"aws_access_key_id": "AKIANOBODY"}, "AuthFailure"),
]


@pytest.mark.parametrize(("service", "operation", "keys", "code"), WRONG)
def test_a_wrong_key_secret_or_token_is_refused(
    cloud: Cloud, service: str, operation: str, keys: dict[str, str], code: str
) -> None:
    assert refused(getattr(cloud.client(service, **keys), operation))[0] == code


def test_an_unsigned_request_is_refused(cloud: Cloud, guarded_s3: Any) -> None:
    target = {"X_Amz_Target": "DynamoDB_20120810.ListTables", "Content_Type": "application/x-amz-json-1.0"}
    status, body, _ = answer(cloud, "POST", "/", b"{}", **target)
    assert (status, b"MissingAuthenticationToken" in body) == (400, True)
    status, body, _ = answer(cloud, "POST", "/", b"Action=ListRoles&Version=2010-05-08",
                             Content_Type="application/x-www-form-urlencoded")  # fmt: skip
    assert (status, b"MissingAuthenticationToken" in body) == (403, True)
    for path in (f"/{BUCKET}", f"/{BUCKET}/raw/a.json", "/ssm_us-east-1/x", "/?Action=ListRoles"):
        assert answer(cloud, "GET", path)[0] == 403
    token = {"Content_Type": "application/x-www-form-urlencoded"}
    body_of = b"Action=AssumeRoleWithWebIdentity&RoleArn=arn:aws:iam::123456789012:role/test-job&RoleSessionName=x"
    assert answer(cloud, "POST", "/", body_of, **token)[0] == 403


def test_a_presigned_url_works_until_it_is_changed_or_expires(cloud: Cloud, guarded_s3: Any) -> None:
    s3 = cloud.client("s3", config=ClientConfig(signature_version="s3v4", s3={"addressing_style": "path"}))
    get = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "raw/a.json"}, ExpiresIn=600)
    assert urllib.request.urlopen(get).read() == b"{}"
    assert urllib.request.urlopen(get).read() == b"{}"  # until it expires it may be used again, as on AWS
    for changed in (get.replace("raw/a.json", "raw/b.json"), get.replace("Expires=600", "Expires=6000"), get + "0"):
        with pytest.raises(urllib.error.HTTPError, match=r"403|400"):
            urllib.request.urlopen(changed)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(urllib.request.Request(get, method="DELETE"))
    put = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "up"}, ExpiresIn=600)
    upload = urllib.request.Request(put, data=b"sent", method="PUT", headers={"Content-Type": "text/plain"})
    urllib.request.urlopen(upload).close()
    assert s3.get_object(Bucket=BUCKET, Key="up")["Body"].read() == b"sent"
    short = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "up"}, ExpiresIn=1)
    cloud.wait_until(lambda: _status(short) == 403)


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as got:
            return int(got.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_url_of_signature_version_2_is_refused_in_s3s_words(cloud: Cloud, guarded_s3: Any) -> None:
    old = cloud.client("s3", config=ClientConfig(signature_version="s3", s3={"addressing_style": "path"}))
    url = old.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "raw/a.json"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url)
    assert b"Please use AWS4-HMAC-SHA256" in caught.value.read()
    assert refused(lambda: old.get_object(Bucket=BUCKET, Key="raw/a.json"))[0] == "InvalidRequest"


@pytest.mark.parametrize("size", [100, 2_000_000])
def test_a_changed_body_is_not_stored(cloud: Cloud, guarded_s3: Any, size: int) -> None:
    key = cloud.operator
    request = AWSRequest("PUT", f"{cloud.endpoint}/{BUCKET}/tampered-{size}", data=b"a" * size)
    credentials = Credentials(key["aws_access_key_id"], key["aws_secret_access_key"])
    request.context["payload_signing_enabled"] = True
    S3SigV4Auth(credentials, "s3", REGION).add_auth(request)
    headers = {name.replace("-", "_"): str(value) for name, value in request.headers.items()}
    assert headers["X_Amz_Content_SHA256"] != "UNSIGNED-PAYLOAD"
    status, body, _ = answer(cloud, "PUT", f"/{BUCKET}/tampered-{size}", b"b" * size, **headers)
    assert (status, b"XAmzContentSHA256Mismatch" in body) == (400, True)
    assert refused(lambda: guarded_s3.head_object(Bucket=BUCKET, Key=f"tampered-{size}"))[1] == 404
    assert answer(cloud, "PUT", f"/{BUCKET}/tampered-{size}", b"a" * size, **headers)[0] == 200


def test_a_second_action_is_not_smuggled_in(cloud: Cloud, as_role: Any) -> None:
    """moto takes an action from the query string, the body or a header before the one that was checked."""
    role = as_role(allow("dynamodb:ListTables"), allow("iam:ListRoles"))
    dynamodb = role("dynamodb")
    body = {"smuggled": "&Action=CreateTable&"}
    dynamodb.meta.events.register(
        "before-call.dynamodb", lambda params, **_: params.update(body=json.dumps(body).encode())
    )
    assert dynamodb.list_tables()["TableNames"] == []
    other = role("dynamodb")
    other.meta.events.register(
        "before-call.dynamodb", lambda params, **_: params.update(url=params["url"] + "/?Action=CreateTable")
    )
    assert refused(other.list_tables)[0] == "AccessDeniedException"
    third = role("dynamodb")
    third.meta.events.register(
        "before-call.dynamodb", lambda params, **_: params["headers"].update(Action="CreateTable")
    )
    assert third.list_tables()["TableNames"] == []
    iam = role("iam")
    iam.meta.events.register(
        "before-call.iam", lambda params, **_: params.update(url=params["url"] + "/?Action=ListUsers")
    )
    assert refused(iam.list_roles)[0] == "AccessDenied"


def test_state_and_logs_are_the_operators_alone(cloud: Cloud, guarded_s3: Any) -> None:
    assert stat.S_IMODE(cloud.state.stat().st_mode) == 0o700
    open_to_others = [path for path in cloud.state.rglob("*") if stat.S_IMODE(path.lstat().st_mode) & 0o077]
    assert [path for path in open_to_others if not path.is_symlink()] == []


def test_the_operators_key_is_printed_for_a_shell(cloud: Cloud) -> None:
    command = [
        sys.executable,
        "-m",
        "infra.localcloud",
        "credentials",
        "--config",
        str(cloud.state.parent / "cloud.yaml"),
    ]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f"export AWS_ACCESS_KEY_ID={cloud.operator['aws_access_key_id']}\n" in printed
    assert f"export AWS_ENDPOINT_URL={cloud.endpoint}\n" in printed


def test_virtual_hosted_buckets(cloud: Cloud, guarded_s3: Any) -> None:
    """A client that puts the bucket into the host's name; the name is resolved here, not by the machine."""
    port = urlsplit(cloud.endpoint).port
    key = cloud.operator
    request = AWSRequest("GET", f"http://{BUCKET}.s3.localhost:{port}/raw/a.json")
    S3SigV4Auth(Credentials(key["aws_access_key_id"], key["aws_secret_access_key"]), "s3", REGION).add_auth(request)
    headers = {name.replace("-", "_"): str(value) for name, value in request.headers.items()}
    status, body, _ = answer(cloud, "GET", "/raw/a.json", b"", Host=f"{BUCKET}.s3.localhost:{port}", **headers)
    assert (status, body) == (200, b"{}")


@pytest.mark.parametrize(
    "key", ["/raw/a", "raw//a", "//raw/a", "raw/./a", "raw/../raw/a", "raw/%61", "raw/a?x", "raw/a&acl", "raw/a/"]
)
def test_what_is_authorised_is_what_is_done(guarded_s3: Any, as_role: Any, key: str) -> None:
    """A key that some reader of paths would take for ``raw/a`` is a key of its own, for the policies as for S3."""
    guarded_s3.put_object(Bucket=BUCKET, Key=key, Body=b"secret")
    other = as_role(allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/raw/a"))("s3")
    refused(lambda: other.get_object(Bucket=BUCKET, Key=key))
    own = as_role(allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/{key}"))("s3")
    assert own.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"secret"
    guarded_s3.delete_object(Bucket=BUCKET, Key=key)
