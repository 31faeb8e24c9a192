# Copyright (c) mic_mm authors. All rights reserved.
"""The commands of the guide to one's own data run, as a new user runs them."""
import json
import math
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

from mic_mm.testing.few_digits import write_few_digits

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / 'docs' / 'en' / 'user_guides' / 'custom_dataset.md'
LIBRARIES = {'seg': 'mmseg', 'cls': 'mmpretrain', 'det': 'mmdet'}
TITLES = {
    'seg': 'Segmentation',
    'cls': 'Classification',
    'det': 'Detection',
}
# Every second image, so that a run is short; all commands stay as they are.
FIRST = 'python tools/dataset_converters/digits.py'


def commands(text):
    """The lines of the bash blocks of a text, continued lines joined."""
    blocks = re.findall(r'```bash\n(.*?)```', text, re.S)
    return [
        line for block in blocks
        for line in block.replace('\\\n', '').splitlines() if line.strip()
    ]


def section(title):
    [text] = re.findall(rf'^## {title}\n(.*?)(?=^## )', GUIDE.read_text(),
                        re.S | re.M)
    return text


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """The data, as the first command writes it, but a few canvases."""
    return write_few_digits(ROOT / 'tools' / 'dataset_converters',
                            tmp_path_factory.mktemp('own'),
                            ('cls', 'seg', 'det'))


def run(command, monkeypatch):
    program, script, *arguments = shlex.split(command)
    assert program == 'python'
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.setattr(sys, 'argv', [script, *arguments])
    runpy.run_path(str(ROOT / script), run_name='__main__')


def test_the_first_command_writes_the_data():
    assert commands(GUIDE.read_text())[0] == FIRST


@pytest.mark.parametrize('task', [
    'seg',
    pytest.param('cls', marks=pytest.mark.slow),
    pytest.param('det', marks=pytest.mark.slow)
])
def test_commands_of_a_task_train(task, folder, monkeypatch):
    pytest.importorskip(LIBRARIES[task])
    monkeypatch.chdir(folder)
    lines = commands(section(TITLES[task]))
    assert lines[-1].startswith('python tools/train.py ')
    for line in lines:
        run(line, monkeypatch)
    [scalars] = (folder / 'work_dirs' / f'my_{task}').rglob('scalars.json')
    entries = [json.loads(line) for line in scalars.read_text().splitlines()]
    losses = [entry['loss'] for entry in entries if 'loss' in entry]
    assert len(losses) == 10 and all(map(math.isfinite, losses))
    assert any(key.startswith('mic.') for key in entries[-2])
    score = dict(
        seg='mIoU', cls='class_accuracy/mean', det='coco/bbox_mAP_50')[task]
    assert any(score in entry for entry in entries), entries[-1]
