# Copyright (c) mic_mm authors. All rights reserved.
import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

pytest.importorskip('mmpretrain')

from mic_mm.registry import MODELS  # noqa: E402

TOOL = 'analysis_tools/domain_gap.py'


@pytest.fixture
def many_images(config, tmp_path):
    """The config with 28 noisy source and 24 plain target images."""
    rng = np.random.default_rng(0)
    for folder, count in (('source/dark', 14), ('source/bright', 14),
                          ('target', 24)):
        for i in range(count):
            pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            if folder == 'target':
                pixels[:] = pixels[0, 0]
            Image.fromarray(pixels).save(tmp_path / 'data' / folder / f'{i}.png')
    return config


@pytest.fixture
def checkpoint(many_images, tmp_path):
    cfg = Config.fromfile(many_images)
    torch.manual_seed(1)
    model = MODELS.build(cfg.model)
    path = tmp_path / 'model.pth'
    torch.save(dict(state_dict=model.state_dict()), path)
    return path


def test_distance_and_figure_are_written(
        many_images, checkpoint, run_tool, tmp_path, capsys):
    pytest.importorskip('sklearn')
    run_tool(TOOL, many_images, checkpoint, '--out', tmp_path / 'gap')
    result = json.loads((tmp_path / 'gap' / 'domain_gap.json').read_text())
    assert (result['source_images'], result['target_images']) == (28, 24)
    # Noise and plain colours are far apart even for random features.
    assert result['a_distance'] > 1
    assert f'{result["a_distance"]:.3f}' in capsys.readouterr().out
    with Image.open(tmp_path / 'gap' / 'domain_gap.png') as picture:
        pixels = np.asarray(picture.convert('RGB')).reshape(-1, 3)
    assert len(np.unique(pixels, axis=0)) > 10


def test_number_of_images_is_limited(
        many_images, checkpoint, run_tool, tmp_path):
    run_tool(TOOL, many_images, checkpoint, '--out', tmp_path / 'gap',
             '--max-images', 11, '--no-tsne')
    result = json.loads((tmp_path / 'gap' / 'domain_gap.json').read_text())
    assert (result['source_images'], result['target_images']) == (11, 11)
    assert not (tmp_path / 'gap' / 'domain_gap.png').exists()


def test_a_checkpoint_of_another_model_is_refused(
        many_images, run_tool, tmp_path, capsys):
    torch.save(dict(state_dict=dict(other=torch.ones(1))), tmp_path / 'a.pth')
    with pytest.raises(SystemExit) as stopped:
        run_tool(TOOL, many_images, tmp_path / 'a.pth', '--no-tsne')
    assert stopped.value.code == 2
    assert 'does not fit the model' in capsys.readouterr().err
