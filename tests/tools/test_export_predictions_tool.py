# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmseg.datasets import CityscapesDataset
from PIL import Image

from mic_mm.registry import MODELS
from mic_mm.testing.models import tiny_segmentor
from mic_mm.testing.scenes import write_image

TOOL = 'misc/export_predictions.py'
SIZE = (32, 48)


@pytest.fixture
def seg_config(tmp_path):
    """A config with two images of a server, and a checkpoint beside it."""
    for name in 'ab':
        write_image(tmp_path / 'test' / f'{name}_rgb_anon.png', SIZE)
    model = dict(
        type='mic_mm.UDASegmentor',
        segmentor=tiny_segmentor(num_classes=19),
        objectives=dict(source=dict(type='mic_mm.SourceSupervision')))
    loader = dict(
        batch_size=1,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(
            type='mic_mm.ACDCDataset',
            data_root=str(tmp_path),
            data_prefix=dict(img_path='test'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='PackSegInputs')
            ]))
    path = tmp_path / f'export_{tmp_path.name}.py'
    Config(
        dict(
            default_scope='mmseg',
            model=model,
            server_dataloader=loader,
            server_evaluator=dict(type='mic_mm.PredictionExport', ids='train'),
            test_dataloader=None,
            test_evaluator=dict(type='mic_mm.DomainIoUMetric'),
            test_cfg=dict(type='mic_mm.StudentTeacherTestLoop'),
            default_hooks=dict(checkpoint=None))).dump(path)
    with DefaultScope.overwrite_default_scope('mmseg'):
        torch.manual_seed(0)
        torch.save(dict(state_dict=MODELS.build(model).state_dict()),
                   tmp_path / 'model.pth')
    return path


def test_predictions_of_the_server_images_are_written(
        seg_config, run_tool, tmp_path):
    out = tmp_path / 'labelTrainIds'
    run_tool(TOOL, seg_config, tmp_path / 'model.pth', '--out', out)
    files = sorted(out.glob('*'))
    assert [f.name for f in files] == ['a_rgb_anon.png', 'b_rgb_anon.png']
    train_ids = np.array(Image.open(files[0]))
    assert train_ids.shape == SIZE and train_ids.max() < 19

    again = tmp_path / 'label_ids'
    run_tool(TOOL, seg_config, tmp_path / 'model.pth', '--out', again, '--ids',
             'cityscapes')
    colours = [
        np.array(Image.open(folder / files[0].name).convert('RGB'))
        for folder in (out, again)
    ]
    label_ids = np.array(Image.open(again / files[0].name))
    assert np.array_equal(*colours)
    assert not np.array_equal(train_ids, label_ids)
    palette = CityscapesDataset.METAINFO['palette']
    assert colours[0][0, 0].tolist() == list(palette[train_ids[0, 0]])


def test_the_config_of_a_work_directory_stays_that_of_the_training(
        seg_config, run_tool, tmp_path):
    work_dir = tmp_path / 'work'
    cfg = Config.fromfile(seg_config)
    cfg.work_dir = str(work_dir)
    work_dir.mkdir()
    cfg.dump(work_dir / seg_config.name)
    before = (work_dir / seg_config.name).read_text()
    run_tool(TOOL, work_dir / seg_config.name, tmp_path / 'model.pth', '--out',
             tmp_path / 'out')
    assert (work_dir / seg_config.name).read_text() == before
    assert len(list((tmp_path / 'out').glob('*.png'))) == 2


def test_a_config_without_the_images_is_refused(
        seg_config, run_tool, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run_tool(TOOL, seg_config, tmp_path / 'model.pth', '--out',
                 tmp_path / 'out', '--images', 'val')
    assert 'the config has no val_dataloader' in capsys.readouterr().err


def test_a_model_without_label_maps_is_refused(
        seg_config, run_tool, tmp_path, capsys):
    path = tmp_path / 'det.py'
    path.write_text(seg_config.read_text() + "\ndefault_scope = 'mmdet'\n")
    with pytest.raises(SystemExit):
        run_tool(TOOL, path, tmp_path / 'model.pth', '--out', tmp_path / 'out')
    assert 'is none of segmentation' in capsys.readouterr().err
