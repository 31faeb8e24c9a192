#!/usr/bin/env bash
# Copyright (c) mic_mm authors. All rights reserved.
#
# Builds the documents as a web site in docs/_build/html; any warning is an error,
# dead links between the pages included. Needs requirements/docs.txt and mic_mm with
# the libraries of all three tasks, whose docstrings are read. PYTHON chooses the
# interpreter, arguments go to sphinx-build.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

python="${PYTHON:-}"
if [ -z "$python" ]; then
    python=python
    [ ! -x .venv/bin/python ] || python=.venv/bin/python
fi

# From scratch: a page that did not change is not warned of twice, and old pages stay.
rm -rf docs/_build/html
mkdir -p docs/_build
echo '*' > docs/_build/.gitignore
"$python" -m sphinx -E -W --keep-going -b html "$@" docs/en docs/_build/html
"$python" docs/scripts/check_links.py docs/_build/html
