"""A model in ONNX Runtime: the fastest engine, for models up to ``ladder.MAX_ONNX_NODES``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from include.model.engines.inputs import InputCheck, InputSpec

INPUT, OUTPUT = "row", "probability"
_OUTPUTS = [OUTPUT]
_LOG_ERRORS = 3


class OnnxModel:
    """An ONNX graph: ``row``, float64 (rows, features) → ``probability``, float64 (rows, 1 or 2), label 1 last."""

    name = "onnxruntime"

    def __init__(self, path: Path, inputs: InputSpec) -> None:
        options = onnxruntime.SessionOptions()
        # A row takes microseconds, so threads cost more than they save; and no thread may exist when the service forks.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = _LOG_ERRORS
        self._run = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]).run
        self._check = InputCheck(inputs)

    def predict_proba(self, matrix: np.ndarray) -> np.ndarray:
        """Scores float64 (rows, features); returns float64 (rows, 2)."""
        matrix = np.asarray(matrix, np.float64)
        self._check.matrix(matrix)
        probability = self._run(_OUTPUTS, {INPUT: matrix})[0][:, -1]
        return np.column_stack([1.0 - probability, probability])

    def one(self, row: list[float]) -> float:
        """Returns the probability of label 1."""
        self._check.row(row)
        return self._run(_OUTPUTS, {INPUT: np.array([row], np.float64)})[0].item(-1)
