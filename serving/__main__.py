"""``python -m serving`` runs the service until SIGTERM. Settings: environment variables, see ``serving.settings``."""

from __future__ import annotations

import sys

from serving.supervisor import main

sys.exit(main())
