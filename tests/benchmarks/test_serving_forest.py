"""The forest that all contestants serve: published as in the training container, with the source's rule for labels."""

from pathlib import Path

import numpy as np

from benchmarks.serving import forest, inputs
from include.model import bundle, golden
from tests.support.compiled import COMPILED


def test_a_small_forest_is_published_in_both_forms_and_kept(tmp_path: Path):
    fast = forest.prepare(tmp_path, rows=200, trees=5)
    slow = forest.prepare(tmp_path, rows=200, trees=5, ladder=())
    pairs = inputs.pairs(300)
    expected = forest.probabilities(fast.load(), pairs)
    for one, engine in ((fast, "native" if COMPILED else "onnxruntime"), (slow, "scikit-learn")):
        packed = one.bundle.read_bytes()
        loaded = bundle.load(bundle.unpack(packed))
        assert loaded.manifest.engine == engine
        assert golden.rescore(loaded.golden, loaded.schema, loaded.scorer).ok
        answered = loaded.scorer.probabilities([dict(zip(loaded.schema.fields, pair, strict=True)) for pair in pairs])
        assert np.abs(answered - expected).max() < 1e-6
    before = fast.bundle.stat().st_mtime_ns
    assert forest.prepare(tmp_path, rows=200, trees=5) == fast
    assert fast.bundle.stat().st_mtime_ns == before


def test_the_label_at_one_half_is_scikit_learns():
    assert forest.THRESHOLD > 0.5
    assert np.nextafter(0.5, 1) >= forest.THRESHOLD


def test_inputs_are_distinct_seeded_and_within_the_schema():
    pairs = inputs.pairs(5000)
    assert len(set(pairs)) == 5000
    assert pairs == inputs.pairs(5000) != inputs.pairs(5000, seed=1)
    assert all(1 <= length <= inputs.LENGTHS and 0 <= keywords < inputs.KEYWORDS for length, keywords in pairs)
