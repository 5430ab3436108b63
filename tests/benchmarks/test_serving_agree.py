"""A contestant that serves another model is found, whatever the form of its answers."""

import json

import numpy as np
import pytest

from benchmarks.serving import agree
from benchmarks.serving.contestants import read_label, read_ours

EXPECTED = np.array([0.1, 0.9, 0.5, 0.7])


def ours(number, probability, label):
    return number, json.dumps({"prediction": label, "probability": probability}).encode()


def label(number, value):
    return number, json.dumps({"prediction": value}).encode()


RIGHT = [ours(0, 0.1, 0), ours(1, 0.9 + 5e-7, 1), ours(3, 0.7, 1)]


def test_right_answers_agree_and_the_largest_difference_is_reported():
    found = agree.compare("ours", [*RIGHT, *RIGHT], read_ours, EXPECTED)
    assert (found.inputs, found.wrong) == (3, ())
    assert found.difference == pytest.approx(5e-7)
    agree.require([found])


@pytest.mark.parametrize(
    "odd",
    [
        ours(1, 0.9 + 2e-6, 1),
        ours(1, 0.9, 0),
        ours(1, float("nan"), 1),
        (1, b'{"prediction": 1}'),
        (1, b"<html>"),
    ],
    ids=["probability", "label", "no number", "no probability", "no JSON"],
)
def test_one_wrong_answer_fails_the_run(odd):
    found = agree.compare("ours", [*RIGHT, odd], read_ours, EXPECTED)
    with pytest.raises(agree.DisagreementError, match="ours: 1 wrong, for example input 1"):
        agree.require([found])


def test_labels_are_compared_except_near_the_threshold():
    assert agree.compare("source", [label(0, 0), label(1, 1), label(2, 1)], read_label, EXPECTED).wrong == ()
    either = agree.compare("source", [label(2, 0), label(2, 1)], read_label, EXPECTED)
    assert (either.wrong, either.undecided) == ((), 2)
    assert len(agree.compare("source", [label(0, 1), label(3, 1)], read_label, EXPECTED).wrong) == 1


def test_a_contestant_without_answers_fails_the_run(tmp_path):
    found = agree.compare("ours", agree.read_answers(tmp_path / "none"), read_ours, EXPECTED)
    with pytest.raises(agree.DisagreementError, match="no answer to compare"):
        agree.require([found])


def test_answers_are_read_as_the_generator_wrote_them(tmp_path):
    file = tmp_path / "0-8"
    file.write_bytes(b'12\t{"a":\t1}\n3\t{}\n')
    assert agree.read_answers(file) == [(12, b'{"a":\t1}'), (3, b"{}")]
