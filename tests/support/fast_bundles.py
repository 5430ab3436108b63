"""Small bundles that a fast engine serves; apart from ``builders``, because the ladder imports much."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from include.model import bundle, golden
from include.model.engines import Engine, ladder
from include.model.request import RequestSchema
from include.model.score import Scorer
from include.workloads.feature_code import load_feature_code
from tests.support.bundles import TEXT_FEATURES, TEXT_REQUEST, dump, seal_text


def fast_text_files(engine: Engine = "onnxruntime", **changes: Any) -> dict[str, bytes]:
    """``builders.text_files`` with a small forest, published through the one rung that ``engine`` names."""
    rows = [{"text_length": float(5 + 37 * i % 900), "num_keywords": i % 9} for i in range(60)]
    kinds = {"text_length": "number", "num_keywords": "number"}
    matrix = np.array([[row["text_length"], row["num_keywords"]] for row in rows])
    forest = RandomForestClassifier(10, random_state=0).fit(matrix, (matrix[:, 1] > 3).astype(int))
    scorer = Scorer(load_feature_code(TEXT_FEATURES).features, kinds, {}, forest, 0.5)
    lines = golden.to_lines(golden.choose(rows, RequestSchema(TEXT_REQUEST), scorer))
    rungs = [rung for rung in ladder.LADDER if rung.engine == engine]
    published = ladder.publish(forest, matrix, matrix[:5], categories={}, threshold=0.5, seed=1, ladder=rungs)
    fields = {"inputs": published.inputs, "parity": published.parity, **changes}
    return seal_text(dump(forest), lines, published.files, **fields)
