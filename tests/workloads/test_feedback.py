"""The features of the feedback workload: one text in two spellings has the same features."""

from __future__ import annotations

import pytest

from include.workloads import load
from include.workloads.feedback.features import KEYWORDS, features, normalized

PLAIN = "The café's battery can't last & died. Terrible!"


@pytest.mark.parametrize(
    ("spelling", "text"),
    [
        ("as it is", PLAIN),
        ("decomposed Unicode", "The cafe\u0301's battery can't last & died. Terrible!"),
        ("a curly apostrophe", "The café’s battery can’t last & died. Terrible!"),
        ("full-width letters", "The café's battery can't last & ｄｉｅｄ. Terrible!"),
        ("HTML entities", "The caf&eacute;&#39;s battery can&#x27;t last &amp; died. Terrible!"),
        ("an address", "The café's battery can't last & died. Terrible! https://example.org/a?b=c"),
        ("an address without a scheme", "www.example.org The café's battery can't last & died. Terrible!"),
        ("upper case", PLAIN.upper()),
        ("white space", "  The café's\tbattery \n can't\u00a0last & died.  Terrible! "),
    ],
)
def test_one_text_has_the_same_features_in_every_spelling(spelling: str, text: str) -> None:
    assert features({"text": text}) == features({"text": PLAIN}), spelling
    assert features({"text": PLAIN}) == {"text_length": float(len(PLAIN)), "num_keywords": 3.0}


def test_words_count_and_parts_of_words_do_not() -> None:
    assert features({"text": "bad, bad! badminton"})["num_keywords"] == 2.0
    assert features({"text": ""}) == {"text_length": 0.0, "num_keywords": 0.0}
    assert features({"text": "https://example.org"}) == {"text_length": 0.0, "num_keywords": 0.0}


def test_every_keyword_is_written_as_the_features_read_texts() -> None:
    assert [word for word in KEYWORDS if features({"text": word})["num_keywords"] != 1.0] == []
    assert [word for word in KEYWORDS if normalized(word) != word] == []


def test_the_declared_example_is_a_complaint() -> None:
    workload = load("feedback")
    example = {name: spec.example for name, spec in workload.request.items()}
    assert workload.feature_code().features(example)["num_keywords"] == 3.0
