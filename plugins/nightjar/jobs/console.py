"""Links to the AWS console, for logs and failure texts."""

from __future__ import annotations

PAGES = {
    "glue": "gluestudio/home?region={region}#/job/{name}/run/{id}",
    "athena": "athena/home?region={region}#/query-editor/history/{id}",
    "training": "sagemaker/home?region={region}#/jobs/{id}",
    "processing": "sagemaker/home?region={region}#/processing-jobs/{id}",
    "ecs": "ecs/v2/clusters/{name}/services/{id}/deployments?region={region}",
}


def console_link(kind: str, region: str | None, identifier: str, name: str = "") -> str:
    """The console's page of one job, query or service (``kind``: a key of :data:`PAGES`)."""
    return "https://console.aws.amazon.com/" + PAGES[kind].format(region=region or "", id=identifier, name=name)
