# Copyright (c) mic_mm authors. All rights reserved.
#
# Sourced by the launchers: finds this checkout and the Python to use.
#
# The environment of tools/setup_env.sh (MIC_MM_VENV, or .venv in the repository) is
# used if it exists and no other environment is active. PYTHON overrides it.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
_venv="${MIC_MM_VENV:-$ROOT/.venv}"
if [ -z "${PYTHON:-}" ]; then
    if [ -z "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] && [ -x "$_venv/bin/python" ]; then
        PYTHON="$_venv/bin/python"
    else
        PYTHON=python
    fi
fi
command -v "$PYTHON" > /dev/null || {
    echo "$(basename "$0"): there is no '$PYTHON'. Run 'bash tools/setup_env.sh'," \
        'activate an environment, or set PYTHON to an interpreter.' >&2
    exit 1
}
export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"

# need COUNT USAGE "$@": stops with the usage unless there are COUNT arguments.
need() {
    local count="$1" usage="$2"
    shift 2
    [ "$#" -ge "$count" ] || { echo "usage: $usage" >&2; exit 2; }
}

# run_distributed PROCESSES SCRIPT [ARGUMENTS]: the script in several processes.
run_distributed() {
    local processes="$1" port="${PORT:-}"
    shift
    # All nodes have to agree on the port; a single one can take any that is free.
    if [ -z "$port" ] && [ "${NNODES:-1}" = 1 ]; then
        port="$("$PYTHON" -c 'import socket
s = socket.socket()
s.bind(("", 0))
print(s.getsockname()[1])')"
    fi
    exec "$PYTHON" -m torch.distributed.run \
        --nnodes="${NNODES:-1}" \
        --node_rank="${NODE_RANK:-0}" \
        --master_addr="${MASTER_ADDR:-127.0.0.1}" \
        --master_port="${port:-29500}" \
        --nproc_per_node="$processes" \
        "$@" --launcher pytorch
}

# run_slurm PARTITION JOB_NAME SCRIPT [ARGUMENTS]: the script as a Slurm job.
run_slurm() {
    local partition="$1" name="$2" extra
    shift 2
    read -ra extra <<< "${SRUN_ARGS:-}"
    exec srun -p "$partition" \
        --job-name="$name" \
        --gres="gpu:${GPUS_PER_NODE:-8}" \
        --ntasks="${GPUS:-8}" \
        --ntasks-per-node="${GPUS_PER_NODE:-8}" \
        --cpus-per-task="${CPUS_PER_TASK:-5}" \
        --kill-on-bad-exit=1 \
        ${extra[@]+"${extra[@]}"} \
        "$PYTHON" -u "$@" --launcher slurm
}
