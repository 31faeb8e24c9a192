# Copyright (c) mic_mm authors. All rights reserved.
"""Exported networks of the libraries' own parts, where mic_mm is missing."""
import subprocess
import sys
import textwrap

import torch
from PIL import Image

from mic_mm.testing.hosts import wrapped
from mic_mm.utils.checkpoint_file import save_weights
from mic_mm.utils.plain_export import plain_config, plain_weights

DATA = {
    'seg': ('BaseSegDataset', 'IoUMetric'),
    'cls': ('CustomDataset', 'Accuracy'),
    'det': ('CocoDataset', 'CocoMetric'),
}
PACK = dict(seg='PackSegInputs', cls='PackInputs', det='PackDetInputs')
BLOCKED = '''
    import sys
    class Blocked:
        def find_spec(self, name, path=None, target=None):
            if name.partition('.')[0] == 'mic_mm':
                raise ImportError(f'{name} is blocked')
    sys.meta_path.insert(0, Blocked())
    import torch
    from mmseg.apis import init_model
    from mmdet.apis import init_detector
    from mmpretrain.apis import get_model
    images = torch.load('images.pt')
    for name, build in dict(seg=init_model, cls=get_model,
                            det=init_detector).items():
        model = build(f'{name}.py', f'{name}.pth', device='cpu')
        with torch.no_grad():
            output = model(images)
        while not isinstance(output, torch.Tensor):
            output = output[0]
        torch.save(output, f'{name}.pt')
    from mmdet.apis import DetInferencer
    from mmseg.apis import MMSegInferencer
    DetInferencer('det.py', 'det.pth', device='cpu')('image.png')
    MMSegInferencer('seg.py', 'seg.pth', device='cpu')('image.png')
    assert not [name for name in sys.modules if name.startswith('mic_mm')]
'''


def test_plain_models_run_where_mic_mm_cannot_be_imported(tmp_path):
    images = torch.randn(1, 3, 32, 32)
    torch.save(images, tmp_path / 'images.pt')
    Image.new('RGB', (48, 40)).save(tmp_path / 'image.png')
    expected = {}
    for name, host in dict(
            seg='segmentor', cls='vit-cdan-mcc', det='fcos').items():
        cfg, model = wrapped(host)
        kind, metric = DATA[name]
        cfg.test_dataloader = dict(
            dataset=dict(
                type=kind,
                metainfo=dict(classes=('a', 'b', 'c', 'd')),
                pipeline=[
                    dict(type='LoadImageFromFile'),
                    dict(type='Resize', scale=(32, 32), keep_ratio=name != 'cls'),
                    dict(type=PACK[name]),
                ]))
        cfg.test_evaluator = dict(type=metric)
        plain_config(cfg).dump(tmp_path / f'{name}.py')
        meta = dict(dataset_meta=dict(
            classes=('a', 'b', 'c', 'd'), palette=[[0, 0, 0]] * 4))
        save_weights(tmp_path / f'{name}.pth',
                     plain_weights(model.state_dict()), meta)
        with torch.no_grad():
            output = model.student(images)
        while not isinstance(output, torch.Tensor):
            output = output[0]
        expected[name] = output
    result = subprocess.run(
        [sys.executable, '-c', textwrap.dedent(BLOCKED)],
        cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    for name, value in expected.items():
        torch.testing.assert_close(
            torch.load(tmp_path / f'{name}.pt'), value)
