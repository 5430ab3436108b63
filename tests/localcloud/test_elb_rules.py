"""Listener rules, redirects and HTTPS: what a client that connects to the listener really gets."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.x509.oid import NameOID

from infra.laptop.free_ports import free_port
from tests.support.certificates import certificate
from tests.support.localcloud import Cloud

pytestmark = pytest.mark.stack


def fixed(text: str) -> list[dict[str, Any]]:
    """An action that answers with a text."""
    return [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": text}}]


def host(*names: str) -> dict[str, Any]:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(names)}}


def path(*patterns: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(patterns)}}


def get(port: int, target: str = "/", method: str = "GET", **headers: str) -> tuple[int, str, str]:
    """Status, body and Location of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, target, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers.get("Location", "")
    finally:
        connection.close()


def served_name(port: int, server_name: str | None) -> str:
    """The common name of the certificate that a client which asks for this host gets."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        context.wrap_socket(plain, server_hostname=server_name) as secured,
    ):
        der = secured.getpeercert(binary_form=True)
    assert der is not None
    common = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common[0].value)


@pytest.fixture(scope="module")
def elb(cloud: Cloud) -> Any:
    return cloud.client("elbv2")


@pytest.fixture(scope="module")
def balancer(cloud: Cloud, elb: Any) -> Iterator[str]:
    subnets = [subnet["SubnetId"] for subnet in cloud.client("ec2").describe_subnets()["Subnets"][:2]]
    arn = elb.create_load_balancer(Name="rules", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    yield arn
    elb.delete_load_balancer(LoadBalancerArn=arn)


@pytest.fixture
def listener(elb: Any, balancer: str) -> Iterator[tuple[str, int]]:
    """ARN and port of a listener that answers "default"."""
    port = free_port()
    made = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=fixed("default"))
    arn = made["Listeners"][0]["ListenerArn"]
    yield arn, port
    elb.delete_listener(ListenerArn=arn)


def add(elb: Any, listener: str, priority: int, text: str, *conditions: dict[str, Any], **more: Any) -> str:
    """Adds a rule that answers with a text, and returns its ARN."""
    made = elb.create_rule(
        ListenerArn=listener, Priority=priority, Conditions=list(conditions), Actions=fixed(text), **more
    )
    arn: str = made["Rules"][0]["RuleArn"]
    return arn


def test_the_first_rule_by_priority_that_matches_answers(elb: Any, listener: tuple[str, int]) -> None:
    arn, port = listener
    add(elb, arn, 20, "host", host("*.example.com", "taxi.internal"))
    add(elb, arn, 10, "host and path", host("*.EXAMPLE.com"), path("/predict*", "/v?/predict"))
    add(elb, arn, 30, "method", {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["DELETE"]}})
    header = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Shadow", "Values": ["on", "y?s"]}}
    add(elb, arn, 40, "header", header)
    add(elb, arn, 50, "nobody", {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}})
    assert get(port)[1] == "default"
    assert get(port, Host="taxi.example.com")[1] == "host"
    assert get(port, Host="TAXI.internal:80")[1] == "host"
    assert get(port, "/predict/1", Host="taxi.example.com")[1] == "host and path"
    assert get(port, "/v2/predict", Host="taxi.example.com")[1] == "host and path"
    assert get(port, "/Predict", Host="taxi.example.com")[1] == "host"
    assert get(port, "/predict", Host="example.com")[1] == "default"
    assert get(port, method="DELETE")[1] == "method"
    assert get(port, X_Shadow="YES")[1] == "header"


def test_rules_are_described_changed_tagged_and_deleted(elb: Any, listener: tuple[str, int]) -> None:
    arn, port = listener
    second = add(elb, arn, 2, "second", path("/b"), Tags=[{"Key": "team", "Value": "a"}])
    first = add(elb, arn, 1, "first", path("/a"))
    rules = elb.describe_rules(ListenerArn=arn)["Rules"]
    assert [(rule["Priority"], rule["IsDefault"]) for rule in rules] == [("1", False), ("2", False), ("default", True)]
    assert rules[0]["Conditions"] == [path("/a")]
    elb.modify_rule(RuleArn=first, Conditions=[path("/b")])
    assert (get(port, "/a")[1], get(port, "/b")[1]) == ("default", "first")
    elb.set_rule_priorities(RulePriorities=[{"RuleArn": first, "Priority": 2}, {"RuleArn": second, "Priority": 1}])
    assert get(port, "/b")[1] == "second"
    with pytest.raises(ClientError, match="PriorityInUse"):
        add(elb, arn, 1, "third", path("/c"))
    elb.add_tags(ResourceArns=[second], Tags=[{"Key": "cost", "Value": "1"}])
    tags = elb.describe_tags(ResourceArns=[second])["TagDescriptions"][0]["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "a", "cost": "1"}
    elb.delete_rule(RuleArn=second)
    assert get(port, "/b")[1] == "first"
    with pytest.raises(ClientError, match="OperationNotPermitted"):
        elb.delete_rule(RuleArn=rules[-1]["RuleArn"])


@pytest.mark.parametrize(
    ("config", "target", "location"),
    [
        ({"Protocol": "HTTPS", "Port": "443"}, "/a/b?c=d", "https://name.example:443/a/b?c=d"),
        ({"Protocol": "HTTPS", "Port": "443"}, "/a", "https://name.example:443/a"),
        ({"Host": "new.#{host}", "Path": "/v2/#{path}"}, "/a?x=1", "http://new.name.example:{port}/v2/a?x=1"),
        ({"Path": "/fixed", "Query": "q=1&#{query}"}, "/a?x=1", "http://name.example:{port}/fixed?q=1&x=1"),
        ({"Host": "other.example", "Query": ""}, "/a?x=1", "http://other.example:{port}/a"),
    ],
)
def test_a_redirect_keeps_what_it_does_not_name(
    elb: Any, listener: tuple[str, int], config: dict[str, str], target: str, location: str
) -> None:
    arn, port = listener
    action = {"Type": "redirect", "RedirectConfig": {**config, "StatusCode": "HTTP_302"}}
    elb.modify_listener(ListenerArn=arn, DefaultActions=[action])
    assert get(port, target, Host="name.example") == (302, "", location.format(port=port))


def test_a_rule_that_is_refused_changes_nothing(elb: Any, listener: tuple[str, int]) -> None:
    arn, port = listener
    add(elb, arn, 1, "kept", path("/a"))
    query = {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "a", "Value": "b"}]}}
    with pytest.raises(ClientError, match="field query-string are not routed"):
        add(elb, arn, 2, "refused", query)
    with pytest.raises(ClientError, match="nobody is authenticated"):
        elb.modify_listener(
            ListenerArn=arn,
            DefaultActions=[
                {
                    "Type": "authenticate-oidc",
                    "Order": 1,
                    "AuthenticateOidcConfig": {
                        "Issuer": "https://i",
                        "AuthorizationEndpoint": "https://i/a",
                        "TokenEndpoint": "https://i/t",
                        "UserInfoEndpoint": "https://i/u",
                        "ClientId": "c",
                    },
                },
                {**fixed("x")[0], "Order": 2},
            ],
        )
    assert len(elb.describe_rules(ListenerArn=arn)["Rules"]) == 2
    assert (get(port, "/a")[1], get(port)[1]) == ("kept", "default")


def test_an_https_listener_serves_its_certificates(cloud: Cloud, elb: Any, balancer: str) -> None:
    acm, port = cloud.client("acm"), free_port()
    pairs = [certificate("taxi.example.com"), certificate("*.texts.example.com")]
    arns = [acm.import_certificate(Certificate=pem, PrivateKey=key)["CertificateArn"] for pem, key in pairs]
    with pytest.raises(ClientError, match="certificate"):
        elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTPS", Port=port, DefaultActions=fixed("x"))
    listener = elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTPS",
        Port=port,
        Certificates=[{"CertificateArn": arns[0]}],
        SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
        DefaultActions=fixed("over TLS"),
    )["Listeners"][0]["ListenerArn"]
    assert served_name(port, None) == "taxi.example.com"
    assert served_name(port, "unknown.example") == "taxi.example.com"
    elb.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": arns[1]}])
    assert served_name(port, "a.texts.example.com") == "*.texts.example.com"
    # So many connections would show a choice by chance.
    assert {served_name(port, name) for name in (None, "unknown.example") for _ in range(50)} == {"taxi.example.com"}
    context = ssl.create_default_context(cadata=pairs[0][0].decode())
    context.check_hostname = False
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
    connection.request("GET", "/", headers={"Host": "taxi.example.com"})
    assert connection.getresponse().read() == b"over TLS"
    connection.close()
    elb.remove_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": arns[1]}])
    assert served_name(port, "a.texts.example.com") == "taxi.example.com"
    elb.delete_listener(ListenerArn=listener)
