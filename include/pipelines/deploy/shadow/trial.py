"""A shadow, step by step: may it begin, plan the job, compare, keep the report (ADR 58)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict

from include.errors import NothingToDoError, RefusedError
from include.lake import layout
from include.lake.uris import s3_uri, split_s3_uri
from include.model.shadow import ShadowDigest, ShadowReport
from include.pipelines.deploy.faults import FAULT_KEY, VerificationError, VersionFaultError
from include.pipelines.deploy.fence import own_intent
from include.pipelines.deploy.hooks import DeployHooks
from include.pipelines.deploy.resolve import DeployTarget
from include.pipelines.deploy.shadow.compare import ShadowVerdict, too_few, verdict
from include.pipelines.deploy.shadow.page import shadow_page
from include.pipelines.deploy.shadow.request import OUTPUT, PlannedShadow, logged_hours, shadow_job
from include.pipelines.promotion.packages import metadata_texts, read_packages
from include.pipelines.protocols import ObjectStore
from include.settings import Settings
from include.workloads import Workload
from include.workloads.deploying import ShadowSpec


def _utc_now() -> datetime:
    return datetime.now(UTC)


class FinishedShadow(TypedDict):
    """What is needed of the job's result."""

    job_name: str
    outputs: dict[str, str]
    exit_message: str


class ShadowFinding(TypedDict):
    """What the task ``compare_shadow`` returns."""

    verdict: ShadowVerdict
    page: str
    """URI of the report's page."""
    document: str
    """URI of the job's document."""


@dataclass(frozen=True)
class Shadow:
    """The shadow of one workload.

    Attributes:
        workload: The workload.
        hooks: The hooks of its deploys.
        objects: S3.
        settings: The settings.
        code_sha: Build of the code.
        now: The clock.
    """

    workload: Workload
    hooks: DeployHooks
    objects: ObjectStore
    settings: Settings
    code_sha: str
    now: Callable[[], datetime] = _utc_now

    @property
    def spec(self) -> ShadowSpec:
        """The workload's limits."""
        if self.workload.deploy.shadow is None:
            raise ValueError(f"{self.workload.name} has no shadow")
        return self.workload.deploy.shadow

    def plan(self, target: DeployTarget, run_id: str) -> PlannedShadow:
        """Plans the job.

        Raises:
            NothingToDoError: Nothing is to be compared: no version is live, the model is the same, a person goes back
                or repairs, or nothing is logged and the workload deploys all the same.
            VerificationError: Nothing is logged, and the workload deploys nothing that was not compared.
            SupersededError: The newest deploy is another run's.
        """
        _, intent = own_intent(self.workload.name, self.hooks.state, run_id=run_id)
        if intent["kind"] != "deploy":
            raise NothingToDoError(f"A {intent['kind']} does not wait for a shadow.")
        if intent["replaces"] is None:
            raise NothingToDoError("No version is live, so there is none to compare with.")
        if intent["replaces"] == target["version"]:
            raise NothingToDoError("The model is the one that is live, so its answers are the same.")
        packages = {package.version: package for package in read_packages(self.hooks.registry.described())}
        live, candidate = packages.get(intent["replaces"]), packages.get(target["version"])
        if live is None or candidate is None:
            missing = intent["replaces"] if live is None else target["version"]
            raise VerificationError(
                f"The registry lacks version {missing}, so the answers cannot be compared. To deploy without, remove "
                "deploy.shadow from workload.yaml."
            )
        bucket = self.settings.lake_bucket
        hours = logged_hours(self.workload.name, self.spec, self.now(), bucket, self.objects)
        if not hours:
            decided = too_few(0, self.spec)
            text = " ".join(decided["reasons"])
            if decided["go_on"]:
                raise NothingToDoError(text)
            raise VerificationError(f"{text} The live version stays.")
        return shadow_job(self.workload, self.spec, self.settings, self.code_sha, (live, candidate), hours)

    def compare(
        self, target: DeployTarget, planned: PlannedShadow, finished: FinishedShadow, run_id: str
    ) -> ShadowFinding:
        """Decides by the job's document, and keeps a page of it, to which the version's metadata points.

        Raises:
            RefusedError: The document was altered, or is not of these versions.
            SupersededError: The newest deploy is another run's.
        """
        own_intent(self.workload.name, self.hooks.state, run_id=run_id)
        uri = finished["outputs"][OUTPUT] + layout.SHADOW_FILE
        report = self._read(uri, finished, (planned["live_digest"], target["bundle_digest"]))
        decided = verdict(report, self.spec)
        bucket, key = self.settings.artifact_bucket, layout.shadow_page_key(self.workload.name, finished["job_name"])
        versions = planned["live_version"], target["version"]
        self.objects.put(bucket, key, shadow_page(self.workload, versions, report, decided, planned["hours"]).encode())
        page = s3_uri(bucket, key)
        self.hooks.registry.add_metadata(target["package_arn"], metadata_texts({"shadow_uri": page}))
        return {"verdict": decided, "page": page, "document": uri}

    def page(self, finding: ShadowFinding) -> str:
        """Returns the URI of the page that the task links to."""
        return finding["page"]

    @property
    def fault(self) -> tuple[str, type[Exception]]:
        """The XCom that names a fault of the version, and what :meth:`accept` then raises."""
        return FAULT_KEY, VersionFaultError

    def accept(self, finding: ShadowFinding) -> str:
        """Returns why the deploy goes on.

        Raises:
            VersionFaultError: The version is at fault.
            VerificationError: The deploy stops without a fault.
        """
        text = " ".join(finding["verdict"]["reasons"])
        if finding["verdict"]["go_on"]:
            return f"The shadow lets the deploy go on. {text}"
        error = VersionFaultError if finding["verdict"]["fault"] else VerificationError
        raise error(f"The shadow stops the deploy; the live version stays. {text} The report: {finding['page']}.")

    def _read(self, uri: str, finished: FinishedShadow, digests: tuple[str, str]) -> ShadowReport:
        text = self.objects.open(*split_s3_uri(uri)).read()
        recorded, found = _recorded_sha256(finished["exit_message"]), hashlib.sha256(text).hexdigest()
        again = "Trigger a new run, or clear the task resolve with the tasks after it: it is compared again."
        if found != recorded:
            raise RefusedError(f"{uri} was altered: its sha256 is {found}, but the job recorded {recorded}. {again}")
        report: ShadowReport = json.loads(text)
        if (report["live_digest"], report["candidate_digest"]) != digests:
            raise RefusedError(f"{uri} compares other versions than this run deploys. {again}")
        return report


def _recorded_sha256(exit_message: str) -> str | None:
    try:
        recorded: ShadowDigest | Any = json.loads(exit_message)
        return str(recorded["shadow_sha256"])
    except (ValueError, TypeError, KeyError):
        return None
