#!/usr/bin/env bash
# Copyright (c) mic_mm authors. All rights reserved.
#
# Makes or checks the environment, then runs the tests and exits with their code.
#
#   bash tools/run_tests.sh                      everything but what is marked slow
#   bash tools/run_tests.sh --slow               everything
#   bash tools/run_tests.sh tests/core -k mask   other arguments go to pytest
#
# Test files are dealt out to a process for each core, eight at most;
# MIC_MM_TEST_PROCESSES=0 runs them in this one. Other environment variables are those of tools/setup_env.sh.

set -euo pipefail

readonly ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
bash "$ROOT/tools/setup_env.sh"

# nproc counts no more than OMP_NUM_THREADS.
cores="$(env -u OMP_NUM_THREADS nproc)"
processes="${MIC_MM_TEST_PROCESSES:-$((cores < 8 ? cores : 8))}"
# A file stays in one process: its tests share fixtures.
arguments=(-n "$processes" --dist loadfile)
for argument in "$@"; do
    # An empty marker expression replaces the `not slow` of setup.cfg.
    if [ "$argument" = --slow ]; then arguments+=(-m ''); else arguments+=("$argument"); fi
done

# The models of the tests are tiny and some tests start several processes: one thread
# each needs about half the time of two on two cores.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
# This checkout first, whichever one the environment was installed from.
export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"
if [ "${MIC_MM_STACK:-default}" = default ]; then suffix=''; else suffix="-$MIC_MM_STACK"; fi
venv="${MIC_MM_VENV:-$ROOT/.venv$suffix}"
export PATH="$venv/bin:$PATH"

cd "$ROOT"
exec "$venv/bin/python" -m pytest ${arguments[@]+"${arguments[@]}"}
