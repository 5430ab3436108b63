"""The certificates of HTTPS listeners: those of ACM, imported or requested, with their private keys."""

from __future__ import annotations

from typing import Any

from moto.acm.models import CertBundle, acm_backends
from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import FakeListener


def load(account: str, region: str, arns: set[str]) -> list[dict[str, Any]]:
    """Certificates as Caddy's ``apps.tls.certificates.load_pem``, each tagged with its ARN.

    Raises:
        ELBClientError: A certificate does not exist.
    """
    return [
        {"certificate": found.cert.decode(), "key": found.key.decode(), "tags": [arn]}
        for arn in sorted(arns)
        for found in [_certificate(account, region, arn)]
    ]


def secured(listener: FakeListener, account: str, region: str) -> dict[str, Any]:
    """The part of a server's configuration that makes it speak TLS.

    A client that names a host gets the first certificate that has this host. Any other client gets the listener's
    first certificate, as on AWS. Each policy holds one certificate: among several, Caddy picks
    a random one for a name that none of them has.

    Raises:
        ELBClientError: The listener has no certificate, or one that does not exist.
    """
    if not listener.certificates:
        raise ELBClientError("ValidationError", "A certificate must be specified for HTTPS listeners")
    protocol = "tls1.3" if "TLS13-1-3" in (listener.ssl_policy or "") else "tls1.2"
    by_host = [
        {"match": {"sni": _names(_certificate(account, region, arn))}} | _policy(arn, protocol)
        for arn in listener.certificates
    ]
    return {
        "tls_connection_policies": [*by_host, _policy(listener.certificates[0], protocol)],
        "protocols": ["h1", "h2"],
    }


def _policy(arn: str, protocol: str) -> dict[str, Any]:
    return {"certificate_selection": {"any_tag": [arn]}, "protocol_min": protocol}


def _certificate(account: str, region: str, arn: str) -> CertBundle:
    found: CertBundle | None = acm_backends[account][region]._certificates.get(arn)
    if found is None:
        raise ELBClientError("CertificateNotFound", f"Certificate ARN '{arn}' is not found in ACM")
    return found


def _names(certificate: CertBundle) -> list[str]:
    return sorted({name for name in [*certificate.sans, str(certificate.common_name)] if name})
