#!/usr/bin/env bash
# Copyright (c) mic_mm authors. All rights reserved.
#
# Builds MMCV with compiled operators from its source distribution and prints
# the path of the wheel as the last line. The wheel is kept in a cache, keyed by
# everything it depends on, so that a second call costs a second.
#
#   bash tools/build_mmcv_ops.sh [REQUIREMENT]      e.g. onedl-mmcv==2.3.6
#   bash tools/build_mmcv_ops.sh --unify FOLDER     only prepare a source tree
#
# Without REQUIREMENT the pin of requirements/stack_*.txt is taken.
#
# Environment:
#   PYTHON          interpreter of the environment that has torch (python)
#   MIC_MM_CACHE    where wheels are kept (${XDG_CACHE_HOME:-~/.cache}/mic_mm)
#   MIC_MM_STACK    default | official: which pin to take
#   MIC_MM_OPS      cpu | cuda: overrides the detection
#   MAX_JOBS        parallel compilers (one per core, but 2 GiB of memory each)
#
# Why not plain pip: MMCV has no wheels on the package index, and nearly all the
# time of its CPU build goes into parsing the headers of torch once per file. The
# dispatchers (ops/csrc/pytorch/*.cpp) are tiny, so they are compiled as one unit
# that includes them all; this needs about a third of the CPU time and gives the
# same library. The kernels in cpu/ have clashing names and stay separate.

set -euo pipefail

readonly UNIT=all_dispatchers.cpp  # sorts first, so the longest unit starts first
readonly ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly PYTHON="${PYTHON:-python}"
readonly CACHE="${MIC_MM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mic_mm}"

fail() {
    printf 'build_mmcv_ops: %s\n' "$@" >&2
    exit 1
}

# The dispatchers of a source tree; the module definition and the file with the
# compiler's version are units of their own (info.cpp defines clashing macros).
dispatchers() {
    find "$1/mmcv/ops/csrc/pytorch" -maxdepth 1 -name '*.cpp' \
        ! -name pybind.cpp ! -name info.cpp ! -name "$UNIT" -printf '%f\n' \
        | LC_ALL=C sort
}

# Replaces the dispatchers by one unit. MMCV's setup.py compiles what matches
# *.cpp, so the included files lose that ending.
unify() {
    local folder="$1/mmcv/ops/csrc/pytorch" name
    [ -d "$folder" ] || fail "$1 is not a source tree of MMCV:" \
        "it has no mmcv/ops/csrc/pytorch. Pass the unpacked sdist."
    local names
    mapfile -t names < <(dispatchers "$1")
    [ "${#names[@]}" -gt 0 ] || fail "no dispatchers in $folder"
    for name in "${names[@]}"; do
        mv "$folder/$name" "$folder/${name%.cpp}.inc"
        printf '#include "%s.inc"\n' "${name%.cpp}"
    done > "$folder/$UNIT"
}

# cpu, or cuda followed by the compute capability: a CUDA wheel fits one only.
flavour() {
    case "${MIC_MM_OPS:-}" in
        cpu) echo cpu; return ;;
        ''|cuda) ;;
        *) fail "MIC_MM_OPS=$MIC_MM_OPS is unknown: use cpu or cuda, or unset it" ;;
    esac
    local capability
    capability="$("$PYTHON" - <<'PY'
import torch
found = torch.cuda.is_available()
print('sm_%d%d' % torch.cuda.get_device_capability() if found else '')
PY
)"
    if [ "${MIC_MM_OPS:-}" = cuda ]; then
        echo "cuda-${capability:-${TORCH_CUDA_ARCH_LIST:-any}}"
    elif [ -z "$capability" ]; then
        echo cpu
    elif [ -x "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" ] || command -v nvcc > /dev/null; then
        echo "cuda-$capability"
    else
        echo 'build_mmcv_ops: there is a GPU but no nvcc: MMCV gets CPU operators only.' \
            'Detection on the GPU needs the CUDA toolkit that torch was built with.' >&2
        echo cpu
    fi
}

parallel_jobs() {
    local cores memory
    cores="$(nproc)"
    memory="$(awk '/MemAvailable/ {print int($2 / 2097152)}' /proc/meminfo)"
    [ "$memory" -ge "$cores" ] && echo "$cores" || echo "$((memory > 1 ? memory : 1))"
}

default_requirement() {
    grep -hE '^(onedl-)?mmcv==' "$ROOT/requirements/stack_${MIC_MM_STACK:-default}.txt"
}

build() {
    local requirement="$1" flavour="$2" target="$3" work
    work="$(mktemp -d)"
    trap "rm -rf '$work'" EXIT
    "$PYTHON" -m pip download -q --no-deps --no-binary :all: --no-build-isolation \
        -d "$work" "$requirement" >&2
    tar -xf "$work"/*.tar.gz -C "$work"
    local source
    source="$(find "$work" -mindepth 1 -maxdepth 1 -type d -name '*mmcv*' | head -n 1)"
    local settings=(MMCV_WITH_OPS=1 "MAX_JOBS=${MAX_JOBS:-$(parallel_jobs)}")
    if [ "$flavour" = cpu ]; then
        unify "$source"
        # No debug information, no warnings about code that is not ours; hiding the
        # GPU keeps MMCV's setup.py from choosing the CUDA build.
        settings+=(FORCE_CUDA=0 CUDA_VISIBLE_DEVICES= "CFLAGS=${CFLAGS:-} -O2 -DNDEBUG -g0 -w"
            "CXXFLAGS=${CXXFLAGS:-} -O2 -DNDEBUG -g0 -w")
    else
        settings+=(FORCE_CUDA=1)
    fi
    env "${settings[@]}" "$PYTHON" -m pip wheel -v --no-deps --no-build-isolation \
        -w "$work/wheel" "$source" >&2
    mkdir -p "$target"
    mv "$work"/wheel/*.whl "$target/"
}

main() {
    if [ "${1:-}" = --unify ]; then
        unify "${2:?--unify needs the folder of an unpacked sdist}"
        return
    fi
    local requirement="${1:-$(default_requirement)}" flavour versions
    [[ "$requirement" == *==* ]] || fail "'$requirement' has no exact version: pass NAME==VERSION"
    versions="$("$PYTHON" -c 'import sys, torch; print(f"torch-{torch.__version__}_cp%d%d" % sys.version_info[:2])')" \
        || fail "torch is not importable by '$PYTHON': set PYTHON to the environment's interpreter"
    flavour="$(flavour)"
    local target="$CACHE/wheels/${requirement/==/-}_${versions}_$(uname -m)_$flavour"
    if ! compgen -G "$target/*.whl" > /dev/null; then
        build "$requirement" "$flavour" "$target"
    fi
    compgen -G "$target/*.whl"
}

main "$@"
