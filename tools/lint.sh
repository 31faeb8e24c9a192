#!/usr/bin/env bash
# Copyright (c) mic_mm authors. All rights reserved.
#
# Lint and type checks, configured in pyproject.toml. Needs requirements/lint.txt in the
# environment; the versions of requirements/stack_default.txt are those of the CI.
#
#   bash tools/lint.sh            ruff on everything, mypy on the package
#   bash tools/lint.sh --fix      ruff repairs what it can, e.g. the order of imports

set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$ROOT"

failed=0
"$PYTHON" -m ruff check "$@" . || failed=1
# Without PYTHONPATH, which would make mypy see the checkout as an installed package.
env -u PYTHONPATH "$PYTHON" -m mypy || failed=1
exit "$failed"
