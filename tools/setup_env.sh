#!/usr/bin/env bash
# Copyright (c) mic_mm authors. All rights reserved.
#
# Makes the environment of mic_mm: a virtual environment with torch, the OpenMMLab
# libraries (MMCV with compiled operators) and mic_mm in editable mode. Idempotent:
# finished steps are skipped, also after a failure or an interruption.
#
#   bash tools/setup_env.sh
#
# Needs Linux, Python 3.11 or 3.12 with its headers, gcc, g++ and about 8 GB.
#
# Environment:
#   MIC_MM_VENV     the virtual environment (.venv in the repository)
#   MIC_MM_CACHE    compiled wheels (${XDG_CACHE_HOME:-~/.cache}/mic_mm)
#   MIC_MM_PYTHON   interpreter to make it with (the first 3.11 or 3.12 found)
#   MIC_MM_STACK    default | official: requirements/stack_*.txt (default)
#   MIC_MM_OPS      cpu | cuda: operators of MMCV (cuda if a GPU is there)

set -uo pipefail

readonly ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly REQUIREMENTS="$ROOT/requirements"
readonly STACK="${MIC_MM_STACK:-default}"
readonly PINS="$REQUIREMENTS/stack_$STACK.txt"
readonly CACHE="${MIC_MM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/mic_mm}"
readonly NEEDED_GB=8
if [ "$STACK" = default ]; then default_venv="$ROOT/.venv"; else default_venv="$ROOT/.venv-$STACK"; fi
readonly VENV="${MIC_MM_VENV:-$default_venv}"
readonly STATE="$VENV/.mic_mm"
readonly STARTED=$SECONDS

say() { printf 'setup_env: %s\n' "$*"; }

# fail STEP PROBLEM REMEDY
fail() {
    printf 'setup_env: step "%s" failed: %s\n  remedy: %s\n' "$@" >&2
    exit 1
}

# -- interpreter ---------------------------------------------------------------

python_version() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2> /dev/null
}

find_python() {
    local candidate
    for candidate in "${MIC_MM_PYTHON:-}" python3 python3.12 python3.11 python \
            "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.1[12].*/bin/python; do
        [ -n "$candidate" ] || continue
        case "$(python_version "$candidate")" in
            3.11|3.12) echo "$candidate"; return ;;
        esac
        [ "$candidate" != "${MIC_MM_PYTHON:-}" ] || return 1
    done
    return 1
}

# -- steps, each returning non-zero on failure; their output goes to the log ------

check_machine() {
    [ -f "$PINS" ] || fail machine "MIC_MM_STACK=$STACK has no $PINS" \
        "use MIC_MM_STACK=default or official, or unset it"
    [ -n "$PYTHON" ] || fail machine "no Python 3.11 or 3.12${MIC_MM_PYTHON:+ at MIC_MM_PYTHON=$MIC_MM_PYTHON}" \
        'install python3.12 (or 3.11) with its venv and dev packages, or set MIC_MM_PYTHON to its path'
    local tool headers free parent="$VENV"
    for tool in gcc g++; do
        command -v "$tool" > /dev/null || fail machine "$tool is not on the PATH" \
            'install a C++ compiler, e.g. the package build-essential (Debian, Ubuntu) or gcc-c++ (Fedora)'
    done
    "$PYTHON" -c 'import ensurepip, venv' 2> /dev/null || fail machine "$PYTHON lacks the module venv or ensurepip" \
        "install the package python$(python_version "$PYTHON")-venv"
    headers="$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h"
    [ -f "$headers" ] || fail machine "the Python headers are missing ($headers)" \
        "install the package python$(python_version "$PYTHON")-dev (Debian, Ubuntu) or python3-devel (Fedora)"
    while [ ! -d "$parent" ]; do parent="$(dirname "$parent")"; done
    [ -w "$parent" ] || fail machine "$parent is not writable" 'set MIC_MM_VENV to a folder that is'
    free="$(df -Pk "$parent" | awk 'NR == 2 {print int($4 / 1048576)}')"
    [ "$free" -ge "$NEEDED_GB" ] || [ -d "$STATE" ] || fail machine "only $free GB free at $parent" \
        "free $NEEDED_GB GB there or set MIC_MM_VENV to a folder on a larger disk"
}

