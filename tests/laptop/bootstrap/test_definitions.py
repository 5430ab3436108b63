"""The definitions have the names that the code uses."""

from __future__ import annotations

import pytest

from include.lake import layout, resources
from include.settings import Settings
from include.workloads import load
from infra.laptop.bootstrap import services, settings
from infra.laptop.bootstrap.definitions import NAMES, definition, policy


def default(field: str) -> str:
    return str(Settings.model_fields[field].default)


def test_the_platforms_resources_have_the_names_of_the_settings() -> None:
    glue = definition("glue", code="s3://code/")
    assert glue["database"] == default("glue_database")
    assert [job["Name"] for job in glue["jobs"]] == [default("glue_transform_job"), default("glue_audit_job")]
    assert definition("athena")["Name"] == default("athena_workgroup")
    assert definition("state_table")["TableName"] == default("state_table")
    assert definition("cluster")["cluster"]["clusterName"] == default("ecs_cluster")


def test_a_workloads_resources_have_the_names_of_the_layout() -> None:
    defined = services.workload_definition(settings(), load("flights"))
    assert defined["service"]["serviceName"] == resources.service_name("flights")
    assert defined["target_group"]["Name"] == resources.service_name("flights")
    assert defined["task_definition"]["family"] == resources.template_family("flights")
    assert defined["parameter"] == resources.service_url_parameter("flights")
    stream = definition("streams", workload="flights")["firehose"]
    assert stream["DeliveryStreamName"] == resources.prediction_stream("flights")
    assert stream["ExtendedS3DestinationConfiguration"]["Prefix"] == layout.predictions_prefix("flights")


def test_the_service_writes_its_log_where_its_log_group_is() -> None:
    defined = services.workload_definition(settings(), load("flights"))
    (container,) = defined["task_definition"]["containerDefinitions"]
    assert container["logConfiguration"]["options"]["awslogs-group"] == defined["log_group"]["logGroupName"]


def test_a_placeholder_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="workload"):
        definition("streams")
    with pytest.raises(KeyError, match="bucket"):
        policy("buckets", "raw")


def test_every_bucket_has_its_policy_and_a_key_that_exists() -> None:
    keys = definition("keys")
    for name, bucket in definition("buckets").items():
        # AWS delivers access logs only to a bucket without a KMS key.
        assert (bucket["key"] is None) if name == "logs" else (bucket["key"] in keys)
        assert policy("buckets", bucket["policy"], bucket=bucket["name"])["Statement"]
    assert NAMES.raw in {bucket["name"] for bucket in definition("buckets").values()}
