#!/usr/bin/env bash
# Copyright (c) mic_mm authors. All rights reserved.
#
# Trains on a Slurm cluster.
#
#   bash tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [arguments of tools/train.py]
#
# Environment: GPUS (8) in all, GPUS_PER_NODE (8), CPUS_PER_TASK (5), SRUN_ARGS.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
need 4 'slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [arguments of tools/train.py]' "$@"
run_slurm "$1" "$2" "$ROOT/tools/train.py" "$3" --work-dir="$4" "${@:5}"
