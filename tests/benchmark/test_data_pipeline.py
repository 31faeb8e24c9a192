# Copyright (c) mic_mm authors. All rights reserved.
import argparse
import copy
import functools
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mic_mm.benchmark import data_pipeline_tool
from mic_mm.benchmark.data_pipeline_floor import DecodingFloor, pipeline_of
from mic_mm.benchmark.generated_data import generated
from mic_mm.benchmark.output import write_json
from mic_mm.registry import DATASETS
from mic_mm.seg.dataset_tools.random_street_scenes import (
    CITYSCAPES_SIZE,
    GTA_SIZE,
    write_street_scenes,
)
from mic_mm.utils import cli

CONFIGS = Path(__file__).parents[2] / 'configs'


OF_TASK = dict(
    seg='seg/gta2cityscapes/mic-daformer_mit-b5_*.py',
    det='det/cityscapes2foggy/mic-sada_faster-rcnn-r50_*.py',
    cls='cls/visda/mic-sdat_vit-b16_*.py')


def config(task):
    path, = CONFIGS.glob(OF_TASK[task])
    return Config.fromfile(path)


def arguments(**options):
    return argparse.Namespace(
        **dict(dict(config='mic.py', samples=1, real=False, json=None), **options))


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


@pytest.fixture(scope='module')
def data_of(tmp_path_factory):
    """The config of a task that reads generated images."""

    @functools.cache
    def make(task):
        cfg = config(task)
        with DefaultScope.overwrite_default_scope(cfg.default_scope):
            cfg.train_dataloader.dataset = generated(
                cfg.train_dataloader.dataset, tmp_path_factory.mktemp(task))
        return cfg

    return make


@pytest.mark.parametrize('domain', ['source', 'target'])
@pytest.mark.parametrize('task', ['seg', 'det', 'cls'])
def test_the_floor_reads_what_the_pipeline_has_after_resizing(data_of, task, domain):
    cfg = data_of(task)
    pair = cfg.train_dataloader.dataset
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        dataset = DATASETS.build(pair[domain])
    stages = getattr(dataset, 'dataset', dataset).pipeline.transforms
    results = dataset.get_data_info(0)
    info = dict(results)
    for step in stages[:1 + next(i for i, s in enumerate(stages)
                                 if type(s).__name__ == 'Resize')]:
        results = step(results)
    floor = DecodingFloor(dataset, pipeline_of(pair[domain]))
    assert np.array_equal(floor._image(info['img_path']), results['img'])
    assert ('gt_seg_map' in results) == (domain == 'source' and task == 'seg')
    if task == 'seg':
        assert floor.reads_labels == (domain == 'source')
    if 'gt_seg_map' in results:
        assert np.array_equal(
            floor._label_map(info['seg_map_path']), results['gt_seg_map'])
    if task == 'det' and domain == 'source':
        assert len(results['gt_bboxes_labels']) == 18
        assert {*results['gt_bboxes_labels']} == set(range(8))


@pytest.mark.parametrize('task', ['seg', 'cls'])
def test_pipelines_are_measured_against_their_floor(tmp_path, task):
    threads = cv2.getNumThreads()
    cfg = config(task)
    before = cfg.pretty_text
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
        'config': 'mic.py', 'data': 'generated', 'samples': 1}
    assert cv2.getNumThreads() == threads
    assert cfg.pretty_text == before


def test_a_detector_is_measured_on_its_files(data_of):
    cfg = data_of('det')
    result = data_pipeline_tool.run(cfg, arguments(real=True))
    assert result['about']['data'] == 'its own'
    assert result['pair']['pipeline']['wall'] > result['target']['floor']['wall'] > 0


def test_a_file_that_is_no_image_is_named(data_of, tmp_path):
    cfg = data_of('cls')
    cfg = copy.deepcopy(cfg)
    target = cfg.train_dataloader.dataset.target
    shutil.copytree(target.data_root, tmp_path / 'x')
    for path in (tmp_path / 'x/images').iterdir():
        path.write_bytes(b'')
    target.data_root = str(tmp_path / 'x')
    with pytest.raises(cli.UsageError, match='x/images/0000'):
        data_pipeline_tool.run(cfg, arguments(real=True))


@pytest.mark.parametrize('name, options, error', [
    ('gta2cityscapes/mic-daformer_mit-b5', dict(samples=0), '--samples 0 is not positive'),
    ('gta2cityscapes/mic-daformer_mit-b5', dict(json='/nowhere/x.json'), 'no such folder'),
    ('gta2cityscapes/mic-daformer_mit-b5', dict(real=True), 'mic.py.*data/gta'),
    ('synthia2cityscapes/mic-hrda_mit-b5', {}, 'generated for .* --real'),
    ('gta2cityscapes/source-only_dlv2', {}, 'with mic_mm.DomainPairDataset'),
    ('cityscapes2foggy/mic-sada_faster', dict(kind='XMLDataset'), "like 'XMLDataset'.* --real"),
    ('cityscapes2foggy/mic-sada_faster', dict(kind='CoccoDataset'), "'CoccoDataset' is not known"),
    ('cityscapes2foggy/mic-sada_faster', dict(kind=None), 'no train_dataloader.dataset'),
])
def test_what_cannot_be_measured_is_a_usage_error(name, options, error,
                                                  monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    path = sorted(CONFIGS.glob(f'*/{name}*.py'))[0]
    cfg = Config.fromfile(path)
    if options.get('kind'):
        cfg.train_dataloader.dataset.source.type = options['kind']
    elif 'kind' in options:
        cfg.pop('train_dataloader')
    with pytest.raises(cli.UsageError, match=error):
        data_pipeline_tool.run(cfg, arguments(**options))
