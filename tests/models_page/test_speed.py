"""What the page costs with 500 versions on the local cloud: calls of AWS, which are what takes time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from include.pipelines.deploy.live import NOTHING_LIVE
from include.pipelines.deploy.live_log import append
from tests.support.localcloud import Cloud
from tests.support.models_page import DAG, Person, made, page
from tests.support.state_table import create_state_table

pytestmark = pytest.mark.stack
VERSIONS = 500


@pytest.fixture(scope="module")
def registry(cloud: Cloud) -> None:
    """500 versions of a model, the newest of which waits for approval."""
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="nightjar-flights")

    def create(number: int) -> None:
        sagemaker.create_model_package(
            ModelPackageGroupName="nightjar-flights",
            ModelApprovalStatus="PendingManualApproval" if number == VERSIONS else "Approved",
            InferenceSpecification={
                "Containers": [{"Image": "serving:1", "ModelDataUrl": "s3://nj-artifact/bundle.tar.gz"}],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            CustomerMetadataProperties=dict(made(number).metadata),
        )

    for number in range(1, VERSIONS + 1):
        create(number)
    create_state_table(cloud.client("dynamodb"), "nightjar-state")


@pytest.fixture
def ann(registry: None, on_cloud: Cloud, person: Callable[[str], Person]) -> Iterator[Person]:
    page.sources.forget_clients()
    # Else the list is old after two seconds, which a busy machine may need for a page.
    page.sources.version_list("flights").clock = lambda: 0.0
    state = page.sources.sources().state
    if not state.query("live#flights", last=1):
        pointer: Any = {**NOTHING_LIVE, "version": 499, "bundle_digest": "d499", "history": [499, 498], "revision": 1}
        append("flights", pointer, state)
    yield person("ann")
    page.sources.forget_clients()


def load(someone: Person) -> dict[str, Any]:
    """What the page asks for when it is opened."""
    overview = someone.get(f"api/{DAG}")
    assert overview.status_code == 200, overview.text
    rows, points = someone.get(f"api/{DAG}/versions").json(), someone.get(f"api/{DAG}/points").json()
    return {**overview.json(), "rows": rows["rows"], "points": points}


def test_a_page_that_is_loaded_again_asks_aws_five_times(ann: Person, on_cloud: Cloud) -> None:
    def calls() -> Counter[str]:
        return Counter(request["action"] for request in on_cloud.requests())

    before = calls()
    first = load(ann)
    assert (first["versions"], len(first["points"]), len(first["rows"])) == (VERSIONS, VERSIONS, 50)
    assert (first["live"]["version"], first["waiting"]) == (499, [500])
    cold = calls() - before
    assert (cold["DescribeModelPackage"], cold["ListModelPackages"], cold["GetMetricData"]) == (VERSIONS, 5, 1)
    page.sources.version_list("flights").expire()
    before = calls()
    load(ann)
    # Of what is live and of a freeze; the table and the plot ask what is live again.
    assert calls() - before == {"ListModelPackages": 1, "Query": 4}


def test_a_change_shows_at_the_next_load_and_costs_one_description(ann: Person, on_cloud: Cloud) -> None:
    load(ann)
    answer = ann.post(f"api/{DAG}/versions/500/reject")
    assert answer.status_code == 200, answer.text
    before = Counter(request["action"] for request in on_cloud.requests())
    shown = load(ann)
    assert shown["waiting"] == [] and shown["rows"][0]["status"] == "rejected"
    assert shown["rows"][0]["reasons"].startswith("Rejected by ann: the reason of a test")
    after = Counter(request["action"] for request in on_cloud.requests()) - before
    assert (after["DescribeModelPackage"], after["ListModelPackages"]) == (1, 5)
