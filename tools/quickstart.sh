#!/usr/bin/env bash
# Copyright (c) mic_mm authors. All rights reserved.
#
# Makes or checks the environment, then trains source-only, self-training and MIC on
# the digits benchmark and shows what they reach on the target.
#
#   bash tools/quickstart.sh [--task cls|seg|det|all] [--seeds N] [--reuse] ...
#   bash tools/quickstart.sh --help
#
# The environment variables are those of tools/setup_env.sh.

set -euo pipefail

readonly ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
bash "$ROOT/tools/setup_env.sh"

if [ "${MIC_MM_STACK:-default}" = default ]; then suffix=''; else suffix="-$MIC_MM_STACK"; fi
venv="${MIC_MM_VENV:-$ROOT/.venv$suffix}"
# This checkout first, whichever one the environment was installed from.
export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"
exec "$venv/bin/python" "$ROOT/tools/quickstart.py" "$@"
