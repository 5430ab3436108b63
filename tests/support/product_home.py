"""The folder below which set-up has installed everything: environments, data packages."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("NIGHTJAR_HOME", ROOT / ".nightjar"))
DATA = HOME / "data"
