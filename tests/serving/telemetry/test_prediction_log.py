from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from serving.telemetry import prediction_log
from serving.telemetry.prediction_log import PredictionLog, backoff_seconds
from serving.telemetry.streams import FirehoseStream, KinesisStream, Stream, StreamRecord, open_stream
from tests.support.moto_cloud import MotoCloud
from tests.support.telemetry import MODEL, prediction


class CountingLog(PredictionLog):
    """A log that keeps the counts of sent and dropped records."""

    def __init__(self, stream: Stream, limit: int = 10_000) -> None:
        self.sent: list[int] = []
        self.dropped: list[int] = []
        super().__init__(stream, MODEL, limit, self.sent.append, self.dropped.append)

    def finish(self, seconds: float = 10) -> None:
        self.end(seconds)
        self.join()


class FakeStream:
    """A stream. ``answers`` gives for each call the indexes that it refuses, or an error to raise."""

    uri = "firehose://x"

    def __init__(self, *answers: Iterable[int] | Exception, pack_bytes: int = 0) -> None:
        self.pack_bytes = pack_bytes
        self._answers = list(answers)
        self.batches: list[list[bytes]] = []

    def put(self, batch: list[StreamRecord]) -> list[str]:
        self.batches.append([bytes(record.data) for record in batch])
        answer = self._answers.pop(0) if self._answers else ()
        if isinstance(answer, Exception):
            raise answer
        refused = set(answer)
        return ["ServiceUnavailableException: Slow down." if number in refused else "" for number in range(len(batch))]


class BlockedStream:
    """A stream whose endpoint never answers."""

    uri = "firehose://x"
    pack_bytes = 0

    def __init__(self) -> None:
        self.asked, self.released = threading.Event(), threading.Event()

    def put(self, batch: list[StreamRecord]) -> list[str]:
        self.asked.set()
        self.released.wait(120)
        raise OSError("no answer")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction_log, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(prediction_log, "LONGEST_PAUSE_SECONDS", 0.001)


def ids(lines: Iterable[bytes]) -> list[str]:
    return [json.loads(line)["request_id"] for line in lines]


@pytest.mark.stack
def test_kinesis_gets_every_prediction(cloud: MotoCloud):
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName="predictions", ShardCount=1)
    log = CountingLog(open_stream("kinesis://predictions"))
    log.start()
    for number in range(1100):
        log.put(prediction(number))
    log.put(prediction(0)._replace(request_id=""))
    log.finish()
    shard = kinesis.list_shards(StreamName="predictions")["Shards"][0]["ShardId"]
    start = kinesis.get_shard_iterator(StreamName="predictions", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records = kinesis.get_records(ShardIterator=start["ShardIterator"], Limit=10_000)["Records"]
    assert sum(log.sent) == len(records) == 1101
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
def test_firehose_writes_json_lines_to_s3(cloud: MotoCloud):
    s3, firehose = cloud.client("s3"), cloud.client("firehose")
    s3.create_bucket(Bucket="lake")
    destination = {
        "RoleARN": "arn:aws:iam::123456789012:role/r",
        "BucketARN": "arn:aws:s3:::lake",
        "Prefix": "p/",
    }
    firehose.create_delivery_stream(DeliveryStreamName="predictions", ExtendedS3DestinationConfiguration=destination)
    log = CountingLog(open_stream("firehose://predictions"))
    log.start()
    for number in range(3):
        log.put(prediction(number))
    log.finish()
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="lake", Prefix="p/")["Contents"]]
    text = b"".join(s3.get_object(Bucket="lake", Key=key)["Body"].read() for key in keys)
    assert ids(text.splitlines()) == ["r-0", "r-1", "r-2"]


@pytest.mark.stack
@pytest.mark.usefixtures("cloud")
def test_a_missing_stream_is_logged_and_its_predictions_are_counted_as_dropped(caplog: pytest.LogCaptureFixture):
    log = CountingLog(open_stream("kinesis://none"))
    log.start()
    log.put(prediction(1))
    log.finish()
    assert (log.sent, log.dropped) == ([], [1])
    assert "1 predictions are missing from kinesis://none" in caplog.text
    assert "ResourceNotFoundException" in caplog.text


def test_only_refused_records_are_sent_again():
    stream = FakeStream({1, 3}, {0})
    log = CountingLog(stream)
    for number in range(5):
        log.put(prediction(number))
    log.start()
    log.finish()
    assert [ids(batch) for batch in stream.batches] == [["r-0", "r-1", "r-2", "r-3", "r-4"], ["r-1", "r-3"], ["r-1"]]
    assert (sum(log.sent), log.dropped) == (5, [])


class BusyStream(FakeStream):
    """A stream that gets another prediction while it takes one, as under load."""

    log: PredictionLog

    def put(self, batch: list[StreamRecord]) -> list[str]:
        if len(self.batches) < 1000:  # so that the log comes to an end
            self.log.put(prediction(len(self.batches) + 1))
        return super().put(batch)


def test_what_comes_during_a_call_waits_for_the_next_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(prediction_log, "SENDS_EVERY_SECONDS", 3600)
    stream = BusyStream()
    stream.log = log = CountingLog(stream, limit=4)
    for number in (-1, 0):
        log.put(prediction(number))  # half of the limit: the thread is woken
    log.start()
    end = time.monotonic() + 60
    while not log.sent and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.2)
    assert [ids(batch) for batch in stream.batches] == [["r--1", "r-0"]]
    log.finish(60)
    assert ids(stream.batches[1]) == ["r-1"]


