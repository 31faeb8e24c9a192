# Copyright (c) mic_mm authors. All rights reserved.
from pathlib import Path

import pytest
from mmengine.registry import DefaultScope

# Marked `official`: .ci/run repeats them with the official distributions of OpenMMLab.
OFFICIAL = (
    'cls/test_original_iterations.py',
    'configs/test_inherited_scopes.py',
    'core/test_train_step.py',
    'det/test_det_whole_iterations.py',
    'digits/test_digits_training.py',
    'engine/test_distributed.py',
    'engine/test_distributed_parts.py',
    'engine/test_resume.py',
    'seg/test_seg_two_processes.py',
    'seg/test_seg_whole_iterations.py',
    'test_rooms.py',
    'test_stock_equality.py',
    'tools/test_mic_to_mmseg_tool.py',
    'tools/test_to_plain_tool.py',
    'utils/test_compat.py',
    'utils/test_run_options.py',
    'visualization/browse/test_training_replay.py',
    'utils/test_harmless_files.py',
)


def pytest_collection_modifyitems(items):
    """Mark the tests of the files in ``OFFICIAL``."""
    root = Path(__file__).parent
    missing = [name for name in OFFICIAL if not (root / name).exists()]
    if missing:
        raise pytest.UsageError(f'tests/conftest.py: OFFICIAL names {missing}')
    for item in items:
        if item.path.is_relative_to(root) and item.path.relative_to(root).as_posix() in OFFICIAL:
            item.add_marker(pytest.mark.official)


@pytest.fixture(scope='module', autouse=True)
def no_default_scope_of_other_files():
    """A file starts as if it ran alone, whatever the fixtures before it did."""
    DefaultScope._instance_dict.clear()
    yield
    DefaultScope._instance_dict.clear()


@pytest.fixture(autouse=True)
def default_scope_of_its_own():
    """Undo the default scope that a runner leaves behind in a test."""
    before = dict(DefaultScope._instance_dict)
    yield
    DefaultScope._instance_dict.clear()
    DefaultScope._instance_dict.update(before)
