"""Where the page's data come from: AWS, by the hooks of the toolkit, with the role of this process."""

from __future__ import annotations

import copy
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.exceptions import BotoCoreError, ClientError
from nightjar import looks
from nightjar.jobs.sagemaker.registry import RegistryHook
from nightjar.state.hook import StateHook

from include.lake import resources
from include.pipelines.models import monitoring
from include.pipelines.models.monitoring import Measured
from include.pipelines.models.versions import Version, VersionList
from include.settings import settings

log = logging.getLogger(__name__)

# The credentials of a client have ended. Those in a file are read when a client is made.
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
MEASURED_SECONDS = 60


@dataclass(frozen=True)
class Sources:
    """The clients that all requests share."""

    registry: RegistryHook
    state: StateHook
    cloudwatch: Any

    def registry_of(self, workload: str) -> RegistryHook:
        """The registry of one workload. All use one client, because a client of SageMaker takes much memory."""
        hook = copy.copy(self.registry)
        hook.group = resources.model_group(workload)
        return hook


@cache
def sources() -> Sources:
    """Returns the clients, which take a second to make."""
    config = settings()
    registry = RegistryHook("", region_name=config.region)
    state = StateHook(config.state_table, region_name=config.region)
    cloudwatch = AwsBaseHook(aws_conn_id=None, client_type="cloudwatch", region_name=config.region)
    for hook in (registry, state):
        hook.get_conn()  # made here, before threads share the hook
    return Sources(registry, state, cloudwatch.get_conn())


_versions: dict[str, VersionList] = {}
_measured: dict[str, tuple[float, list[Measured]]] = {}


def version_list(workload: str) -> VersionList:
    """Returns the list of versions that this process keeps of a workload."""
    return _versions.setdefault(workload, VersionList())


def forget_all() -> None:
    """Forgets everything that this process keeps."""
    _versions.clear()
    _measured.clear()


def forget_clients() -> None:
    """Makes the next request connect anew, with the credentials and the endpoint of then."""
    sources.cache_clear()


def forget_expired(error: Exception) -> None:
    """Connects anew after an error that says that the credentials have ended."""
    if isinstance(error, ClientError) and error.response["Error"].get("Code") in EXPIRED:
        forget_clients()


def versions(workload: str) -> list[Version]:
    """Returns the versions of a workload, newest first."""
    return version_list(workload).read(sources().registry_of(workload))


def version(workload: str, number: int) -> Version:
    """Returns one version as it is now."""
    return version_list(workload).read_again(sources().registry_of(workload), number)


def measured(workload: str) -> list[Measured]:
    """Returns the latest values of the monitor, at most a minute old; none where CloudWatch does not answer."""
    now = time.monotonic()
    before = _measured.get(workload)
    if before and now - before[0] < MEASURED_SECONDS:
        return before[1]
    try:
        found = _measure(workload)
    except (ClientError, BotoCoreError) as error:
        forget_expired(error)
        log.warning("The monitor's metrics of %s cannot be read: %s", workload, error)
        return []
    _measured[workload] = now, found
    return found


def look_seconds() -> float:
    """Returns how often a deploy with a canary looks whether it is ended."""
    return looks.look_seconds(settings().poll_seconds)


def _measure(workload: str) -> list[Measured]:
    end = datetime.now(UTC)
    answer = sources().cloudwatch.get_metric_data(
        MetricDataQueries=monitoring.queries(workload),
        StartTime=end - monitoring.LOOK_BACK,
        EndTime=end,
        ScanBy="TimestampDescending",
    )
    return monitoring.latest(answer["MetricDataResults"])
