# Copyright (c) mic_mm authors. All rights reserved.
"""A training iteration never waits for the device.

On a GPU, reading a number of a tensor, or indexing with a mask, stops the host
until the device has caught up.
"""
import traceback

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch.utils._python_dispatch import TorchDispatchMode

from mic_mm.registry import MODELS
from mic_mm.testing.batches import cls_batch, seg_batch, without_labels
from mic_mm.testing.models import tiny_classifier, tiny_segmentor
from mic_mm.testing.models_seg_da import tiny_hrda

READS = ('aten::_local_scalar_dense', 'aten::nonzero', 'aten::masked_select', 'aten::equal')
# Images are stacked by their sizes, which lie in a tensor on the host.
OF_THE_LIBRARIES = ('mmengine/model/utils.py', )


class HostReads(TorchDispatchMode):
    """Lists where the host reads a tensor."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function._schema.name
        masked = name == 'aten::index' and any(
            i is not None and i.dtype == torch.bool for i in args[1])
        if name in READS or masked:
            frames = traceback.extract_stack()[:-1]
            if not any(frame.filename.endswith(OF_THE_LIBRARIES) for frame in frames):
                self.found.append((name, [f'{f.filename}:{f.lineno}' for f in frames[-4:]]))
        return function(*args, **(kwargs or {}))


def mic(**options):
    return dict(
        type='mic_mm.MaskedConsistency',
        mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8),
        color_aug=dict(
            type='mic_mm.ColorAugmentation', jitter_probability=1., blur_probability=1.),
        **options)


def segmentation(segmentor, **objectives):
    source = dict(
        type='mic_mm.SegSourceSupervision',
        keep_logits=True,
        feature_distance=dict(type='mic_mm.FeatureDistance', classes=(0, 1)))
    model = MODELS.build(
        dict(
            type='mic_mm.UDASegmentor',
            segmentor=segmentor,
            teacher=dict(type='mic_mm.EMATeacher'),
            objectives=dict(source=source, **objectives, mic=mic())))
    return model, seg_batch


def daformer():
    mix = dict(
        type='mic_mm.ClassMixSelfTraining',
        color_aug=dict(
            type='mic_mm.ColorAugmentation',
            share='sample',
            jitter_probability=1.,
            blur_probability=1.))
    return segmentation(tiny_segmentor(), self_training=mix)


def adversarial():
    alignment = dict(type='mic_mm.OutputSpaceAlignment', discriminator=dict(channels=2))
    entropy = dict(type='mic_mm.EntropyMinimization')
    return segmentation(tiny_segmentor(), adversarial=alignment, entropy=entropy)


def hrda():
    model, _ = segmentation(tiny_hrda(hr_crop_size=64))
    return model, lambda seed: seg_batch(seed, size=128)


def sdat():
    model = MODELS.build(
        dict(
            type='mic_mm.UDAClassifier',
            classifier=tiny_classifier(),
            labeller=dict(type='mic_mm.ClassLabeller', weight='prob'),
            teacher=dict(type='mic_mm.EMATeacher'),
            objectives=dict(
                joint=dict(
                    type='mic_mm.JointSupervision',
                    terms=dict(mcc=dict(type='mic_mm.MinimumClassConfusion'))),
                mic=mic())))
    return model, cls_batch


def optimizer_of(model, kind='OptimWrapper'):
    return build_optim_wrapper(
        model,
        dict(
            type=kind,
            constructor='mic_mm.UDAOptimWrapperConstructor',
            optimizer=dict(type='SGD', lr=0.01, momentum=0.9)))


KINDS = pytest.mark.parametrize(
    'make, kind', [(daformer, 'OptimWrapper'), (adversarial, 'OptimWrapper'),
                   (hrda, 'OptimWrapper'), (sdat, 'mic_mm.SAMOptimWrapper')])


@KINDS
def test_iteration_reads_nothing_from_the_device(make, kind):
    model, batch = make()
    model.train()
    optimizer = optimizer_of(model, kind)
    for iteration in range(2):  # the first copies teacher and frozen network
        pair = dict(source=batch(iteration), target=without_labels(batch(10 + iteration)))
        with HostReads() as reads:
            model.update_teachers()
            model.train_step(pair, optimizer)
    assert reads.found == []


@pytest.mark.parametrize(
    'read', [lambda x: x.sum().item(), lambda x: x[x > 0], lambda x: x.nonzero()])
def test_reads_are_noticed(read):
    with HostReads() as reads:
        read(torch.ones(3))
    assert len(reads.found) == 1
