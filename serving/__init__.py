"""The FastAPI service: one process serves one bundle, which it never changes."""

import os

# A request is a row or a few: OpenMP's threads would cost more to wake than they save. Read when scikit-learn is first loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
