"""How far two probabilities, or two features, of one record may differ and still count as equal.

Imports nothing, so that a DAG can use it.
"""

from __future__ import annotations

# Engines that sum the same leaf values in another order differ by about 1e-15; a float32 conversion differs by 1e-7 and
# is caught on split thresholds instead (docs/engines.md). Used by the parity gate, the golden rows and the check of a
# deploy.
PROBABILITY_TOLERANCE = 1e-6

# Of a feature, relative and absolute. The last digit may differ between the math libraries of two machines. Used by the
# check for training-serving skew.
FEATURE_TOLERANCE = 1e-9
