# Copyright (c) mic_mm authors. All rights reserved.
"""Runs of tools/train.py, exported and used by their libraries."""
import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmseg.apis import inference_model, init_model
from PIL import Image

from mic_mm.registry import MODELS
from mic_mm.testing.models import tiny_one_stage_detector
from mic_mm.testing.models_seg_da import tiny_daformer, tiny_dlv2, tiny_hrda

TOOL = 'model_converters/to_plain.py'
CLASSES = ('a', 'b', 'c', 'd')


def uda(segmentor):
    return dict(
        type='mic_mm.UDASegmentor',
        segmentor=segmentor,
        teacher=dict(type='mic_mm.EMATeacher', alpha=0.9),
        objectives=dict(
            source=dict(type='mic_mm.SourceSupervision'),
            mic=dict(
                type='mic_mm.MaskedConsistency',
                mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8))))


@pytest.fixture
def street(tmp_path):
    """A folder with three images, and labels of four classes."""
    rng = np.random.default_rng(0)
    for folder, shape, high in (('images', (64, 64, 3), 256),
                                ('labels', (64, 64), 4)):
        (tmp_path / folder).mkdir()
        for index in range(3):
            pixels = rng.integers(0, high, shape, dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / folder / f'{index}.png')
    return tmp_path


def seg_config(segmentor, street, validated=False):
    dataset = dict(
        type='BaseSegDataset',
        data_root=str(street),
        data_prefix=dict(img_path='images', seg_map_path='labels'),
        img_suffix='.png',
        metainfo=dict(classes=CLASSES, palette=[[0, 0, i] for i in range(4)]),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='PackSegInputs')
        ])
    path = street / f'config_{street.name}.py'
    evaluated = dict(
        batch_size=1,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dataset)
    metric = dict(type='IoUMetric', iou_metrics=['mIoU'])
    validation = dict(
        val_dataloader=evaluated, val_evaluator=metric, val_cfg=dict())
    Config(
        dict(
            **(validation if validated else {}),
            default_scope='mmseg',
            model=uda(segmentor),
            train_dataloader=dict(
                batch_size=2,
                num_workers=0,
                sampler=dict(type='mic_mm.DomainPairSampler'),
                dataset=dict(
                    type='mic_mm.DomainPairDataset',
                    source=dataset,
                    target=dict(
                        dataset,
                        data_prefix=dict(img_path='images'),
                        pipeline=[
                            dict(type='LoadImageFromFile'),
                            dict(type='PackSegInputs')
                        ]))),
            test_dataloader=evaluated,
            test_evaluator=metric,
            test_cfg=dict(type='TestLoop'),
            train_cfg=dict(
                type='IterBasedTrainLoop', max_iters=2, val_interval=2),
            optim_wrapper=dict(
                constructor='mic_mm.UDAOptimWrapperConstructor',
                optimizer=dict(type='SGD', lr=0.01)),
            default_hooks=dict(
                checkpoint=dict(
                    type='CheckpointHook',
                    by_epoch=False,
                    interval=1,
                    save_best='mIoU' if validated else None),
                ema_teacher=dict(type='mic_mm.EMATeacherHook'),
                random_streams=dict(type='mic_mm.RandomStreamsHook')),
            log_processor=dict(by_epoch=False),
            randomness=dict(seed=0))).dump(path)
    return path


def trained(config):
    """The wrapper of a config with the weights of its run."""
    cfg = Config.fromfile(config)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(cfg.model)
    state = torch.load(
        config.parent / 'run' / 'iter_2.pth', weights_only=False)
    model.load_state_dict(state['state_dict'])
    return model.eval()


@pytest.mark.parametrize('segmentor, branch', [(tiny_daformer, 'student'),
                                               (tiny_dlv2, 'teacher'),
                                               (tiny_hrda, 'student')])
