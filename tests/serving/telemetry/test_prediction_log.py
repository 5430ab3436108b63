from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serving.telemetry import prediction_log
from serving.telemetry.prediction_log import PredictionLog
from tests.serving.telemetry.conftest import IDENTITY, prediction


class Log(PredictionLog):
    """A log that counts, and whose client may be a fake."""

    def __init__(self, target: str, limit: int = 10_000, client: Any = None) -> None:
        self.taken, self.lost = [], []
        super().__init__(target, IDENTITY, limit, self.taken.append, self.lost.append)
        if client is not None:
            self._connect = lambda: client

    def finish(self, seconds: float = 10) -> None:
        self.end(seconds)
        self.join()


class Fake:
    """A Firehose client: ``answers`` gives, for each call, the indexes it refuses, or an error to raise."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.batches: list[list[bytes]] = []

    def put_record_batch(self, DeliveryStreamName: str, Records: list[dict[str, bytes]]) -> dict[str, Any]:
        self.batches.append([record["Data"] for record in Records])
        answer = self.answers.pop(0) if self.answers else ()
        if isinstance(answer, Exception):
            raise answer
        refused = {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}
        return {"RequestResponses": [refused if n in answer else {"RecordId": "x"} for n in range(len(Records))]}


@pytest.fixture(autouse=True)
def short_pauses_and_a_record_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction_log, "PACK_BYTES", 0)
    monkeypatch.setattr(prediction_log, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(prediction_log, "LONGEST_PAUSE_SECONDS", 0.001)


def ids(lines: list[bytes]) -> list[str]:
    return [json.loads(line)["request_id"] for line in lines]


@pytest.mark.stack
def test_kinesis_gets_every_prediction(client: Callable):
    kinesis = client("kinesis")
    kinesis.create_stream(StreamName="predictions", ShardCount=1)
    log = Log("kinesis://predictions")
    log.start()
    for number in range(1100):
        log.put(prediction(number))
    log.put(prediction(0)._replace(request_id=""))
    log.finish()
    shard = kinesis.list_shards(StreamName="predictions")["Shards"][0]["ShardId"]
    start = kinesis.get_shard_iterator(StreamName="predictions", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records = kinesis.get_records(ShardIterator=start["ShardIterator"], Limit=10_000)["Records"]
    assert sum(log.taken) == len(records) == 1101
    assert [record["PartitionKey"] for record in records] == [*(f"r-{number}" for number in range(1100)), "-"]
    line = json.loads(records[0]["Data"])
    assert line.pop("time").endswith("Z")
    assert line == {
        "request_id": "r-0",
        "workload": "texts",
        "model_version": "7",
        "bundle_digest": "0" * 64,
        "features": {"text_length": 120, "num_keywords": 3},
        "probability": 0.75,
        "prediction": 1,
    }


@pytest.mark.stack
def test_firehose_writes_json_lines_to_s3(client: Callable):
    s3, firehose = client("s3"), client("firehose")
    s3.create_bucket(Bucket="lake")
    destination = {
        "RoleARN": "arn:aws:iam::123456789012:role/r",
        "BucketARN": "arn:aws:s3:::lake",
        "Prefix": "p/",
    }
    firehose.create_delivery_stream(DeliveryStreamName="predictions", ExtendedS3DestinationConfiguration=destination)
    log = Log("firehose://predictions")
    log.start()
    for number in range(3):
        log.put(prediction(number))
    log.finish()
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="lake", Prefix="p/")["Contents"]]
    text = b"".join(s3.get_object(Bucket="lake", Key=key)["Body"].read() for key in keys)
    assert ids(text.splitlines()) == ["r-0", "r-1", "r-2"]


@pytest.mark.stack
def test_a_stream_that_is_not_there_costs_predictions_and_says_so(client: Callable, caplog: pytest.LogCaptureFixture):
    log = Log("kinesis://none")
    log.start()
    log.put(prediction(1))
    log.finish()
    assert (log.taken, log.lost) == ([], [1])
    assert "1 predictions are missing from kinesis://none" in caplog.text
    assert "ResourceNotFoundException" in caplog.text


def test_what_was_refused_is_sent_again_and_nothing_else():
    client = Fake({1, 3}, {0})
    log = Log("firehose://x", client=client)
    for number in range(5):
        log.put(prediction(number))
    log.start()
    log.finish()
    assert [ids(batch) for batch in client.batches] == [["r-0", "r-1", "r-2", "r-3", "r-4"], ["r-1", "r-3"], ["r-1"]]
    assert (sum(log.taken), log.lost) == (5, [])


def test_throttling_is_waited_out():
    slow = ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "PutRecordBatch")
    client = Fake(slow, slow, OSError("connection reset"))
    log = Log("firehose://x", client=client)
    log.put(prediction(1))
    log.start()
    log.finish()
    assert (log.taken, log.lost, len(client.batches)) == ([1], [], 4)


def test_it_is_not_tried_for_ever(caplog: pytest.LogCaptureFixture):
    client = Fake(*[{0}] * 100)
    log = Log("firehose://x", client=client)
    log.put(prediction(1))
    log.put(prediction(2))
    log.start()
    log.finish()
    assert (sum(log.taken), log.lost, len(client.batches)) == (1, [1], prediction_log.ATTEMPTS)
    assert "ServiceUnavailableException: Slow down." in caplog.text


def test_a_batch_keeps_to_the_limits_of_aws(monkeypatch: pytest.MonkeyPatch):
    client = Fake()
    log = Log("firehose://x", client=client)
    for number in range(1200):
        log.put(prediction(number))
    for number in range(1200, 1210):
        log.put(prediction(number, text="x" * 900_000))
    log.put(prediction(1210, text="x" * 1_000_000))
    log.start()
    log.finish()
    assert [len(batch) for batch in client.batches][:2] == [500, 500]
    assert all(sum(map(len, batch)) <= 4_000_000 for batch in client.batches)
    assert ids([line for batch in client.batches for line in batch]) == [f"r-{number}" for number in range(1210)]
    assert log.lost == [1]


def test_firehose_gets_many_lines_in_a_record(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(prediction_log, "PACK_BYTES", 1000)
    client = Fake({1})
    log = Log("firehose://x", client=client)
    for number in range(10):
        log.put(prediction(number))
    log.start()
    log.finish()
    first, again = client.batches
    assert len(first) == 4 and all(len(record) <= 1000 for record in first)
    assert ids(b"".join(first).splitlines()) == [f"r-{number}" for number in range(10)]
    assert again == [first[1]]
    assert log.taken == [7, 3]


def test_a_record_that_is_no_json_is_lost_alone(caplog: pytest.LogCaptureFixture):
    client = Fake()
    log = Log("firehose://x", client=client)
    log.put(prediction(1, odd=object()))
    log.put(prediction(2))
    log.start()
    log.finish()
    assert ids(client.batches[0]) == ["r-2"]
    assert log.lost == [1]


def test_what_has_no_room_is_dropped_and_counted():
    log = Log("firehose://x", limit=10, client=Fake())
    for number in range(15):
        log.put(prediction(number))
    assert log.lost == [1] * 5


@pytest.mark.stack
def test_an_endpoint_that_never_answers_holds_up_neither_requests_nor_the_end(monkeypatch: pytest.MonkeyPatch):
    held = threading.Event()

    class Stuck:
        def put_record_batch(self, **_: Any) -> None:
            held.wait(30)

    log = Log("firehose://x", limit=1000, client=Stuck())
    log.start()
    log.put(prediction(0))
    time.sleep(2 * prediction_log.SENDS_EVERY_SECONDS)
    offering = threading.Thread(target=lambda: [log.put(prediction(number)) for number in range(2000)], daemon=True)
    offering.start()
    offering.join(5)
    assert not offering.is_alive()
    ending = threading.Thread(target=log.finish, args=(0.2,), daemon=True)
    ending.start()
    ending.join(5)
    assert not ending.is_alive()
    held.set()
    assert sum(log.lost) == 2000


@pytest.mark.stack
def test_a_dead_endpoint_ends_with_the_time_given(client: Callable, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(prediction_log, "ATTEMPTS", 10**6)
    log = Log("firehose://x")
    log.start()
    log.put(prediction(1))
    ending = threading.Thread(target=log.finish, args=(1.0,), daemon=True)
    ending.start()
    ending.join(5)
    assert not ending.is_alive()
    log._thread.join(5)
    assert not log._thread.is_alive()
    assert (log.taken, log.lost) == ([], [1])


def test_pauses_grow_up_to_the_longest(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(prediction_log, "FIRST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(prediction_log, "LONGEST_PAUSE_SECONDS", 5.0)
    log = Log("firehose://x")
    waited = []
    monkeypatch.setattr(log._ending, "wait", waited.append)
    for attempt in range(1, 9):
        log._pause(attempt)
    for seconds, number in zip(waited, count()):
        longest = min(0.1 * 2**number, 5.0)
        assert longest / 2 <= seconds <= longest
