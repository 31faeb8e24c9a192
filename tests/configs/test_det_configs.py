# Copyright (c) mic_mm authors. All rights reserved.
"""Every config of detection trains, on small data with small networks."""
from pathlib import Path

import pytest
from mmengine.config import Config

import mic_mm  # noqa: F401
from mic_mm.testing.short_runs import shorten, train_config
from mic_mm.testing.small_traffic_scenes import shrink_config, write_traffic_scenes

CONFIGS = Path(__file__).parents[2] / 'configs' / 'det'
PATHS = sorted(p for p in CONFIGS.glob('*/*.py') if p.parent.name != 'digits')
PUBLISHED = 'sada-r50-caffe'
LOSSES = {'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox'}
CLASSIFICATION = {'loss_rpn_cls', 'loss_cls'}
DOMAIN_LOSSES = {'joint.image.loss', 'joint.instance.loss',
                 'joint.consistency.loss'}
EIGHT = ('person', 'rider', 'car', 'truck', 'bus', 'train', 'motorcycle',
         'bicycle')


@pytest.fixture(scope='module')
def scenes(tmp_path_factory):
    root = tmp_path_factory.mktemp('data')
    write_traffic_scenes(root)
    return root


@pytest.fixture(autouse=True)
def unformatted_configs(monkeypatch):
    """MMEngine formats the config four times, which takes most of the time."""
    monkeypatch.setattr(Config, 'pretty_text', '')


def expected_losses(method):
    def of(objective, losses):
        return {f'{objective}.{loss}' for loss in losses}

    if method in ('source-only', 'oracle'):
        return LOSSES
    if method == 'source-only-strong':
        return of('source', LOSSES)
    if method == 'self-training':
        return of('source', LOSSES) | of('self_training', CLASSIFICATION)
    adversarial = of('joint.source', LOSSES) | DOMAIN_LOSSES
    if method == 'sada':
        return adversarial
    assert method == 'mic-sada'
    return adversarial | of('mic', CLASSIFICATION)


def train(path, scenes, work_dir):
    cfg = Config.fromfile(path)
    small = Config(shrink_config(cfg.to_dict(), scenes), filename=path)
    small.experiment_name = work_dir.name
    return train_config(shorten(small, work_dir, batch_size=1))


@pytest.mark.parametrize('path', [
    pytest.param(
        path,
        marks=pytest.mark.slow if path.parent.name == 'kitti2cityscapes' else
        ()) for path in PATHS
], ids=lambda path: path.stem)
def test_every_config_trains_and_evaluates(path, scenes, tmp_path):
    logged = train(path, scenes, tmp_path)
    losses = {key for key in logged if 'loss' in key.split('.')[-1]} - {'loss'}
    assert losses == expected_losses(path.stem.split('_')[0])
    classes = ('car', ) if 'car' in path.stem else EIGHT
    assert {key for key in logged if 'AP50.' in key} == {
        f'coco/AP50.{name}' for name in classes}
    assert 'coco/bbox_mAP_50' in logged


def of(method, folder='cityscapes2foggy', network=PUBLISHED):
    path, = CONFIGS.glob(f'{folder}/{method}_{network}_*.py')
    return Config.fromfile(path)


def test_published_values_of_mic():
    cfg = of('mic-sada')
    model = cfg.model
    assert model.detector.rpn_head.proposal_topk_scope == 'batch'
    assert model.detector.rpn_head.detach_rpn_weight is False
    assert model.objectives.joint.instance_head.first_level_only is True
    assert model.labeller == dict(type='mic_mm.BoxLabeller', threshold=0.8)
    assert (model.teacher.alpha, model.teacher.warmup) == (0.9, False)
    mask = model.objectives.mic.mask
    assert (mask.ratio, mask.block_size) == (0.5, 32)
    color = model.objectives.mic.color_aug
    assert (color.jitter_probability, color.blur_probability) == (0., 1.)
    assert cfg.train_dataloader.batch_size == 1
    assert cfg.train_cfg.max_iters == 60000


def test_other_family_has_no_quirk():
    model = of('mic-sada', network='faster-rcnn-r50').model
    assert model.detector.rpn_head.type == 'RPNHead'
    assert model.pseudo_weight.detach_rpn_weight is True
    assert 'first_level_only' not in model.objectives.joint.instance_head
    # Ignored pseudo-boxes need assigners that leave them out.
    assert model.labeller.ignore_threshold < model.labeller.threshold
    for part in ('rpn', 'rcnn'):
        assert model.detector.train_cfg[part].assigner.ignore_iof_thr > 0


@pytest.mark.parametrize('path', PATHS, ids=lambda path: path.stem)
def test_labels_of_the_target_reach_the_oracle_alone(path):
    cfg = Config.fromfile(path)
    dataset = cfg.train_dataloader.dataset
    if path.stem.startswith('oracle'):
        assert dataset.data_root == cfg.target_root
        return
    if path.stem.startswith('source-only_'):
        assert dataset.data_root == cfg.source_root
        return
    steps = [step.type for step in dataset.target.pipeline]
    assert 'LoadAnnotations' not in steps
    assert not dataset.target.get('filter_cfg')
    assert dataset.source.data_root == cfg.source_root


@pytest.mark.parametrize('path', PATHS, ids=lambda path: path.stem)
def test_boxes_have_the_convention_of_the_network(path):
    cfg = Config.fromfile(path)
    dataset = cfg.train_dataloader.dataset
    steps = [s.type for s in dataset.get('source', dataset).pipeline]
    assert ('mic_mm.InclusiveBoxes' in steps) == (PUBLISHED in path.stem)
    if PUBLISHED in path.stem:
        assert steps.index('mic_mm.InclusiveBoxes') > steps.index('RandomFlip')
    classes = cfg.val_dataloader.dataset.metainfo.classes
    detector = cfg.model.get('detector', cfg.model)
    assert detector.roi_head.bbox_head.num_classes == len(classes)


def test_methods_of_a_pair_differ_in_nothing_else():
    for network in (PUBLISHED, 'faster-rcnn-r50'):
        plain = of('source-only', network=network)
        for method in ('source-only-strong', 'self-training', 'sada',
                       'mic-sada'):
            cfg = of(method, network=network)
            assert cfg.model.detector == plain.model
            assert cfg.optim_wrapper.optimizer == plain.optim_wrapper.optimizer
            assert cfg.param_scheduler == plain.param_scheduler
            assert cfg.val_dataloader == plain.val_dataloader
