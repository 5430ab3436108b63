"""X-Ray's actions on traces, groups, sampling rules and tags. moto finds an action by the last part of its path."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.xray.responses import XRayResponse

from infra.localcloud.actions import AwsError, Members
from infra.localcloud.xray import traces as traces_of
from infra.localcloud.xray.models import XRayBackend

Answer = str | tuple[str, dict[str, int]]


def _answered(function: Callable[[XRayBackend, Members], Members]) -> Callable[[XRayResponse], Answer]:
    @wraps(function)
    def action(self: XRayResponse) -> Answer:
        backend = self.xray_backend
        assert isinstance(backend, XRayBackend)
        try:
            return json.dumps(function(backend, json.loads(self.body or "{}")))
        except AwsError as error:
            return json.dumps({"__type": error.code, "Message": error.message}), {"status": 400}

    return action


@_answered
def trace_segments(backend: XRayBackend, request: Members) -> Members:
    """Answers PutTraceSegments."""
    return {"UnprocessedTraceSegments": traces_of.put(backend.traces, request["TraceSegmentDocuments"])}


@_answered
def traces(backend: XRayBackend, request: Members) -> Members:
    """Answers BatchGetTraces."""
    return traces_of.by_id(backend.traces, request["TraceIds"])


@_answered
def trace_summaries(backend: XRayBackend, request: Members) -> Members:
    """Answers GetTraceSummaries."""
    return traces_of.summaries(backend.traces, request, backend.account_id)


@_answered
def create_group(backend: XRayBackend, request: Members) -> Members:
    """Answers CreateGroup."""
    return {"Group": backend.create_group(request)}


@_answered
def get_group(backend: XRayBackend, request: Members) -> Members:
    """Answers GetGroup."""
    return {"Group": backend.group(request)}


@_answered
def groups(backend: XRayBackend, request: Members) -> Members:
    """Answers GetGroups."""
    return {"Groups": list(backend.groups.values())}


@_answered
def update_group(backend: XRayBackend, request: Members) -> Members:
    """Answers UpdateGroup."""
    return {"Group": backend.update_group(request)}


@_answered
def delete_group(backend: XRayBackend, request: Members) -> Members:
    """Answers DeleteGroup."""
    backend.delete_group(request)
    return {}


@_answered
def create_sampling_rule(backend: XRayBackend, request: Members) -> Members:
    """Answers CreateSamplingRule."""
    return {"SamplingRuleRecord": backend.create_rule(request["SamplingRule"], request.get("Tags"))}


@_answered
def get_sampling_rules(backend: XRayBackend, request: Members) -> Members:
    """Answers GetSamplingRules."""
    by_priority = sorted(backend.rules.values(), key=lambda one: int(one["SamplingRule"]["Priority"]))
    return {"SamplingRuleRecords": by_priority}


@_answered
def update_sampling_rule(backend: XRayBackend, request: Members) -> Members:
    """Answers UpdateSamplingRule."""
    return {"SamplingRuleRecord": backend.update_rule(request["SamplingRuleUpdate"])}


@_answered
def delete_sampling_rule(backend: XRayBackend, request: Members) -> Members:
    """Answers DeleteSamplingRule."""
    return {"SamplingRuleRecord": backend.delete_rule(request)}


@_answered
def list_tags_for_resource(backend: XRayBackend, request: Members) -> Members:
    """Answers ListTagsForResource."""
    found: dict[str, Any] = backend.tagging.list_tags_for_resource(backend.tagged(request["ResourceARN"]))
    return found


@_answered
def tag_resource(backend: XRayBackend, request: Members) -> Members:
    """Answers TagResource."""
    backend.tagging.tag_resource(backend.tagged(request["ResourceARN"]), request["Tags"])
    return {}


@_answered
def untag_resource(backend: XRayBackend, request: Members) -> Members:
    """Answers UntagResource."""
    backend.tagging.untag_resource_using_names(backend.tagged(request["ResourceARN"]), request["TagKeys"])
    return {}


ACTIONS = (
    trace_segments,
    traces,
    trace_summaries,
    create_group,
    get_group,
    groups,
    update_group,
    delete_group,
    create_sampling_rule,
    get_sampling_rules,
    update_sampling_rule,
    delete_sampling_rule,
    list_tags_for_resource,
    tag_resource,
    untag_resource,
)
PATHS = (
    "CreateGroup",
    "GetGroup",
    "Groups",
    "UpdateGroup",
    "DeleteGroup",
    "CreateSamplingRule",
    "GetSamplingRules",
    "UpdateSamplingRule",
    "DeleteSamplingRule",
    "ListTagsForResource",
    "TagResource",
    "UntagResource",
)
