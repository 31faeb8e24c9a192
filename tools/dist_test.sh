#!/usr/bin/env bash
# Copyright (c) mic_mm authors. All rights reserved.
#
# Evaluates in several processes, one per GPU, or on the CPU where there is no GPU.
#
#   bash tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [arguments of tools/test.py]
#
# The environment variables are those of tools/dist_train.sh.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
need 3 'dist_test.sh CONFIG CHECKPOINT PROCESSES [arguments of tools/test.py]' "$@"
run_distributed "$3" "$ROOT/tools/test.py" "$1" "$2" "${@:4}"
