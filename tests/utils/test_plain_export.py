# Copyright (c) mic_mm authors. All rights reserved.
"""Exported models of all hosts: equal, trainable, and without mic_mm."""
import copy
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope

import mic_mm  # noqa: F401
from mic_mm.registry import MODELS
from mic_mm.testing.batches import cls_batch, det_batch, seg_batch, without_labels
from mic_mm.testing.models import (
    tiny_classifier,
    tiny_detector,
    tiny_one_stage_detector,
    tiny_segmentor,
)
from mic_mm.testing.models_det import tiny_dino, tiny_retinanet
from mic_mm.testing.models_seg_da import tiny_daformer, tiny_dlv2, tiny_hrda
from mic_mm.testing.original_detector import published_detector
from mic_mm.utils.checkpoint_file import save_weights
from mic_mm.utils.plain_export import build_plain, plain_config, plain_weights
from mic_mm.utils.stock_types import is_own, values
from mic_mm.utils.strict_loading import load_strictly

ROOT = Path(__file__).resolve().parents[2]
SOURCE = dict(type='mic_mm.SourceSupervision')
MIC = dict(
    type='mic_mm.MaskedConsistency',
    mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8))


def tiny_vit():
    return dict(
        type='ImageClassifier',
        data_preprocessor=dict(type='ClsDataPreprocessor'),
        backbone=dict(
            type='VisionTransformer',
            arch=dict(
                embed_dims=16,
                num_layers=1,
                num_heads=2,
                feedforward_channels=32),
            img_size=32,
            patch_size=16),
        head=dict(
            type='LinearClsHead', num_classes=4, in_channels=16))


def tiny_sada():
    model = published_detector()
    model.backbone.update(
        depth=18, base_channels=8, stem_channels=8, init_cfg=None)
    model.neck.update(in_channels=[8, 16, 32, 64], out_channels=8)
    model.rpn_head.update(in_channels=8, feat_channels=8)
    model.roi_head.bbox_roi_extractor.out_channels = 8
    model.roi_head.bbox_head.update(
        in_channels=8, fc_out_channels=12, num_classes=4)
    return model


DAFORMER = dict(
    source=SOURCE, self_training=dict(type='mic_mm.ClassMixSelfTraining'))
ADVSEG = dict(
    source=dict(type='mic_mm.SegSourceSupervision', keep_logits=True),
    alignment=dict(
        type='mic_mm.OutputSpaceAlignment', discriminator=dict(channels=4)))


def cdan(feature_dim):
    return dict(
        joint=dict(
            type='mic_mm.JointSupervision',
            terms=dict(
                cdan=dict(
                    type='mic_mm.ConditionalAdversarial',
                    num_classes=4,
                    feature_dim=feature_dim),
                mcc=dict(type='mic_mm.MinimumClassConfusion'))))


SADA = dict(
    joint=dict(
        type='mic_mm.DomainAdversarialDetection',
        image_head=dict(gradient_scale=0.1)))
HOSTS = {
    'daformer': ('seg', tiny_daformer, DAFORMER),
    'hrda': ('seg', tiny_hrda, DAFORMER),
    'dlv2-advseg': ('seg', tiny_dlv2, ADVSEG),
    'segmentor': ('seg', tiny_segmentor, dict(source=SOURCE)),
    'resnet-cdan-mcc': ('cls', tiny_classifier, cdan(8)),
    'vit-cdan-mcc': ('cls', tiny_vit, cdan(16)),
    'faster-rcnn': ('det', tiny_detector, dict(source=SOURCE)),
    'sada': ('det', tiny_sada, SADA),
    'retinanet': ('det', tiny_retinanet, dict(source=SOURCE)),
    'fcos': ('det', tiny_one_stage_detector, dict(source=SOURCE)),
    'dino': ('det', tiny_dino, dict(source=SOURCE)),
}
TASKS = {
    'seg': ('mmseg', 'UDASegmentor', 'segmentor',
            lambda seed: seg_batch(seed, size=64)),
    'cls': ('mmpretrain', 'UDAClassifier', 'classifier', cls_batch),
    'det': ('mmdet', 'UDADetector', 'detector', det_batch),
}
DATA = {
    'seg': ('BaseSegDataset', 'IoUMetric'),
    'cls': ('CustomDataset', 'Accuracy'),
    'det': ('CocoDataset', 'CocoMetric'),
}


def wrapped(host):
    """Config and model of a run whose two branches are different."""
    task, student, objectives = HOSTS[host]
    scope, kind, key, _ = TASKS[task]
    cfg = Config(
        dict(
            default_scope=scope,
            model=dict(
                type=f'mic_mm.{kind}',
                teacher=dict(type='mic_mm.EMATeacher'),
                objectives=dict(objectives, mic=MIC),
                **{key: student()})))
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope(scope):
        model = MODELS.build(cfg.model)
    model.update_teachers()
    for parameter in model.student.parameters():
        parameter.data.mul_(1.1)
    return cfg, model.eval()


