# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.models.decode_heads import FCNHead, PointHead
from mmseg.registry import MODELS as MMSEG_MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import register_all_modules

from mic_mm.seg.pixel_weights import (
    check_weightable,
    loss_heads,
    pixel_weighted,
    stack_pixel_weights,
)
from mic_mm.testing.models import tiny_segmentor

register_all_modules(init_default_scope=False)

# With its scope, whatever scope a test before has left.
CE = dict(type='mmseg.CrossEntropyLoss')


@pytest.fixture
def segmentor():
    torch.manual_seed(0)
    return MMSEG_MODELS.build(dict(tiny_segmentor(), _scope_='mmseg'))


def samples_with(labels, weights):
    samples = []
    for label, weight in zip(labels, weights):
        sample = SegDataSample()
        sample.gt_sem_seg = PixelData(data=label[None])
        if weight is not None:
            sample.loss_weight = PixelData(data=weight[None])
        samples.append(sample)
    return samples


def test_loss_of_both_heads_is_the_weighted_cross_entropy(segmentor):
    torch.manual_seed(1)
    images = torch.randn(2, 3, 32, 32)
    labels = torch.randint(0, 4, (2, 32, 32))
    labels[:, :4] = 255  # ignored, but counted in the divisor
    weights = torch.rand(2, 32, 32)
    samples = samples_with(labels, weights)
    segmentor.eval()  # batch norm must not differ between the two passes
    with pixel_weighted(segmentor, stack_pixel_weights(samples)):
        losses = segmentor.loss(images, samples)
    features = segmentor.extract_feat(images)
    expected = {}
    for name, head, scale in (('decode', segmentor.decode_head, 1.),
                              ('aux', segmentor.auxiliary_head, 0.4)):
        logits = F.interpolate(
            head(features), size=(32, 32), mode='bilinear')
        pixelwise = F.cross_entropy(
            logits, labels, ignore_index=255, reduction='none')
        expected[name] = scale * (weights * pixelwise).sum() / (2 * 32 * 32)
    parameters = [p for p in segmentor.parameters()]
    for name, value in expected.items():
        actual = losses[f'{name}.loss_ce']
        torch.testing.assert_close(actual, value, rtol=1e-5, atol=0)
        for ours, theirs in zip(
                torch.autograd.grad(
                    actual, parameters, retain_graph=True, allow_unused=True),
                torch.autograd.grad(
                    value, parameters, retain_graph=True, allow_unused=True)):
            if theirs is None:
                assert ours is None
            else:
                torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-8)


def test_heads_are_left_as_they_were_even_after_an_error(segmentor):
    with pytest.raises(RuntimeError, match='boom'):
        with pixel_weighted(segmentor, torch.ones(1, 2, 2)):
            raise RuntimeError('boom')
    assert all(head.sampler is None for head in loss_heads(segmentor))


def test_sample_without_weight_counts_fully():
    labels = torch.zeros(2, 2, 2, dtype=torch.long)
    weights = stack_pixel_weights(
        samples_with(labels, [None, torch.full((2, 2), 0.25)]))
    assert weights.tolist() == [[[1., 1.]] * 1 + [[1., 1.]],
                                [[0.25, 0.25], [0.25, 0.25]]]


def test_no_weights_mean_the_stock_loss():
    assert stack_pixel_weights(
        samples_with(torch.zeros(1, 2, 2), [None])) is None


def test_all_heads_are_found(segmentor):
    assert loss_heads(segmentor) == [
        segmentor.decode_head, segmentor.auxiliary_head
    ]


def test_head_with_a_loss_of_its_own_is_refused_by_name():
    head = PointHead(
        in_channels=[4], in_index=[0], channels=4, num_classes=3,
        loss_decode=CE)
    with pytest.raises(TypeError, match='PointHead.*supports_pixel_weights'):
        check_weightable(head)


def test_head_with_a_sampler_is_refused_with_the_remedy():
    head = FCNHead(
        in_channels=4,
        channels=4,
        num_classes=3,
        loss_decode=CE,
        sampler=dict(type='OHEMPixelSampler', _scope_='mmseg'))
    with pytest.raises(ValueError, match='OHEMPixelSampler.*Remove `sampler`'):
        check_weightable(head)


def test_head_may_declare_that_it_weights_pixels():

    class OwnLoss(PointHead):
        supports_pixel_weights = True

    check_weightable(
        OwnLoss(in_channels=[4], in_index=[0], channels=4, num_classes=3,
                loss_decode=CE))
