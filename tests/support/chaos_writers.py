"""One writer per service for the chaos run: a write has a number and a text, and all writes can be read back."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

_RECORDS = 3
_TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


def text_of(number: int) -> str:
    """The text of a write: its number and enough characters that a part of it is not the whole."""
    return f"{number}:{hashlib.sha256(str(number).encode()).hexdigest() * 3}"


class Writer(ABC):
    """Writes to one service.

    Args:
        client: A client of the service.
    """

    service: str
    pause_seconds = 0.0
    """Seconds between two writes, for services that are slow to read back."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def prepare(self) -> None:  # noqa: B027 - not every service has something to make first
        """Makes what the writes need. Called once, before the first."""

    @abstractmethod
    def write(self, number: int) -> None:
        """Makes one write. It returns when the write is acknowledged."""

    @abstractmethod
    def texts(self) -> Iterator[str]:
        """The text of each write that is there."""

    def read(self) -> dict[int, list[str]]:
        """The texts that are there, by the number of their write."""
        found: dict[int, list[str]] = defaultdict(list)
        for text in self.texts():
            found[int(text.partition(":")[0])].append(text)
        return found


class DynamoDbWriter(Writer):
    """Conditional puts, and a counter that is raised only from the value that was read."""

    service = "dynamodb"

    def prepare(self) -> None:
        """Makes the table."""
        self.client.create_table(
            TableName="chaos", BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )  # fmt: skip

    def write(self, number: int) -> None:
        """Puts an item that must not exist, then adds its last attribute to it in place."""
        head, tail = text_of(number)[:-32], text_of(number)[-32:]
        key = {"id": {"S": str(number)}}
        self.client.put_item(
            TableName="chaos", Item={**key, "head": {"S": head}}, ConditionExpression="attribute_not_exists(id)"
        )
        self.client.update_item(
            TableName="chaos", Key=key, UpdateExpression="SET tail = :tail",
            ConditionExpression="attribute_exists(id)", ExpressionAttributeValues={":tail": {"S": tail}},
        )  # fmt: skip

    def texts(self) -> Iterator[str]:
        """Scans the table. An item whose second write is missing is not there yet."""
        for page in self.client.get_paginator("scan").paginate(TableName="chaos"):
            yield from (item["head"]["S"] + item["tail"]["S"] for item in page["Items"] if "tail" in item)