def test_trained_segmentor_works_in_mmseg(segmentor, branch, street,
                                          run_tool):
    config = seg_config(segmentor(), street)
    config = config.rename(config.with_name('mic.v2.py'))
    run_tool('train.py', config, '--work-dir', street / 'run')
    run_tool(TOOL, config, street / 'run' / 'iter_2.pth',
             street / 'plain', '--branch', branch)
    plain = street / 'plain' / config.name
    text = plain.read_text()
    for trace in ('EMATeacher', 'objectives', 'DomainPair', 'optim_wrapper',
                  'UDA'):
        assert trace not in text
    assert Config.fromfile(plain).custom_imports.imports == ['mic_mm']
    weights = plain.with_suffix('.pth')
    saved = torch.load(weights, weights_only=True)
    assert saved['meta']['dataset_meta']['classes'] == CLASSES
    model = init_model(str(plain), str(weights), device='cpu')
    assert type(model).__name__.endswith('EncoderDecoder')
    assert model.dataset_meta['classes'] == CLASSES
    image = str(street / 'images' / '0.png')
    result = inference_model(model, image)
    wrapper = trained(config)
    network = (
        wrapper.student if branch == 'student' else wrapper.teacher.model)
    pixels = np.array(Image.open(image))[..., ::-1].copy()
    data = network.data_preprocessor(
        dict(inputs=[torch.from_numpy(pixels).permute(2, 0, 1)]))
    with torch.no_grad():
        expected, = network.predict(data['inputs'])
    torch.testing.assert_close(result.seg_logits.data,
                               expected.seg_logits.data)


def test_the_best_segmentor_is_evaluated_by_the_same_config(street, run_tool):
    config = seg_config(tiny_daformer(), street, validated=True)
    run_tool('train.py', config, '--work-dir', street / 'run')
    run_tool(TOOL, config, street / 'run' / 'best_mIoU_iter_2.pth',
             street / 'plain')
    plain = street / 'plain' / config.name
    run_tool('test.py', plain, plain.with_suffix('.pth'), '--work-dir',
             street / 'test')
    scores = json.loads(
        next((street / 'test').glob('*/*.json')).read_text())
    assert scores['mIoU'] > 0


def test_published_classifier_works_in_mmpretrain(config, run_tool, tmp_path):
    from mmpretrain.apis import get_model
    run_tool('train.py', config, '--work-dir', tmp_path / 'run')
    run_tool('misc/publish_model.py', tmp_path / 'run' / 'iter_2.pth',
             tmp_path / 'published.pth')
    run_tool(TOOL, config, next(tmp_path.glob('published-*.pth')),
             tmp_path / 'plain')
    plain = tmp_path / 'plain' / config.name
    assert 'mic_mm' not in plain.read_text()
    model = get_model(str(plain), str(plain.with_suffix('.pth')), device='cpu')
    images = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(
            model.eval()(images), trained(config).student(images))


def test_trained_detector_works_in_mmdet(run_tool, tmp_path):
    from mmdet.apis import init_detector
    path = tmp_path / 'detector.py'
    Config(
        dict(
            default_scope='mmdet',
            model=dict(
                type='mic_mm.UDADetector',
                detector=tiny_one_stage_detector(),
                teacher=dict(type='mic_mm.EMATeacher'),
                objectives=dict(source=dict(type='mic_mm.SourceSupervision'))),
            test_dataloader=dict(
                dataset=dict(
                    type='CocoDataset', metainfo=dict(classes=CLASSES))))
    ).dump(path)
    with DefaultScope.overwrite_default_scope('mmdet'):
        wrapper = MODELS.build(Config.fromfile(path).model)
    torch.save({'state_dict': wrapper.state_dict()}, tmp_path / 'run.pth')
    run_tool(TOOL, path, tmp_path / 'run.pth',
             tmp_path / 'plain', '--branch', 'teacher')
    plain = tmp_path / 'plain' / path.name
    assert 'mic_mm' not in plain.read_text()
    detector = init_detector(
        str(plain), str(plain.with_suffix('.pth')), device='cpu')
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = wrapper.eval().teacher.model(images)
        torch.testing.assert_close(detector(images), expected)


def test_export_of_a_plain_checkpoint_is_refused(config, run_tool, tmp_path,
                                                 capsys):
    torch.save({'state_dict': {'backbone.a': torch.zeros(1)}},
               tmp_path / 'a.pth')
    with pytest.raises(SystemExit) as stopped:
        run_tool(TOOL, config, tmp_path / 'a.pth', tmp_path / 'out')
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert 'has no student' in message and 'backbone.a' in message
    assert not (tmp_path / 'out').exists()