make_venv() {
    [ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV"
}

pip_install() {
    "$VENV/bin/python" -m pip install --no-input --progress-bar off -c "$PINS" "$@"
}

install_build_tools() { pip_install -r "$REQUIREMENTS/build.txt"; }

install_torch() { pip_install torch torchvision; }

install_dependencies() {
    pip_install -r "$REQUIREMENTS/runtime.txt" -r "$REQUIREMENTS/tests.txt" \
        -r "$REQUIREMENTS/openmmlab_deps.txt"
}

install_mmcv() {
    local wheel
    wheel="$(PYTHON="$VENV/bin/python" MIC_MM_CACHE="$CACHE" MIC_MM_STACK="$STACK" \
        PATH="$VENV/bin:$PATH" bash "$ROOT/tools/build_mmcv_ops.sh" | tail -n 1)" || return 1
    "$VENV/bin/python" -m pip install --no-input --no-deps --force-reinstall "$wheel"
}

install_openmmlab() {
    local pins
    # imaug provides the module imgaug, which mmdet.datasets imports; its own
    # requirements would replace opencv-python-headless.
    mapfile -t pins < <(grep -E '^((onedl-)?mm(engine|segmentation|det|detection|pretrain)|imaug)==' "$PINS")
    pip_install --no-deps --no-build-isolation "${pins[@]}"
}

install_mic_mm() {
    "$VENV/bin/python" -m pip install --no-input --no-deps --no-build-isolation -e "$ROOT"
}

check_imports() {
    "$VENV/bin/python" - <<'PY'
import torch
from mmcv.ops import nms
import mmdet.datasets, mmpretrain.datasets, mmseg.datasets, mic_mm  # noqa: E401,F401
boxes = torch.tensor([[0., 0., 9., 9.], [1., 1., 9., 9.], [20., 20., 30., 30.]])
kept = nms(boxes, torch.tensor([.9, .8, .7]), 0.5)[1]
assert kept.tolist() == [0, 2], kept
PY
}

# -- running the steps ----------------------------------------------------------

# The remedy for what the log of the failed step says.
remedy() {
    if grep -qiE 'no space left|disk quota' "$LOG"; then
        echo "free disk space (about $NEEDED_GB GB), or set MIC_MM_VENV and MIC_MM_CACHE to a larger disk, and run again"
    elif grep -qE 'Killed signal|cannot allocate memory|Cannot allocate' "$LOG"; then
        echo 'the compiler ran out of memory: set MAX_JOBS=1 and run again'
    elif grep -qE 'name resolution|ConnectionError|NewConnectionError|timed out|Network is unreachable|SSLError|ProxyError' "$LOG"; then
        echo 'the package index cannot be reached: check the network, the proxy or the settings of pip, and run again'
    elif grep -qE 'No matching distribution|Could not find a version' "$LOG"; then
        echo "the package index has no such version for this Python and machine: check the settings of pip, or the pins in requirements/stack_$STACK.txt"
    elif grep -qE 'Python\.h' "$LOG"; then
        echo "install the headers of Python (package python$(python_version "$PYTHON")-dev)"
    elif grep -qE "fatal error: |error: command .*(gcc|g\+\+|c\+\+|nvcc)|ninja: build stopped" "$LOG"; then
        echo 'the compiler failed: see the log; gcc 9 or newer is needed, and MIC_MM_OPS=cpu avoids nvcc'
    else
        echo "read the log, remove $VENV and run again"
    fi
}

# step NAME KEY FUNCTION: runs the function unless it has succeeded with this key.
step() {
    local name="$1" key="$2" begin=$SECONDS
    LOG="$STATE/$name.log"
    [ "$(cat "$STATE/$name.done" 2> /dev/null)" != "$key" ] || return 0
    printf 'setup_env: %-13s ' "$name"
    mkdir -p "$STATE"
    if ! "$3" > "$LOG" 2>&1; then
        printf 'FAILED after %d s; the end of %s:\n' "$((SECONDS - begin))" "$LOG"
        tail -n 25 "$LOG" | cut -c 1-240 | sed 's/^/    /'
        fail "$name" 'see above' "$(remedy)"
    fi
    printf '%s' "$key" > "$STATE/$name.done"
    printf '%4d s  (total %d s)\n' "$((SECONDS - begin))" "$((SECONDS - STARTED))"
}

# Whether OpenMIM's folder links to everything the checkout has for it.
mim_is_complete() {
    local entry
    for entry in configs tools demo model-index.yml dataset-index.yml; do
        [ ! -e "$ROOT/$entry" ] || [ -e "$ROOT/mic_mm/.mim/$entry" ] || return 1
    done
}

hash_of() { cat "$@" | sha256sum | cut -c 1-16; }

main() {
    local environment package
    PYTHON="$VENV/bin/python"
    [ -x "$PYTHON" ] || PYTHON="$(find_python)"
    case "$(python_version "${PYTHON:-false}")" in
        3.11|3.12|'') ;;
        *) fail machine "$VENV has Python $(python_version "$PYTHON")" \
            'mic_mm is tried with 3.11 and 3.12: remove that environment or set MIC_MM_VENV to another' ;;
    esac
    environment="$(hash_of "$REQUIREMENTS"/*.txt "$ROOT/tools/setup_env.sh" "$ROOT/tools/build_mmcv_ops.sh" \
        )-$STACK-$(python_version "${PYTHON:-false}")-${MIC_MM_OPS:-auto}"
    package="$environment-$(printf '%s' "$ROOT" | cat - "$ROOT/setup.py" "$ROOT/setup.cfg" | sha256sum | cut -c 1-16)"
    if [ "$(cat "$STATE/ready" 2> /dev/null)" = "$package" ] && mim_is_complete; then
        say "$VENV is ready ($((SECONDS - STARTED)) s)"
        return
    fi
    say "making $VENV (stack: $STACK); this takes some minutes the first time"
    check_machine
    mkdir -p "$(dirname "$VENV")"
    step venv "$environment" make_venv
    step build_tools "$environment" install_build_tools
    step torch "$environment" install_torch
    step dependencies "$environment" install_dependencies
    step mmcv "$environment" install_mmcv
    step openmmlab "$environment" install_openmmlab
    mim_is_complete || rm -f "$STATE/mic_mm.done"
    step mic_mm "$package" install_mic_mm
    step imports "$package" check_imports
    printf '%s' "$package" > "$STATE/ready"
    say "ready: $VENV ($((SECONDS - STARTED)) s); activate it with: . $VENV/bin/activate"
}

# One at a time per environment: two callers would break each other's installation.
mkdir -p "$(dirname "$VENV")" 2> /dev/null
if command -v flock > /dev/null && { exec 9> "$VENV.lock"; } 2> /dev/null; then
    flock -n 9 || { say "another call is working on $VENV: waiting"; flock 9; }
fi
main