class KinesisWriter(Writer):
    """Batches of records: a batch is there as a whole or not at all."""

    service = "kinesis"

    def prepare(self) -> None:
        """Makes the stream."""
        self.client.create_stream(StreamName="chaos", ShardCount=2)

    def write(self, number: int) -> None:
        """Puts the text in several records."""
        size = -(-len(text_of(number)) // _RECORDS)
        parts = [text_of(number)[at : at + size] for at in range(0, len(text_of(number)), size)]
        records = [
            {"Data": json.dumps([number, at, part]).encode(), "PartitionKey": f"{number}-{at}"}
            for at, part in enumerate(parts)
        ]
        answer = self.client.put_records(StreamName="chaos", Records=records)
        assert answer["FailedRecordCount"] == 0

    def texts(self) -> Iterator[str]:
        """Reads every shard, and joins the records of each batch."""
        parts: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for record in self._records():
            number, at, part = json.loads(record["Data"])
            parts[number].append((at, part))
        for number, of_batch in parts.items():
            joined = "".join(part for _, part in sorted(of_batch))
            yield joined if joined.startswith(f"{number}:") else f"{number}:without its first record"

    def _records(self) -> Iterator[dict[str, Any]]:
        for shard in self.client.list_shards(StreamName="chaos")["Shards"]:
            iterator = self.client.get_shard_iterator(
                StreamName="chaos", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while records := (answer := self.client.get_records(ShardIterator=iterator))["Records"]:
                yield from records
                iterator = answer["NextShardIterator"]


class GlueWriter(Writer):
    """Partitions of one table."""

    service = "glue"

    def prepare(self) -> None:
        """Makes database and table."""
        self.client.create_database(DatabaseInput={"Name": "chaos"})
        table = {"Name": "chaos", "PartitionKeys": [{"Name": "n", "Type": "string"}], "StorageDescriptor": {}}
        self.client.create_table(DatabaseName="chaos", TableInput=table)

    def write(self, number: int) -> None:
        """Creates a partition whose location is the text."""
        entry = {"Values": [str(number)], "StorageDescriptor": {"Location": text_of(number)}}
        self.client.create_partition(DatabaseName="chaos", TableName="chaos", PartitionInput=entry)

    def texts(self) -> Iterator[str]:
        """The locations of all partitions."""
        for page in self.client.get_paginator("get_partitions").paginate(DatabaseName="chaos", TableName="chaos"):
            yield from (entry["StorageDescriptor"]["Location"] for entry in page["Partitions"])


class RegistryWriter(Writer):
    """Versions of one model package group."""

    service = "sagemaker"

    def prepare(self) -> None:
        """Makes the group."""
        self.client.create_model_package_group(ModelPackageGroupName="chaos")

    def write(self, number: int) -> None:
        """Registers a version whose description is the text."""
        container = {"Image": "image:1", "ModelDataUrl": "s3://bucket/model"}
        self.client.create_model_package(
            ModelPackageGroupName="chaos", ModelPackageDescription=text_of(number), ClientToken=f"token-{number}",
            InferenceSpecification={"Containers": [container], "SupportedContentTypes": ["text/csv"],
                                    "SupportedResponseMIMETypes": ["text/csv"]},
        )  # fmt: skip

    def texts(self) -> Iterator[str]:
        """The descriptions of all versions."""
        pages = self.client.get_paginator("list_model_packages").paginate(ModelPackageGroupName="chaos")
        versions = [package for page in pages for package in page["ModelPackageSummaryList"]]
        numbers = [package["ModelPackageVersion"] for package in versions]
        assert len(set(numbers)) == len(numbers), "two packages have the same version"
        yield from (package["ModelPackageDescription"] for package in versions)


class SecretsWriter(Writer):
    """Secrets, each with two versions."""

    service = "secretsmanager"
    pause_seconds = 0.05

    def write(self, number: int) -> None:
        """Creates a secret, then puts its value."""
        self.client.create_secret(Name=f"chaos-{number}", Description=str(number))
        self.client.put_secret_value(SecretId=f"chaos-{number}", SecretString=text_of(number))

    def texts(self) -> Iterator[str]:
        """The values of all secrets; one whose second write is missing is not there yet."""
        for page in self.client.get_paginator("list_secrets").paginate():
            names = [entry["Name"] for entry in page["SecretList"] if entry.get("SecretVersionsToStages")]
            for at in range(0, len(names), 20):
                answer = self.client.batch_get_secret_value(SecretIdList=names[at : at + 20])
                yield from (value["SecretString"] for value in answer["SecretValues"])


class ParametersWriter(Writer):
    """SSM parameters."""

    service = "ssm"

    def write(self, number: int) -> None:
        """Puts a parameter."""
        self.client.put_parameter(Name=f"/chaos/{number}", Value=text_of(number), Type="SecureString")

    def texts(self) -> Iterator[str]:
        """The values of all parameters."""
        pages = self.client.get_paginator("get_parameters_by_path").paginate(Path="/chaos", WithDecryption=True)
        yield from (parameter["Value"] for page in pages for parameter in page["Parameters"])


class KeysWriter(Writer):
    """KMS keys with an alias each."""

    service = "kms"
    pause_seconds = 0.1

    def write(self, number: int) -> None:
        """Creates a key."""
        self.client.create_key(Description=text_of(number))

    def texts(self) -> Iterator[str]:
        """The descriptions of all keys."""
        for page in self.client.get_paginator("list_keys").paginate():
            for key in page["Keys"]:
                description = self.client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["Description"]
                if description.partition(":")[0].isdigit():
                    yield description


class RolesWriter(Writer):
    """IAM roles."""

    service = "iam"

    def write(self, number: int) -> None:
        """Creates a role."""
        self.client.create_role(
            RoleName=f"chaos-{number}", Description=text_of(number), AssumeRolePolicyDocument=_TRUST
        )

    def texts(self) -> Iterator[str]:
        """The descriptions of all roles."""
        for page in self.client.get_paginator("list_roles").paginate():
            yield from (role["Description"] for role in page["Roles"] if role["RoleName"].startswith("chaos-"))


class ObjectsWriter(Writer):
    """S3 objects."""

    service = "s3"
    pause_seconds = 0.02

    def prepare(self) -> None:
        """Makes the bucket."""
        self.client.create_bucket(Bucket="chaos")

    def write(self, number: int) -> None:
        """Puts an object that must not exist."""
        self.client.put_object(Bucket="chaos", Key=str(number), Body=text_of(number).encode(), IfNoneMatch="*")

    def texts(self) -> Iterator[str]:
        """The bodies of all objects."""
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket="chaos"):
            for entry in page.get("Contents", []):
                yield self.client.get_object(Bucket="chaos", Key=entry["Key"])["Body"].read().decode()


WRITERS: tuple[type[Writer], ...] = (
    DynamoDbWriter,
    KinesisWriter,
    GlueWriter,
    RegistryWriter,
    SecretsWriter,
    ParametersWriter,
    KeysWriter,
    RolesWriter,
    ObjectsWriter,
)
