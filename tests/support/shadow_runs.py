"""Runs of a deploy DAG with a shadow in one process, like ``deploy_runs``. The job's document is the test's."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

from airflow.sdk.exceptions import AirflowFailException

from include.lake import layout
from include.pipelines.deploy.shadow import Shadow
from include.workloads import Workload
from tests.support.dag_files import load, platform_settings
from tests.support.deploy_runs import DeployRun, Deploys, StateInMemory
from tests.support.retrain_runs import SETTINGS
from tests.support.shadows import document, report, with_shadow
from tests.support.stores_in_memory import ObjectsInMemory

NOW = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)


class ShadowDeploys(Deploys):
    """A workload's deploys, each of a version that first scores what the live one has answered.

    Attributes:
        objects: S3, with the prediction log.
        changes: How the job's document differs from that of a good version.
        job_fails: Whether the job fails.
        metadata: What was added to versions' metadata: ARN → entries.
    """

    def __init__(self, module: ModuleType, workload: Workload) -> None:
        self.objects, self.changes, self.job_fails = ObjectsInMemory(), dict[str, Any](), False
        with platform_settings():
            super().__init__(StateInMemory(), module, module.deploy(workload))
        self.shadow = Shadow(workload, self.hooks, self.objects, SETTINGS, "sha", now=lambda: NOW)
        self.metadata: dict[str, dict[str, str]] = {}
        self.registry.add_metadata = self._add_metadata  # type: ignore[method-assign, assignment]

    def log(self, hour: datetime = NOW) -> None:
        """Something was logged in an hour."""
        self.objects.put(SETTINGS.lake_bucket, layout.predictions_hour("flights", hour) + "part-1", b"{}\n")

    def pages(self) -> list[str]:
        """The reports that were kept."""
        prefix = "monitor/flights/shadows/"
        keys = self.objects.keys(SETTINGS.artifact_bucket, prefix)
        return [self.objects.open(SETTINGS.artifact_bucket, key).read().decode() for key in keys]

    def _add_metadata(self, arn: str, metadata: dict[str, str]) -> dict[str, Any]:
        self.metadata.setdefault(arn, {}).update(metadata)
        return {}

    def _plan_shadow(self, run: DeployRun) -> Any:
        with mock.patch.object(self.module, "Shadow", return_value=self.shadow):
            ti = SimpleNamespace(run_id=run.run_id)
            return self.dag.get_task("plan_shadow").python_callable(run.xcoms["resolve"], ti=ti)

    def _submit_shadow(self, run: DeployRun) -> Any:
        return run.xcoms["plan_shadow"]["name"]

    def _sense_shadow(self, run: DeployRun) -> Any:
        if self.job_fails:
            raise AirflowFailException("the job failed")
        planned, target = run.xcoms["plan_shadow"], run.xcoms["resolve"]
        digests = {"live_digest": planned["live_digest"], "candidate_digest": target["bundle_digest"]}
        text = document(report(**{**digests, **self.changes}))
        self.objects.put("artifact", "out/shadow.json", text)
        message = json.dumps({"shadow_sha256": hashlib.sha256(text).hexdigest()})
        return {"job_name": planned["name"], "outputs": {"shadow": "s3://artifact/out/"}, "exit_message": message}

    def _compare_shadow(self, run: DeployRun) -> Any:
        def push(key: str, value: str) -> None:
            run.fault = value

        ti = SimpleNamespace(run_id=run.run_id, xcom_push=push)
        given = (run.xcoms[name] for name in ("resolve", "plan_shadow", "sense_shadow"))
        with mock.patch.object(self.module, "Shadow", return_value=self.shadow):
            return self.dag.get_task("compare_shadow").python_callable(*given, ti=ti)

    def _stop_jobs(self, run: DeployRun) -> None:
        pass

    def _reject_shadow(self, run: DeployRun) -> Any:
        ti = SimpleNamespace(run_id=run.run_id, xcom_pull=lambda task_ids, key: run.fault)
        arguments = ("flights", run.xcoms.get("resolve"), None, "compare_shadow")
        return self.module.reject_version.function(*arguments, ti=ti)


def shadow_deploys() -> ShadowDeploys:
    """Returns deploys of flights, with a shadow, of which none was made yet."""
    with platform_settings():
        module = load("deploy")
    return ShadowDeploys(module, with_shadow())
