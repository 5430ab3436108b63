"""``python -m infra.laptop.role_credentials ROLE``: prints temporary credentials of a role.

The form is that of boto3's ``credential_process``, so a process that outlives its credentials gets new ones.
"""

from __future__ import annotations

import json
import sys

from infra.laptop.aws import Aws
from infra.laptop.config import ACCOUNT, LaptopConfig

SESSION_SECONDS = 3600


def main(role: str) -> None:
    """Prints credentials of a session of the role."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    aws = Aws(LaptopConfig.from_env())
    keys = aws.sts.assume_role(RoleArn=arn, RoleSessionName=role, DurationSeconds=SESSION_SECONDS)["Credentials"]
    document = {
        "Version": 1,
        "AccessKeyId": keys["AccessKeyId"],
        "SecretAccessKey": keys["SecretAccessKey"],
        "SessionToken": keys["SessionToken"],
        "Expiration": keys["Expiration"].isoformat(),
    }
    print(json.dumps(document))


if __name__ == "__main__":
    main(sys.argv[1])
