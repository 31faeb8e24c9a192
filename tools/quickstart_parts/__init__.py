# Copyright (c) mic_mm authors. All rights reserved.
"""Parts of tools/quickstart.py."""
