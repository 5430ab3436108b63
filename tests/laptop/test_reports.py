"""The reports of audited days on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from include.lake import layout, state_keys
from infra.laptop.bootstrap.definitions import NAMES
from infra.laptop.reports import write_reports
from tests.support.moto_cloud import STATE, MotoCloud, cloud, moto_server

__all__ = ["cloud", "moto_server"]

pytestmark = pytest.mark.stack
HOSTILE = "<script>alert(1)</script>"


class Clients:
    """What the reports need of ``Aws``."""

    def __init__(self, cloud: MotoCloud) -> None:
        self.s3, self.dynamodb = cloud.client("s3"), cloud.client("dynamodb")


@pytest.fixture
def aws(cloud: MotoCloud) -> Any:
    clients = Clients(cloud)
    for bucket in (NAMES.lake, NAMES.artifact):
        clients.s3.create_bucket(Bucket=bucket)
    return clients


def audited(aws: Any, day: str, run: str, warnings: list[str], **item: Any) -> None:
    from boto3.dynamodb.types import TypeSerializer

    write = TypeSerializer()
    values = {"pk": state_keys.day_partition_key("flights"), "sk": day, "run": run, **item}
    aws.dynamodb.put_item(TableName=STATE, Item={name: write.serialize(value) for name, value in values.items()})
    for name in ("index.html", f"days/{day}.html"):
        key = layout.data_docs_prefix("flights", run) + name
        aws.s3.put_object(Bucket=NAMES.artifact, Key=key, Body=f"<p>{day}</p>".encode())
    document = json.dumps({"days": {day: {"warnings": warnings}}})
    aws.s3.put_object(Bucket=NAMES.lake, Key=layout.audit_key("flights", run), Body=document.encode())


def test_every_audited_day_is_in_the_index_with_its_page(aws: Any, tmp_path: Path) -> None:
    override = {"expectations": ["scheduled.volume"], "reason": "a holiday", "expires": "2026-03-06", "by": "ann"}
    audited(aws, "2013-03-01", "r1", [], status="refused", reason=f"20 % nulls {HOSTILE}")
    audited(aws, "2013-03-02", "r2", [f"odd price {HOSTILE}"], status="published", overridden=override)
    (tmp_path / "reports/old").mkdir(parents=True)
    index = write_reports(aws, STATE, tmp_path / "reports")
    assert index is not None
    text = index.read_text()
    assert text.index("2013-03-02") < text.index("2013-03-01"), "the newest day first"
    assert "20 % nulls" in text and HOSTILE not in text
    assert "published by an override of scheduled.volume (by ann, until 2026-03-06): a holiday" in text
    for run, day in (("r1", "2013-03-01"), ("r2", "2013-03-02")):
        path = f"flights/{run}/days/{day}.html"
        assert f'href="{path}"' in text and (index.parent / path).read_text() == f"<p>{day}</p>"
    assert not (index.parent / "old").exists()


def test_a_day_of_a_run_without_reports_has_no_link(aws: Any, tmp_path: Path) -> None:
    audited(aws, "2013-03-01", "r1", [], status="published")
    aws.s3.delete_object(Bucket=NAMES.lake, Key=layout.audit_key("flights", "r1"))
    aws.s3.delete_object(Bucket=NAMES.artifact, Key=layout.data_docs_prefix("flights", "r1") + "days/2013-03-01.html")
    index = write_reports(aws, STATE, tmp_path / "reports")
    assert index is not None and "href" not in index.read_text()


def test_without_an_audited_day_there_is_no_index(aws: Any, tmp_path: Path) -> None:
    assert write_reports(aws, STATE, tmp_path / "reports") is None


def test_a_key_never_leaves_the_folder(aws: Any, tmp_path: Path) -> None:
    audited(aws, "2013-03-01", "r1", [], status="published")
    key = layout.data_docs_prefix("flights", "r1") + "../../../outside.html"
    aws.s3.put_object(Bucket=NAMES.artifact, Key=key, Body=b"x")
    write_reports(aws, STATE, tmp_path / "a/reports")
    assert not list(tmp_path.rglob("outside.html"))