def predicted(model, batch):
    """Tensors of a prediction by the library's own test step."""
    batch = without_labels(batch)
    with torch.no_grad():
        samples = model.test_step(batch)
    if hasattr(samples[0], 'pred_instances'):
        return [s.pred_instances.scores for s in samples
                ] + [s.pred_instances.bboxes for s in samples]
    if hasattr(samples[0], 'seg_logits'):
        return [s.seg_logits.data for s in samples]
    return [s.pred_score for s in samples]


@pytest.mark.parametrize('branch', ['student', 'teacher'])
@pytest.mark.parametrize('host', HOSTS)
def test_every_host_predicts_the_same(host, branch):
    cfg, model = wrapped(host)
    before = cfg.pretty_text
    plain = plain_config(cfg)
    assert cfg.pretty_text == before
    assert not {'teacher', 'objectives', 'predict_on'} & set(plain.model)
    needs_mic_mm = any(map(is_own, values(plain.model.to_dict())))
    assert ('custom_imports' in plain) == needs_mic_mm
    exported = build_plain(plain)
    weights = plain_weights(model.state_dict(), branch)
    load_strictly(exported, weights)
    model.predict_on = branch
    batch = TASKS[HOSTS[host][0]][3]
    expected = predicted(model, batch(3))
    for found, value in zip(predicted(exported.eval(), batch(3)), expected):
        torch.testing.assert_close(found, value)


@pytest.mark.parametrize('host', HOSTS)
def test_every_host_trains_on_in_its_library(host):
    cfg, model = wrapped(host)
    exported = build_plain(plain_config(cfg)).train()
    load_strictly(exported, plain_weights(model.state_dict()))
    before = [p.detach().clone() for p in exported.parameters()]
    wrapper = OptimWrapper(torch.optim.SGD(exported.parameters(), lr=1e-3))
    logs = exported.train_step(TASKS[HOSTS[host][0]][3](0), wrapper)
    assert torch.isfinite(logs['loss'])
    assert any(not torch.equal(old, new)
               for old, new in zip(before, exported.parameters()))


@pytest.mark.parametrize('config, data, metric', [
    ('det/cityscapes2foggy/mic-sada_faster-rcnn-r50_1xb1-60k_cityscapes_'
     'foggy-cityscapes', 'CocoDataset', 'CocoMetric'),
    ('cls/visda/mic-sdat_vit-b16_1xb32-15k_visda2017', 'CustomDataset',
     'Accuracy'),
    ('seg/digits/mic_tiny-unet_1xb8-1k_optdigits_mnist5k', 'BaseSegDataset',
     'IoUMetric'),
])
def test_networks_of_a_library_need_no_mic_mm(config, data, metric):
    cfg = Config.fromfile(ROOT / f'configs/{config}.py')
    plain = plain_config(cfg)
    assert 'mic_mm' not in plain.pretty_text
    assert plain.test_dataloader.dataset.type == data
    assert plain.test_evaluator.type == metric
    if data == 'CustomDataset':
        assert plain.test_dataloader.dataset.metainfo.classes[:2] == (
            'aeroplane', 'bicycle')
    assert plain.visualizer.type != 'Visualizer'


def test_the_config_is_left_alone():
    cfg = Config(
        dict(
            data_preprocessor=dict(type='SegDataPreProcessor', size=(8, 8)),
            model=dict(type='mic_mm.UDASegmentor', segmentor=tiny_segmentor())))
    cfg.model.segmentor.pop('data_preprocessor')
    before = copy.deepcopy(cfg.to_dict())
    assert plain_config(cfg).model.data_preprocessor.size == (8, 8)
    assert cfg.to_dict() == before


def test_class_folders_keep_their_order():
    # MMPretrain numbers folders by the alphabet, mic_mm by `classes`.
    cfg, _ = wrapped('vit-cdan-mcc')
    cfg.test_dataloader = dict(
        dataset=dict(type='mic_mm.OfficeHome', data_root='x', pipeline=[]))
    plain = plain_config(cfg)
    assert plain.test_dataloader.dataset.type == 'mic_mm.OfficeHome'
    assert plain.custom_imports.imports == ['mic_mm']


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
    assert not [name for name in sys.modules if name.startswith('mic_mm')]
'''


def test_plain_models_run_where_mic_mm_cannot_be_imported(tmp_path):
    images = torch.randn(1, 3, 32, 32)
    torch.save(images, tmp_path / 'images.pt')
    expected = {}
    for name, host in dict(
            seg='segmentor', cls='vit-cdan-mcc', det='fcos').items():
        cfg, model = wrapped(host)
        kind, metric = DATA[name]
        cfg.test_dataloader = dict(
            dataset=dict(
                type=kind,
                metainfo=dict(classes=('a', 'b', 'c', 'd')),
                pipeline=[]))
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
