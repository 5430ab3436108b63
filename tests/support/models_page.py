"""The models page in this process, on Airflow's database, with a registry and a state table in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from include.pipelines.deploy.live import NOTHING_LIVE
from include.pipelines.deploy.live_log import append
from include.pipelines.promotion.packages import Package
from tests.support.airflow_database import token
from tests.support.deploy_runs import StateInMemory
from tests.support.packages import Registry, described, metadata_of

DAG = "flights_deploy"
PREFIX = "/nightjar/models"
HEADERS = {"x-nightjar-page": "models"}
REASON = "the reason of a test"
START = datetime(2026, 11, 1, tzinfo=UTC)


class ListedRegistry(Registry):
    """A registry that lists and describes, as the page reads it, and counts what it is asked."""

    def __init__(self, packages: list[Package]) -> None:
        super().__init__(packages)
        self.lists: list[bool] = []
        self.described_arns: list[str] = []
        self.conn = SimpleNamespace(meta=SimpleNamespace(endpoint_url="http://127.0.0.1:1", region_name="us-east-1"))

    def listed(self, *, newest_page: bool = False) -> list[dict[str, Any]]:
        self.lists.append(newest_page)
        newest = sorted(self.packages, key=lambda package: package.version, reverse=True)
        return [
            {
                "ModelPackageArn": package.arn,
                "ModelPackageVersion": package.version,
                "ModelApprovalStatus": package.status,
                "CreationTime": START + timedelta(days=package.version),
            }
            for package in newest[: 100 if newest_page else None]
        ]

    def describe(self, arns: Sequence[str]) -> list[dict[str, Any]]:
        self.described_arns += arns
        by_arn = {package.arn: package for package in self.packages}
        return [described(by_arn[arn]) for arn in arns]


def made(
    version: int, status: str = "Approved", description: str = "AUC 0.7 reaches the bar", **values: str
) -> Package:
    """A package as a retrain run registers it."""
    metadata = metadata_of(
        **{
            "workload": "flights",
            "data_cutoff": f"2013-03-{version % 28 + 1:02d}T00:00:00.000000Z",
            "day": f"2013-03-{version % 28 + 1:02d}",
            "auc": "0.700000",
            "auc_low": "0.680000",
            "auc_high": "0.720000",
            "champion": str(version - 1) if version > 1 else "none",
            "auc_difference": "0.010000" if version > 1 else "none",
            "decision": "promoted",
            "cost_usd": "0.012500",
            "backfilled": "false",
            "bundle_digest": f"d{version}",
            "bundle_uri": f"s3://nj-artifact/{version}/bundle.tar.gz",
            "evaluation_uri": f"s3://nj-artifact/jobs/flights/evaluation/{version}/evaluation.json",
            "decision_uri": f"s3://nj-artifact/decisions/flights/{version}.json",
            **values,
        }
    )
    return Package(version, f"arn:{version}", status, description, metadata)


@dataclass
class Sources:
    """What ``models_page.sources.sources`` returns."""

    registry: ListedRegistry
    state: Any = field(default_factory=StateInMemory)
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def cloudwatch(self) -> Any:
        return self

    def registry_of(self, workload: str) -> ListedRegistry:
        return self.registry

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        results = []
        for query in request["MetricDataQueries"]:
            value = self.metrics.get(query["MetricStat"]["Metric"]["MetricName"])
            data = ([], []) if value is None else ([request["EndTime"]], [value])
            results.append({"Id": query["Id"], "Timestamps": data[0], "Values": data[1]})
        return {"MetricDataResults": results}

    def go_live(self, version: int, *earlier: int, **changes: Any) -> None:
        """Records that versions are live, and were live before, newest first."""
        pointer: Any = {
            **NOTHING_LIVE,
            "version": version,
            "previous": earlier[0] if earlier else None,
            "bundle_digest": f"d{version}",
            "task_definition": "t1",
            "history": [version, *earlier],
            "revision": 1,
            **changes,
        }
        append("flights", pointer, self.state)


class Page:
    """The page's modules, imported when a test uses them: the import of Airflow needs its home."""

    @cached_property
    def sources(self) -> ModuleType:
        return import_module("models_page.sources")

    def mounted(self) -> FastAPI:
        """Airflow's application, as far as the page needs it."""
        root = FastAPI()
        root.mount(PREFIX, import_module("models_page.app").app)
        return root


page = Page()


@dataclass(frozen=True)
class Person:
    """A browser in which a user of Airflow is logged in; nobody is for the name ``""``."""

    client: TestClient
    name: str

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(f"{PREFIX}/{path}", headers=self.login(), **options)

    def post(self, path: str, headers: dict[str, str] | None = None, **body: Any) -> Any:
        sent = {"reason": REASON, "revision": 1, **body}
        return self.client.post(f"{PREFIX}/{path}", json=sent, headers={**self.login(), **(headers or HEADERS)})

    def login(self) -> dict[str, str]:
        """The header of a logged-in user."""
        return {"Cookie": f"_token={token(self.name)}"} if self.name else {}
