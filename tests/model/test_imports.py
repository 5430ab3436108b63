"""What an import of each part costs: DAGs and serving processes must not load what they do not use."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"numpy", "pydantic", "sklearn", "joblib", "onnx", "onnxruntime", "treelite", "skl2onnx", "xgboost"}


def _imported(module: str) -> set[str]:
    code = f"import sys, {module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("module", ["include.model.evaluation", "include.model.tolerances", "include.model.errors"])
def test_what_a_dag_imports_is_light(module):
    assert not _imported(module) & HEAVY


def test_a_bundle_imports_no_engine_before_its_manifest_names_one():
    assert not _imported("include.model.bundle") & (HEAVY - {"numpy", "pydantic"})


@pytest.mark.parametrize(
    ("module", "own"),
    [("native_model", set()), ("onnx_model", {"onnxruntime"}), ("treelite_model", {"treelite"})],
)
def test_a_fast_engine_imports_neither_scikit_learn_nor_another_engine(module, own):
    assert _imported(f"include.model.engines.{module}") & HEAVY - {"numpy", "pydantic"} == own
