"""The FastAPI service. Each worker process serves one bundle, which never changes."""

import os

# scikit-learn reads this when it is first imported. A request has a few rows: starting OpenMP's threads would cost more
# than they save.
os.environ.setdefault("OMP_NUM_THREADS", "1")
