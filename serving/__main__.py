"""``python -m serving``: the service, until SIGTERM. Settings are environment variables, see ``serving.settings``."""

from __future__ import annotations

import sys

from serving.supervisor import main

sys.exit(main())
