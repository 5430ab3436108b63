"""The end of a night: telling the deploy DAG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException


class AnnounceVersionOperator(BaseOperator):
    """Succeeds, and so emits its outlets, for a version that may be deployed by itself; returns its number. Else skipped.

    :param package: ``{"version", "status", "reasons", "deployable"}``. Templated.
    """

    template_fields: Sequence[str] = ("package",)

    def __init__(self, *, package: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.package = package

    def execute(self, context: Any) -> int:
        package = self.package
        if not package["deployable"]:
            raise AirflowSkipException(
                f"Version {package['version']} is {package['status']}: nothing to deploy. {package['reasons']}"
            )
        return package["version"]
