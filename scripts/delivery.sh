#!/usr/bin/env bash
# Runs a command of the delivery in its own environment, which it sets up first: scripts/delivery.sh infra.delivery.deploy --help
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
"$ROOT/scripts/setup.sh" delivery >&2
export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"
exec "${NIGHTJAR_HOME:-$ROOT/.nightjar}/venvs/delivery/bin/python" -m "$@"
