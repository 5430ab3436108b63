"""A model in ONNX Runtime: the fastest engine, for models that it can hold (see ``ladder.MAX_ONNX_NODES``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from include.model.engines.inputs import InputCheck, Inputs

INPUT, OUTPUT = "row", "probability"
_OUTPUTS = [OUTPUT]
_LOG_ERRORS = 3


class OnnxModel:
    """The graph takes float64 (rows, features) as ``row`` and gives float64 (rows, 1 or 2), label 1 last, as ``probability``."""

    name = "onnxruntime"

    def __init__(self, path: Path, inputs: Inputs) -> None:
        options = onnxruntime.SessionOptions()
        # A row is microseconds of work: threads cost more than they save, and none may live across the service's fork.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = _LOG_ERRORS
        self._run = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]).run
        self._check = InputCheck(inputs)

    def predict_proba(self, matrix: np.ndarray) -> np.ndarray:
        """float64 (rows, 2)."""
        matrix = np.asarray(matrix, np.float64)
        self._check.matrix(matrix)
        probability = self._run(_OUTPUTS, {INPUT: matrix})[0][:, -1]
        return np.column_stack([1.0 - probability, probability])

    def one(self, row: list[float]) -> float:
        """Probability of label 1."""
        self._check.row(row)
        return self._run(_OUTPUTS, {INPUT: np.array([row], np.float64)})[0].item(-1)
