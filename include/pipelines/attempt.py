"""The placeholder for the key of a job's attempt, in what the DAGs pass to the submit operators."""

from __future__ import annotations

ATTEMPT_KEY = "${submit_key}"  # the submit operator replaces it by the key of the attempt that it starts
