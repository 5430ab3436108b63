"""The bundle: everything that is needed to score a request, in one deterministic ``tar.gz``, identified by its sha256.

A bundle is a flat set of files:

* ``manifest.json``: the size and sha256 of every other file, and what the model is (see :class:`Manifest`);
* ``features.py``: the workload's feature code at the time of training, so that a model is always scored by its own
  features;
* ``golden.jsonl``: requests with the probability that the training container computed (``include.model.golden``);
* ``training_keys.bin``: digests of the keys that the model was trained and tuned on;
* ``baseline.json``: what its training data looked like, for the monitor (``include.model.baseline``); older bundles
  have none;
* ``model.joblib``: the scikit-learn estimator, the reference;
* at most one fast form of the model, which the manifest's ``engine`` reads in place of ``model.joblib``.

Training and evaluation handle a bundle in memory, as ``{name: bytes}``. The service streams it into files
(:func:`open_packed`). Checks come in this order: the archive's digest, the manifest, each file's digest. Only then does
code run: ``features.py`` is executed, a fast form is parsed or ``model.joblib`` is unpickled.

A bundle that fails a check raises :class:`BundleError`.
"""

from __future__ import annotations

from include.model.bundle.archive import sha256_hex
from include.model.bundle.loader import Bundle, load, open_packed
from include.model.bundle.manifest import Manifest
from include.model.bundle.packing import pack, seal, unpack, verify, write_folder
from include.model.bundle.training_keys import key_digests
from include.model.errors import BundleError
from include.model.files import BASELINE, FEATURES, FILES, GOLDEN, MANIFEST, MODEL, TRAINING_KEYS

__all__ = [
    "BASELINE",
    "FEATURES",
    "FILES",
    "GOLDEN",
    "MANIFEST",
    "MODEL",
    "TRAINING_KEYS",
    "Bundle",
    "BundleError",
    "Manifest",
    "key_digests",
    "load",
    "open_packed",
    "pack",
    "seal",
    "sha256_hex",
    "unpack",
    "verify",
    "write_folder",
]
