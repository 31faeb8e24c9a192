#!/usr/bin/env bash
# Copyright (c) mic_mm authors. All rights reserved.
#
# Trains in several processes, one per GPU, or on the CPU where there is no GPU.
#
#   bash tools/dist_train.sh CONFIG PROCESSES [arguments of tools/train.py]
#
# Environment, for several machines: NNODES (1), NODE_RANK (0), MASTER_ADDR
# (127.0.0.1), PORT (a free one; 29500 with several machines). See also
# tools/environment.sh.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
need 2 'dist_train.sh CONFIG PROCESSES [arguments of tools/train.py]' "$@"
run_distributed "$2" "$ROOT/tools/train.py" "$1" "${@:3}"
