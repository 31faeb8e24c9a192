#!/usr/bin/env bash
# Copyright (c) mic_mm authors. All rights reserved.
#
# Evaluates on a Slurm cluster.
#
#   bash tools/slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [arguments of tools/test.py]
#
# Environment: GPUS (8) in all, GPUS_PER_NODE (8), CPUS_PER_TASK (5), SRUN_ARGS.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
need 4 'slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [arguments of tools/test.py]' "$@"
run_slurm "$1" "$2" "$ROOT/tools/test.py" "$3" "$4" "${@:5}"
