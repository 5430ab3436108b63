"""Bundles that a fast engine serves. Needs the training environment, unlike ``bundles``."""

from __future__ import annotations

from typing import Any

from sklearn.ensemble import RandomForestClassifier

from include.model.engines import Engine, ladder
from tests.support.bundles import dump, golden_lines, seal_text, text_rows


def fast_text_files(engine: Engine = "onnxruntime", **changes: Any) -> dict[str, bytes]:
    """``bundles.text_files`` with a small forest, served by ``engine``; ``changes`` go to the manifest."""
    rows, matrix, labels = text_rows()
    forest = RandomForestClassifier(10, random_state=0).fit(matrix, labels)
    steps = [step for step in ladder.LADDER if step.engine == engine]
    choice = ladder.choose_engine(forest, matrix, matrix[:5], categories={}, threshold=0.5, seed=1, ladder=steps)
    fields = {"inputs": choice.inputs, "parity": choice.parity, **changes}
    return seal_text(dump(forest), golden_lines(rows, forest), choice.files, **fields)
