# Copyright (c) mic_mm authors. All rights reserved.
import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mic_mm.benchmark import data_pipeline_tool
from mic_mm.benchmark.data_pipeline import at_root
from mic_mm.benchmark.data_pipeline_floor import DecodingFloor, pipeline_of
from mic_mm.benchmark.output import write_json
from mic_mm.registry import DATASETS
from mic_mm.seg.dataset_tools.random_street_scenes import (
    CITYSCAPES_SIZE,
    GTA_SIZE,
    write_street_scenes,
)
from mic_mm.utils import cli

CONFIGS = Path(__file__).parents[2] / 'configs'


def config(name):
    path, = CONFIGS.glob(f'seg/gta2cityscapes/{name}_*.py')
    return Config.fromfile(path)


def arguments(**options):
    return argparse.Namespace(
        **dict(dict(config='mic-daformer.py', samples=1, real=False, json=None), **options))


@pytest.fixture(scope='module')
def scenes(tmp_path_factory):
    root = tmp_path_factory.mktemp('scenes')
    write_street_scenes(root, count=1)
    return root


def test_generated_files_have_the_published_sizes(scenes):
    image, labels, target = (
        cv2.imread(str(next(scenes.rglob(pattern))), -1)
        for pattern in ('images/*.png', '*_labelTrainIds.png',
                        '*_leftImg8bit.png'))
    assert image.shape == (*GTA_SIZE, 3) == (1052, 1914, 3)
    assert target.shape == (*CITYSCAPES_SIZE, 3) == (1024, 2048, 3)
    assert labels.shape == GTA_SIZE
    counts = json.loads(
        (scenes / 'gta/sample_class_stats_dict.json').read_text())
    for class_id, pixels in counts['labels/00000_labelTrainIds.png'].items():
        assert pixels == np.count_nonzero(labels == int(class_id)) > 0


@pytest.mark.parametrize('domain', ['source', 'target'])
def test_the_floor_reads_what_the_pipeline_has_after_resizing(
        scenes, monkeypatch, domain):
    cfg = at_root(
        config('mic-daformer_mit-b5').train_dataloader.dataset[domain], scenes)
    with DefaultScope.overwrite_default_scope('mmseg'):
        dataset = DATASETS.build(cfg)
    stages = getattr(dataset, 'dataset', dataset).pipeline.transforms
    results = dataset.get_data_info(0)
    for step in stages[:1 + next(i for i, s in enumerate(stages)
                                 if type(s).__name__ == 'Resize')]:
        results = step(results)
    read, floor = [], DecodingFloor(dataset, pipeline_of(cfg))
    read_one = floor._read
    monkeypatch.setattr(
        floor, '_read', lambda *args: read.append(read_one(*args)))
    floor(0)
    assert np.array_equal(read[0], results['img'])
    assert len(read) == (2 if domain == 'source' else 1)
    if domain == 'source':
        assert np.array_equal(read[1], results['gt_seg_map'])


def test_pipelines_are_measured_against_their_floor(tmp_path):
    threads = cv2.getNumThreads()
    cfg = config('mic-daformer_mit-b5')
    result = data_pipeline_tool.run(cfg, arguments())
    for name in ('source', 'target', 'pair'):
        row = result[name]
        ratio = row['pipeline']['wall'] / row['floor']['wall']
        assert row['ratio']['wall'] == pytest.approx(ratio) and ratio > 0.2
        assert row['samples_per_second'] == pytest.approx(
            1 / row['pipeline']['wall'])
        assert f'{ratio:8.3f}' in data_pipeline_tool.as_text(result)
    write_json(result, tmp_path / 'x.json')
    assert json.loads((tmp_path / 'x.json').read_text())['about'] == {
        'config': 'mic-daformer.py', 'data': 'generated', 'samples': 1}
    assert cv2.getNumThreads() == threads
    assert cfg.train_dataloader.dataset.source.statistics == 'data/gta/'


@pytest.mark.parametrize('name, options, error', [
    ('mic-daformer_mit-b5', dict(samples=0), '--samples 0 is not positive'),
    ('mic-daformer_mit-b5', dict(json='/nowhere/x.json'), 'no such folder'),
    ('mic-daformer_mit-b5', dict(real=True), 'mic-daformer.*data/gta'),
    ('mic-hrda_mit-b5_1xb2-40k_synthia', {}, 'generated for .* --real'),
    ('source-only_dlv2', {}, 'with mic_mm.DomainPairDataset'),
])
def test_what_cannot_be_measured_is_a_usage_error(name, options, error,
                                                  monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    path = sorted(CONFIGS.glob(f'seg/*/{name}*.py'))[0]
    with pytest.raises(cli.UsageError, match=error):
        data_pipeline_tool.run(Config.fromfile(path), arguments(**options))
