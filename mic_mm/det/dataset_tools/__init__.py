# Copyright (c) mic_mm authors. All rights reserved.
"""Preparation of data sets on disk; used by tools/dataset_converters."""
