"""The models page: what is live of each workload and why, and what a person may do about it (ADR 46).

It knows the domain, and so it imports ``include``, which the toolkit beside it does not. MWAA's web server has the
plugins and may have no DAGs, so a release carries the modules of ``include`` that the page uses (``infra/package``).
They are used only where no ``include`` can be imported: the one beside the DAGs is whole.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

CARRIED = Path(__file__).with_name("carried")

if find_spec("include") is None:
    sys.path.append(str(CARRIED))
