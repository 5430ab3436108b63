"""Names of the files of a bundle. Imports nothing, so that a DAG can use it."""

from __future__ import annotations

MANIFEST = "manifest.json"
MODEL = "model.joblib"
FEATURES = "features.py"
GOLDEN = "golden.jsonl"
TRAINING_KEYS = "training_keys.bin"
# What the training data looked like; bundles that are older than monitoring have none.
BASELINE = "baseline.json"
# Every bundle has these beside the manifest.
FILES = (FEATURES, GOLDEN, MODEL, TRAINING_KEYS)
