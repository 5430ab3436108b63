"""``make approve``: a person approves a version that waits for them, and it is deployed."""

from __future__ import annotations

from include.pipelines.promotion.packages import APPROVED, PENDING, approval_description
from infra.airflow_api import Run
from infra.laptop import registry, stages
from infra.laptop.config import LaptopError
from infra.laptop.freeze import person


def approve(connection: stages.Connection, workload: str, version: int, reason: str) -> Run:
    """Approves a version and deploys it.

    Raises:
        LaptopError: There is no such version, or it does not wait for approval.
        RunFailedError: The deploy failed. The version stays approved, unless it was at fault.
    """
    package = registry.version(connection.aws, workload, version)
    if package is None:
        raise LaptopError(f"There is no version {version} of {workload}. `make status` shows the newest ones.")
    status = package["ModelApprovalStatus"]
    if status != PENDING:
        raise LaptopError(f"Version {version} of {workload} is {status}, so nothing waits for approval.")
    connection.aws.sagemaker.update_model_package(
        ModelPackageArn=package["ModelPackageArn"],
        ModelApprovalStatus=APPROVED,
        ApprovalDescription=approval_description([f"Approved by {person()}: {reason}"]),
    )
    return stages.deploy(connection, workload, str(version))
