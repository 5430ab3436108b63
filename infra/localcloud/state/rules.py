"""What the generic mechanism must be told about moto's classes, as data.

Everything that a backend reaches is stored unless it is named here. A class of ours names its own exceptions:

- ``RUNTIME = {"job": None}``: attributes that are not stored (processes, threads, sockets), with their value after a
  start. For a backend only the names count: it keeps what its ``__init__`` made.
- ``restored()``: called after everything was loaded and before the first request.
- ``resume()`` of a backend: called when the server listens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from moto.lakeformation.models import default_settings
from moto.logs.models import LogEvent
from moto.xray.models import SegmentCollection

# Raise this number when the tables or the encoding change. A change of our own stored classes shows in their shape.
SCHEMA = 1

# The modules whose classes are stored; their attributes are the shape of the stored state.
STORED_MODULES = (
    "infra.localcloud.athena.query",
    "infra.localcloud.athena.results",
    "infra.localcloud.cloudfront.models",
    "infra.localcloud.cloudwatch.alarms",
    "infra.localcloud.cloudwatch.composites",
    "infra.localcloud.ecs.resources",
    "infra.localcloud.glue.job_run",
    "infra.localcloud.kinesis.shard",
    "infra.localcloud.kinesis.stream",
    "infra.localcloud.sagemaker.job",
    "infra.localcloud.sagemaker.processing",
    "infra.localcloud.sagemaker.training",
    "infra.localcloud.sagemaker.trial",
    "infra.localcloud.sagemaker.tuning",
)

# Backends that are not stored, and why.
NOT_STORED = {
    "moto.s3.models:s3_backends": "S3 keeps bodies as files and an index of its own",
    "moto.instance_metadata.models:instance_metadata_backends": "it answers from the process's settings",
    "moto.batch.models:batch_backends": "moto's Batch jobs are threads; SubmitJob is refused",
}

# Value classes: small objects of which there are many. They are stored inside the object that holds them, so two
# holders of one such object get a copy each.
VALUES = frozenset(
    {
        "moto.dynamodb.models.dynamo_type:DynamoType",
        "moto.dynamodb.models.dynamo_type:Item",
        "moto.dynamodb.models.table:StreamRecord",
        "moto.glue.models:FakePartition",
        "moto.logs.models:LogEvent",
        "infra.localcloud.kinesis.shard:StoredRecord",
    }
)

# Classes with a hash of their own that are stored on their own nevertheless, because no set and no dictionary has them
# as keys: such a container could not be made before the attributes are there.
NO_KEYS = frozenset({"moto.iam.models:AWSManagedPolicy", "moto.iam.models:ManagedPolicy"})

# Objects that never change after they were made. They are stored once, with what they refer to. A class of ours has a
# property ``sealed`` instead.
SEALED = frozenset({"moto.sts.models:AssumedRole", "moto.sts.models:Token"})

# Objects of which there may be very many and that only these actions change after they were made. A request with
# another action does not compare them, nor what only they refer to.
CHANGED_BY: dict[str, frozenset[str]] = {
    # AWS's own policies: 1,582 of them, of which only the number of attachments changes.
    "moto.iam.models:AWSManagedPolicy": frozenset(
        f"{verb}{entity}Policy" for verb in ("Attach", "Detach") for entity in ("Role", "User", "Group")
    ),
    "moto.sagemaker.models:ModelPackage": frozenset(
        {"UpdateModelPackage", "AddTags", "DeleteTags", "TagResources", "UntagResources"}
    ),
    "moto.sqs.models:Message": frozenset(
        {"ReceiveMessage", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "DeleteMessage"}
    ),
}

# Large attributes of moto's backends that their ``__init__`` reads from files of moto and that never change.
MADE_BY_INIT: dict[str, tuple[str, ...]] = {"moto.config.models:ConfigBackend": ("config_schema",)}

# Counters that moto keeps on a class, by the variable of the backends with which they are stored.
CLASS_COUNTERS: dict[str, tuple[type, str]] = {"moto.logs.models:logs_backends": (LogEvent, "_event_id")}
COUNTER = "class counter"  # the name under which it is stored; no attribute has a space in its name


def _dict_of_dicts() -> defaultdict[str, dict[str, Any]]:
    return defaultdict(dict)


# Default factories of moto's dictionaries, by module and qualified name, and the function that replaces them.
FACTORIES: dict[str, Callable[[], Any]] = {
    "moto.awslambda.models.LambdaStorage.__init__.<locals>.<lambda>": dict,
    "moto.lakeformation.models.default_settings": default_settings,
    "moto.xray.models.SegmentCollection._new_trace_item": SegmentCollection._new_trace_item,
    "moto.ssm.models.SimpleSystemManagerBackend.__init__.<locals>.<lambda>": _dict_of_dicts,
}

# The modules whose classes and functions may occur in stored state. Nothing else is imported or called when it is read.
MODULES = ("moto.", "infra.localcloud.", "cryptography.")
OTHER_MODULES = frozenset(
    {
        "collections",
        "copyreg",
        "datetime",
        "dateutil.tz.tz",
        "decimal",
        "enum",
        "ipaddress",
        "pathlib",
        "pathlib._local",
        "random",
        "requests.structures",
        "string",
        "uuid",
        "werkzeug.datastructures.structures",
        "zoneinfo",
    }
)
BUILTINS = frozenset({"bytearray", "complex", "dict", "frozenset", "list", "object", "range", "set", "slice", "tuple"})
