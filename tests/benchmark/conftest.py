# Copyright (c) mic_mm authors. All rights reserved.
"""Small models with batches, as workloads."""
import pytest
from mmengine.optim import build_optim_wrapper

from mic_mm.benchmark import Workload
from mic_mm.registry import MODELS
from mic_mm.testing.batches import cls_batch, seg_batch, without_labels
from mic_mm.testing.models import tiny_classifier, tiny_segmentor
from mic_mm.testing.models_seg_da import tiny_hrda

MASK = dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8)
COLOR = dict(type='mic_mm.ColorAugmentation', jitter_probability=1., blur_probability=1.)


def workload(model, source, target, kind='OptimWrapper', lr=0.):
    """``lr=0`` keeps the weights, so that passes can be run again."""
    model = MODELS.build(model).train()
    optim_wrapper = build_optim_wrapper(
        model,
        dict(
            type=kind,
            constructor='mic_mm.UDAOptimWrapperConstructor',
            optimizer=dict(type='SGD', lr=lr)))
    data = dict(source=source, target=without_labels(target))
    return Workload(model, optim_wrapper, data, (32, 32), len(source['inputs']))


def segmentation(segmentor, size, **source):
    mic = dict(type='mic_mm.MaskedConsistency', mask=MASK, color_aug=COLOR, pseudo_threshold=0.)
    mix = dict(
        type='mic_mm.ClassMixSelfTraining',
        pseudo_threshold=0.,
        color_aug=dict(COLOR, share='sample'))
    return workload(
        dict(
            type='mic_mm.UDASegmentor',
            segmentor=segmentor,
            teacher=dict(type='mic_mm.EMATeacher'),
            objectives=dict(
                source=dict(type='mic_mm.SegSourceSupervision', **source),
                self_training=mix,
                mic=mic)), seg_batch(0, size=size), seg_batch(1, size=size))


DISTANCE = dict(type='mic_mm.FeatureDistance', classes=(0, 1), min_ratio=0.01)


@pytest.fixture
def daformer():
    return segmentation(tiny_segmentor(), 32, feature_distance=DISTANCE)


@pytest.fixture
def dacs():
    return segmentation(tiny_segmentor(), 32)


@pytest.fixture
def hrda():
    return segmentation(tiny_hrda(hr_crop_size=64), 128, feature_distance=DISTANCE)


@pytest.fixture
def sdat():
    joint = dict(
        type='mic_mm.JointSupervision',
        terms=dict(
            cdan=dict(type='mic_mm.ConditionalAdversarial', num_classes=4, feature_dim=8)))
    return workload(
        dict(
            type='mic_mm.UDAClassifier',
            classifier=tiny_classifier(),
            teacher=dict(type='mic_mm.EMATeacher'),
            objectives=dict(
                joint=joint,
                mic=dict(type='mic_mm.MaskedConsistency', mask=MASK, color_aug=COLOR))),
        cls_batch(0), cls_batch(1), 'mic_mm.SAMOptimWrapper')
