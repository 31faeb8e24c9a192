# Copyright (c) mic_mm authors. All rights reserved.
"""The config of the README builds and trains on a stock model."""
import re
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope

from mic_mm.registry import MODELS
from mic_mm.testing.batches import seg_batch, without_labels

README = Path(__file__).parents[1] / 'README.md'


def test_config_of_the_readme_adapts_a_stock_segformer(tmp_path):
    code = re.search('```python\n(.*?)```', README.read_text(), re.S).group(1)
    path = tmp_path / 'my_config.py'
    path.write_text(code)
    cfg = Config.fromfile(path)
    assert cfg.default_scope == 'mmseg'
    cfg.model.segmentor.data_preprocessor.size = (64, 64)
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(cfg.model)
    model.train()
    model.teacher.update(model.student)
    logs = model.train_step(
        dict(
            source=seg_batch(0, num_classes=150, size=64),
            target=without_labels(seg_batch(1, size=64))),
        OptimWrapper(torch.optim.SGD(model.student.parameters(), lr=0.01)))
    assert {
        'source.decode.loss_ce', 'self_training.decode.loss_ce',
        'mic.decode.loss_ce'
    } <= set(logs)
    assert torch.isfinite(logs['loss'])
