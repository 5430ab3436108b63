"""From where on a window counts as drifted. Tuned on 2013 (``make bench-drift``, docs/observability.md)."""

from __future__ import annotations

MINIMUM_ROWS = 100  # of a window; with fewer nothing is said
FALSE_DISCOVERY_RATE = 0.01
# The index has to be larger than this, and than so many times the largest of the training data's own blocks.
PSI_FLOOR = 0.25
PSI_FACTOR = 2.0
# Shares of rows above the largest share of a block. Out of range is wider: a warm day in April is.
MISSING_MARGIN, UNKNOWN_MARGIN, OUTSIDE_MARGIN = 0.1, 0.1, 0.2
POSITION = 1.0  # distance of the mean from the blocks' means, in widths of their range
SPREAD_LEAST, SPREAD_MOST = 0.25, 4.0  # times the least and the largest standard deviation of a block
RELATION_LEFT = 0.5  # of the weakest correlation of a block
LABEL_MARGIN = 0.05  # of the positive rate, beyond the range of the blocks
SKEW_SHARE = 0.05  # rows of which a field differs

# Confirmed: in the newest window, and in two of the last five.
WINDOWS, OF_THEM = 5, 2
KEPT_WINDOWS = 12
