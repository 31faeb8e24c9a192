# Copyright (c) mic_mm authors. All rights reserved.
import subprocess
import sys
import warnings

from mic_mm.utils.import_notices import without_import_notices


def test_only_the_notices_are_left_out(recwarn, capsys):
    with without_import_notices():
        print('before')
        print('Could not import OneDL')
        print('Could not import OneDL. Skipping OneDL datasets.')
        print()
        print('Could not import torch', end='.')
        assert not sys.stdout.isatty()
        warnings.warn('faster_coco_eval is not installed, and so on', stacklevel=1)
        warnings.warn('another warning', stacklevel=1)
    print('Could not import OneDL')
    assert capsys.readouterr().out == (
        'before\n\nCould not import torch.Could not import OneDL\n')
    assert [str(warning.message) for warning in recwarn] == ['another warning']


def test_the_first_lookup_of_a_type_prints_nothing():
    # The libraries print when they are imported, so only once per process.
    code = '''
import sys
from mic_mm.registry import MODELS
MODELS.get('mic_mm.UDADetector')
assert {'mmseg', 'mmdet', 'mmpretrain'} <= set(sys.modules)
'''
    result = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert result.stdout == ''
    assert 'faster_coco_eval' not in result.stderr
