"""The configuration of a distribution as CloudFront describes it: as it was given, with what it adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.localcloud.actions import Members

_NONE = {"Quantity": 0}
_BEHAVIOR: Members = {
    "SmoothStreaming": False,
    "Compress": False,
    "TrustedSigners": {"Enabled": False, "Quantity": 0},
    "TrustedKeyGroups": {"Enabled": False, "Quantity": 0},
    "LambdaFunctionAssociations": _NONE,
    "FunctionAssociations": _NONE,
    "FieldLevelEncryptionId": "",
    "AllowedMethods": {
        "Quantity": 2,
        "Items": ["HEAD", "GET"],
        "CachedMethods": {"Quantity": 2, "Items": ["HEAD", "GET"]},
    },
}
_ORIGIN: Members = {
    "OriginPath": "",
    "CustomHeaders": _NONE,
    "ConnectionAttempts": 3,
    "ConnectionTimeout": 10,
    "OriginShield": {"Enabled": False},
    "OriginAccessControlId": "",
}
_CONFIGURATION: Members = {
    "Aliases": _NONE,
    "OriginGroups": _NONE,
    "CacheBehaviors": _NONE,
    "CustomErrorResponses": _NONE,
    "Comment": "",
    "DefaultRootObject": "",
    "PriceClass": "PriceClass_All",
    "HttpVersion": "http2",
    "IsIPV6Enabled": True,
    "WebACLId": "",
    "Staging": False,
    "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""},
    "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
    "ViewerCertificate": {"CloudFrontDefaultCertificate": True},
}


class GivenConfiguration(dict[str, Any]):
    """A configuration in place of moto's object: moto reads attributes, the answers have the members."""

    def __getattr__(self, name: str) -> Any:
        key = "CallerReference" if name == "caller_reference" else name
        try:
            return self[key]
        except KeyError:
            raise AttributeError(name) from None


def completed(given: Mapping[str, Any]) -> GivenConfiguration:
    """A configuration with what CloudFront adds to it."""
    made = GivenConfiguration({**_CONFIGURATION, **given})
    made["Origins"] = _each(given["Origins"], _ORIGIN)
    made["DefaultCacheBehavior"] = {**_BEHAVIOR, **given["DefaultCacheBehavior"]}
    made["CacheBehaviors"] = _each(made["CacheBehaviors"], _BEHAVIOR)
    certificate = dict(made["ViewerCertificate"])
    if certificate.get("CloudFrontDefaultCertificate"):
        certificate.setdefault("MinimumProtocolVersion", "TLSv1")
        certificate.setdefault("CertificateSource", "cloudfront")
    made["ViewerCertificate"] = certificate
    return made


def _each(listed: Mapping[str, Any], defaults: Members) -> Members:
    items = [{**defaults, **item} for item in listed.get("Items") or ()]
    return {"Quantity": len(items), **({"Items": items} if items else {})}
