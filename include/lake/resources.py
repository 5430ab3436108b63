"""The names of a workload's resources in AWS, in the Glue catalog and in Airflow. Pure functions."""

from __future__ import annotations


def table_name(workload: str, table: str) -> str:
    """Glue catalog table of one event type."""
    return f"{workload}_{table}"


JOB_PREFIX = "nj-"  # of the names of SageMaker jobs; the policies of the roles name it


def approved_model(workload: str) -> str:
    """Airflow asset of an approved version: retrain emits it, and a deploy follows."""
    return f"nightjar://{workload}/approved-model"


def model_group(workload: str) -> str:
    """SageMaker model package group."""
    return f"nightjar-{workload}"


def service_name(workload: str) -> str:
    """ECS service, and the family of its task definitions."""
    return f"nightjar-{workload}"


def canary_name(workload: str) -> str:
    """ECS service of the tasks that serve a canary's share of the requests, and the family of their definitions."""
    return f"nightjar-{workload}-canary"


def target_groups(workload: str) -> tuple[str, str]:
    """Target groups of the load balancer: of :func:`service_name`, and of :func:`canary_name`.

    A name has at most 32 characters, and a workload's up to 20.
    """
    return f"nightjar-{workload}", f"nightjar-{workload}-c"


def template_family(workload: str) -> str:
    """Family of the template task definition, which the bootstrap creates and each deploy copies."""
    return f"nightjar-{workload}-template"


def event_stream(workload: str) -> str:
    """Kinesis stream of the workload's events. The policies of the roles name it."""
    return f"nightjar-{workload}"


def prediction_stream(workload: str) -> str:
    """Firehose delivery stream from the service to :func:`predictions_prefix`."""
    return f"nightjar-{workload}-predictions"


def drops_queue(workload: str) -> str:
    """SQS queue with a message for each file below :func:`drops_prefix`."""
    return f"nightjar-{workload}-drops"


def service_url_parameter(workload: str) -> str:
    """SSM parameter with the URL of the service's load balancer, without a slash at the end."""
    return f"/nightjar/{workload}/service_url"
