"""The model that every contestant serves: a seeded random forest, as the source's joblib file and as a bundle.

Both are kept in ``$NIGHTJAR_HOME/bench``. The file names contain everything that the content depends on, so that only
the first run has to make them.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import sklearn
from sklearn.ensemble import RandomForestClassifier

import include.model
from benchmarks.serving import inputs
from include.model import bundle, golden
from include.model.bundle import training_keys
from include.model.engines import native_model
from include.model.engines.ladder import LADDER, LadderStep, choose_engine
from include.model.engines.sklearn_model import SklearnModel
from include.model.request import RequestSchema
from include.model.score import Scorer
from include.workloads import FieldSpec
from include.workloads.feature_code import load_feature_code

# The source does not say on how many rows its forest is fitted. A prediction reads some three thousand nodes in one
# thread, so a forest that is larger than the processor's cache costs more here (docs/benchmarks.md), but hardly more in
# scikit-learn.
SMALL_ROWS = 1_000
# With noisy labels, trees grow with the rows. This gives a little over five million nodes.
LARGE_ROWS = 68_000
# Four hundred thousand nodes, without targets: what a larger forest than the first costs.
MEDIUM_ROWS = 5_000
TREES = 200
WORKLOAD = "texts"
# scikit-learn's predict() returns 1 above one half, the service at or above its threshold. So the threshold is the next
# float above one half.
THRESHOLD = math.nextafter(0.5, 1)
GOLDEN_RECORDS = 60
_FEATURES = b"""
FEATURES = {"text_length": "number", "num_keywords": "number"}


def features(record):
    return {"text_length": record["text_length"], "num_keywords": record["num_keywords"]}
"""
_KINDS = {"text_length": "number", "num_keywords": "number"}
_REQUEST = {
    "text_length": FieldSpec(type="integer", min=1, max=inputs.LENGTHS, example=120),
    "num_keywords": FieldSpec(type="integer", min=0, max=inputs.KEYWORDS, example=3),
}


@dataclass(frozen=True)
class Forest:
    """The files of one forest.

    Attributes:
        nodes: Its number of nodes.
        model: The source's joblib file.
        bundle: Our bundle.
    """

    nodes: int
    model: Path
    bundle: Path

    def load(self) -> RandomForestClassifier:
        """The fitted estimator."""
        return joblib.load(self.model)


def fit(rows: int, seed: int = inputs.SEED, trees: int = TREES) -> RandomForestClassifier:
    """Fits unlimited trees on ``rows`` seeded pairs, with random labels whose probability depends on the keywords."""
    generator = np.random.default_rng(seed)
    matrix = np.array(inputs.pairs(rows, seed), dtype=np.float64)
    chance = 1 / (1 + np.exp(-(matrix[:, 1] - inputs.KEYWORDS / 2) / 15))
    labels = (generator.random(rows) < chance).astype(int)
    model = RandomForestClassifier(trees, random_state=seed, n_jobs=-1).fit(matrix, labels)
    # As in the source: one thread. A pool of threads would only make its predictions slower.
    return model.set_params(n_jobs=None)


def prepare(folder: Path, rows: int, ladder: Sequence[LadderStep] = LADDER, trees: int = TREES) -> Forest:
    """Makes the files in ``folder``, or uses those of an earlier run. With an empty ``ladder``, scikit-learn serves."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"forest-{trees}-{rows}-{inputs.SEED}-sklearn{sklearn.__version__}"
    model = folder / f"{stem}.joblib"
    if not model.is_file():
        _write(model, _dump(fit(rows, trees=trees)))
    fitted = joblib.load(model)
    engines = "-".join(step.engine for step in ladder) or "scikit-learn"
    packed = folder / f"{stem}-{engines}-{_code()}.tar.gz"
    if not packed.is_file():
        for outdated in folder.glob(f"{stem}-{engines}-*.tar.gz"):
            outdated.unlink()
        _write(packed, bundle.pack(files(fitted, model.read_bytes(), ladder)))
    return Forest(sum(tree.tree_.node_count for tree in fitted.estimators_), model, packed)


def files(fitted: RandomForestClassifier, model: bytes, ladder: Sequence[LadderStep]) -> dict[str, bytes]:
    """The files of the bundle. The engine is chosen as in the training container."""
    pairs = inputs.pairs(1000)
    scorer = Scorer(load_feature_code(_FEATURES).features, _KINDS, {}, SklearnModel(fitted), THRESHOLD)
    records = [dict(zip(_KINDS, pair, strict=True)) for pair in pairs]
    # With a probability near one half, the golden rows would depend on the last bit of an engine's sum.
    decided = [one for one, p in zip(records, scorer.probabilities(records), strict=True) if abs(p - 0.5) > 0.01]
    chosen = golden.choose(decided[:GOLDEN_RECORDS], RequestSchema(_REQUEST), scorer)
    matrix, proof = np.array(pairs, dtype=np.float64), scorer.matrix([row.request for row in chosen])
    chosen_engine = choose_engine(
        fitted, matrix, proof, categories={}, threshold=THRESHOLD, seed=inputs.SEED, ladder=ladder
    )
    fields = {
        "workload": WORKLOAD,
        "dataset_version": "d" * 64,
        "cutoff": "2013-03-01T00:00:00Z",
        "code_sha": "c" * 40,
        "feature_code_hash": bundle.sha256_hex(_FEATURES),
        "features": _KINDS,
        "categories": {},
        "request": _REQUEST,
        "threshold": THRESHOLD,
        "inputs": chosen_engine.inputs,
        "parity": chosen_engine.parity,
        "model": {"kind": "random_forest"},
        "libraries": {},
        "metrics": {},
    }
    made = {
        bundle.FEATURES: _FEATURES,
        bundle.GOLDEN: golden.format_lines(chosen),
        bundle.MODEL: model,
        bundle.TRAINING_KEYS: training_keys.to_bytes(bundle.key_digests(["a", "b"])),
        **chosen_engine.files,
    }
    return bundle.seal(made, **fields)


def probabilities(model: RandomForestClassifier, pairs: Sequence[tuple[int, int]] | np.ndarray) -> np.ndarray:
    """scikit-learn's probabilities, the reference of all contestants: float64 array of shape (pairs,)."""
    return model.predict_proba(np.array(pairs, dtype=np.float64))[:, 1]


def _code() -> str:
    """A digest of what makes bundles: when the code changes, or the extension is compiled, a new bundle is made."""
    sources = sorted(Path(include.model.__file__).parent.rglob("*.py"))
    sources += [Path(native_model.nightjar_walk.__file__)] if native_model.nightjar_walk else []
    return bundle.sha256_hex(b"".join(path.read_bytes() for path in (*sources, Path(__file__))))[:12]


def _dump(model: RandomForestClassifier) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)