def test_the_time_of_a_prediction_is_when_it_was_made():
    stream = FakeStream()
    log = CountingLog(stream)
    log.put(prediction(1)._replace(time=1.5))
    log.start()
    log.finish()
    assert json.loads(stream.batches[0][0])["time"] == "1970-01-01T00:00:01.500Z"


def test_throttling_is_retried():
    slow = ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "PutRecordBatch")
    stream = FakeStream(slow, slow, OSError("connection reset"))
    log = CountingLog(stream)
    log.put(prediction(1))
    log.start()
    log.finish()
    assert (log.sent, log.dropped, len(stream.batches)) == ([1], [], 4)


def test_retries_end(caplog: pytest.LogCaptureFixture):
    stream = FakeStream(*[{0}] * 100)
    log = CountingLog(stream)
    log.put(prediction(1))
    log.put(prediction(2))
    log.start()
    log.finish()
    assert (sum(log.sent), log.dropped, len(stream.batches)) == (1, [1], prediction_log.ATTEMPTS)
    assert "ServiceUnavailableException: Slow down." in caplog.text


def test_a_batch_keeps_to_the_limits_of_aws():
    stream = FakeStream()
    log = CountingLog(stream)
    for number in range(1200):
        log.put(prediction(number))
    for number in range(1200, 1210):
        log.put(prediction(number, text="x" * 900_000))
    log.put(prediction(1210, text="x" * 1_000_000))
    log.start()
    log.finish()
    assert [len(batch) for batch in stream.batches][:2] == [500, 500]
    assert all(sum(map(len, batch)) <= 4_000_000 for batch in stream.batches)
    assert ids(line for batch in stream.batches for line in batch) == [f"r-{number}" for number in range(1210)]
    assert log.dropped == [1]


def test_lines_are_packed_into_records():
    stream = FakeStream({1}, pack_bytes=1000)
    log = CountingLog(stream)
    for number in range(10):
        log.put(prediction(number))
    log.start()
    log.finish()
    first, again = stream.batches
    assert len(first) == 4 and all(len(record) <= 1000 for record in first)
    assert ids(b"".join(first).splitlines()) == [f"r-{number}" for number in range(10)]
    assert again == [first[1]]
    assert log.sent == [7, 3]


def test_only_firehose_packs_lines():
    assert isinstance(open_stream("firehose://a"), FirehoseStream) and open_stream("firehose://a").pack_bytes > 0
    assert open_stream("kinesis://a").pack_bytes == 0


def test_a_record_that_cannot_be_encoded_is_dropped_alone():
    stream = FakeStream()
    log = CountingLog(stream)
    log.put(prediction(1, odd=object()))
    log.put(prediction(2))
    log.start()
    log.finish()
    assert ids(stream.batches[0]) == ["r-2"]
    assert log.dropped == [1]


def test_overflow_is_dropped_and_counted():
    log = CountingLog(FakeStream(), limit=10)
    for number in range(15):
        log.put(prediction(number))
    assert log.dropped == [1] * 5


@pytest.mark.stack
def test_an_endpoint_that_never_answers_delays_neither_requests_nor_the_end():
    stream = BlockedStream()
    log = CountingLog(stream, limit=1000)
    log.start()
    log.put(prediction(0))
    assert stream.asked.wait(60)

    def put_many() -> None:
        for number in range(2000):
            log.put(prediction(number))

    writer = threading.Thread(target=put_many, daemon=True)
    writer.start()
    writer.join(60)
    assert not writer.is_alive()
    ending = threading.Thread(target=log.finish, args=(0.2,), daemon=True)
    ending.start()
    ending.join(60)
    assert not ending.is_alive()
    assert sum(log.dropped) == 2000
    stream.released.set()


@pytest.mark.stack
@pytest.mark.usefixtures("cloud")
def test_a_dead_endpoint_is_given_up_after_the_time_given(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(prediction_log, "ATTEMPTS", 10**6)
    log = CountingLog(open_stream("firehose://x"))
    log.start()
    log.put(prediction(1))
    ending = threading.Thread(target=log.finish, args=(1.0,), daemon=True)
    ending.start()
    ending.join(60)
    assert not ending.is_alive()
    sender: Any = next((one for one in threading.enumerate() if one.name == "prediction-log"), None)
    if sender is not None:
        sender.join(60)
        assert not sender.is_alive()
    assert (log.sent, log.dropped) == ([], [1])


def test_pauses_grow_up_to_the_longest(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(prediction_log, "FIRST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(prediction_log, "LONGEST_PAUSE_SECONDS", 5.0)
    rng = random.Random(1)
    for attempt, longest in enumerate((0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0), start=1):
        assert longest / 2 <= backoff_seconds(attempt, rng) <= longest


@pytest.mark.parametrize("uri", ["kinesis://x", "firehose://x"])
def test_a_stream_has_a_session_of_its_own(uri: str, monkeypatch: pytest.MonkeyPatch):
    """boto3's default session is not thread-safe, and keeps the credentials that the process had first."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session("first", "secret", region_name="us-east-1"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "second")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    stream = open_stream(uri)
    assert isinstance(stream, KinesisStream | FirehoseStream)
    url = stream.client.generate_presigned_url("list_streams" if uri.startswith("kinesis") else "list_delivery_streams")
    assert "second" in url
