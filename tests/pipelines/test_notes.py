"""The sentences in the notes of runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from include.pipelines.deploy import notes as deploy
from include.pipelines.deploy.live import NOTHING_LIVE, LivePointer, begun, went_live
from include.pipelines.deploy.resolve import DeployTarget
from include.pipelines.ingest import notes as ingest
from include.pipelines.ingest.types import ShardSummary
from include.pipelines.process import notes as process
from include.pipelines.promotion.packages import Package
from include.pipelines.retrain import notes as retrain
from tests.support.packages import metadata_of, package

COMPARED = {"champion": "6", "auc": "0.683200", "auc_difference": "0.004100"}


def version(status: str = "Approved", **metadata: str) -> Package:
    made = package(7, "2013-03-01T00:00:00Z", status)
    values = {"decision": "promoted", "backfilled": "false", **COMPARED, **metadata}
    return replace(made, metadata=metadata_of(**values))


@pytest.mark.parametrize(
    ("registered", "text"),
    [
        (version(), "Version 7 is promoted: AUC 0.6832 against 0.6791 of version 6. Why. It is approved."),
        (
            version("PendingManualApproval"),
            "Version 7 is promoted: AUC 0.6832 against 0.6791 of version 6. Why. It waits for a person's approval.",
        ),
        (
            version("Rejected", decision="refused"),
            "Version 7 is not promoted: AUC 0.6832 against 0.6791 of version 6. Why.",
        ),
        (
            version(backfilled="true", auc_difference="none"),
            "Version 7 is promoted: AUC 0.6832, compared with version 6. It is backfilled, so it is not deployed.",
        ),
        (
            version(champion="none", auc_difference="none"),
            "Version 7 is promoted: AUC 0.6832, with no version to compare with. Why. It is approved.",
        ),
        (
            version("Rejected", decision="refused", auc="none", auc_difference="none"),
            "Version 7 is not promoted: AUC none, compared with version 6. Why.",
        ),
        (
            version("Rejected"),
            "Version 7 is promoted: AUC 0.6832 against 0.6791 of version 6. Why.",
        ),
    ],
)
def test_a_retrain_run_says_version_auc_decision_and_why(registered: Package, text: str) -> None:
    reason = "Why." if "Why." in text else ""
    assert retrain.registered(registered, reason) == text


def test_a_retrain_run_links_to_the_card_of_its_version() -> None:
    made = version()
    assert retrain.pages(made) == {"Decision": "x"}, "a version from before the cards has none"
    carded = replace(made, metadata=metadata_of(card_uri="s3://artifact/cards/e.html"))
    assert retrain.pages(carded) == {"Model card": "s3://artifact/cards/e.html", "Decision": "x"}
    card = {"Model card": "http://card"}
    assert retrain.with_card(card, {"note": "Why."}, next_step="Next.") == "Why. Next. Model card: http://card"
    assert retrain.with_card({}, {"note": "Why."}, next_step="Next.") == "Why. Next."


def test_a_run_says_for_which_days_it_is_and_which_it_published() -> None:
    days: Any = {"days": ["2013-03-01", "2013-03-02"], "last": "2013-03-02", "cutoff": ""}
    assert process.chosen(days) == "For 2013-03-01 to 2013-03-02."
    assert process.published(["2013-03-02"]) == "Published 2013-03-02."


def test_a_deploy_says_what_it_replaces_and_whether_it_is_a_rollback() -> None:
    def target(version: int, live: int | None) -> str:
        return deploy.chosen(cast("DeployTarget", {"version": version, "live_version": live}))

    assert target(7, None) == "Deploys version 7; none was live."
    assert target(7, 6) == "Deploys version 7 in place of version 6."
    assert target(7, 7) == "Deploys version 7 again."
    first = live(NOTHING_LIVE, 6, "deploy")
    assert deploy.live(first) == "Version 6 is verified and live."
    assert deploy.live(live(live(first, 7, "deploy"), 6, "rollback")) == (
        "Version 6 is verified and live. It is a rollback. Deploys of the newest version are on hold until a run has "
        "release_hold set."
    )
    assert deploy.rejected(7) == "Version 7 is Rejected: no later run deploys it."
    arn = "arn:aws:ecs:us-east-1:1:task-definition/nightjar-flights:3"
    restored = deploy.restored({"task_definition": arn, "service_deployment_arn": ""})
    assert restored == "The service goes back to the last verified version, nightjar-flights:3."


def live(pointer: LivePointer, number: int, kind: Any) -> LivePointer:
    open_intent = begun(pointer, run_id="r", kind=kind, version=number, release_hold=False, reason=None)
    return went_live(open_intent, version=number, bundle_digest="d", task_definition="t", image="app:2")


def test_an_ingest_run_says_what_is_new_and_up_to_when_it_is_complete() -> None:
    def shard(records: int, quarantined: int) -> ShardSummary:
        return cast("ShardSummary", {"records": records, "quarantined": quarantined})

    groups = [[shard(10, 1), shard(0, 0)], [shard(5, 2)]]
    assert ingest.read(groups, "2013-03-02T00:00:00.000000Z") == (
        "15 records are new in raw, 3 in quarantine. The stream is complete in raw up to 2013-03-02T00:00:00.000000Z."
    )
    assert ingest.read([], None).endswith("The stream is not known to be complete up to any time.")
    assert ingest.rows({"weather": 24, "planes": 3}) == "New rows in raw: planes 3, weather 24."
    done: Any = [{"records": 17, "quarantined": 2}, {"records": 0, "quarantined": 1}]
    assert ingest.requeued(done) == (
        "Read 2 quarantine objects again: 17 records are in raw now, 3 were refused again."
    )
