# Copyright (c) mic_mm authors. All rights reserved.
"""The loss without reads of the device is that of MMSegmentation."""
import mmseg
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mic_mm.benchmark import as_in_library
from mic_mm.core import LabelledImages
from mic_mm.registry import MODELS
from mic_mm.seg.pixel_loss import head_loss, losses_on_device, pixel_accuracy
from mic_mm.seg.pixel_weights import PixelWeights, sampling
from mic_mm.testing.batches import seg_batch
from mic_mm.testing.models import tiny_segmentor
from mic_mm.testing.models_seg_da import tiny_hrda

CE = dict(type='mmseg.CrossEntropyLoss')


def head(loss=CE, **options):
    return MODELS.build(
        dict(
            type='mmseg.FCNHead',
            in_channels=4,
            channels=4,
            num_convs=0,
            concat_input=False,
            num_classes=5,
            loss_decode=loss,
            **options))


def segmentor(*heads):
    module = torch.nn.Module()
    module.decode_head = torch.nn.ModuleList(heads)
    return module


def batch(ignored=0.3):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 5, 4, 4, generator=generator, requires_grad=True)
    labels = torch.randint(0, 5, (2, 1, 16, 16), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < ignored] = 255
    return logits, [SegDataSample(gt_sem_seg=PixelData(data=label)) for label in labels]


@pytest.mark.parametrize('loss', [
    CE, [dict(CE, loss_name='loss_a'), dict(CE, loss_name='loss_a', loss_weight=2.),
         dict(CE, loss_name='loss_b', class_weight=[1, 2, 1, 1, 1])]
])
@pytest.mark.parametrize('weighted', [True, False])
@pytest.mark.parametrize('ignored', [0., 0.3, 1.])
def test_losses_and_gradients_equal_the_library(loss, weighted, ignored):
    if ignored and not isinstance(loss, dict) and mmseg.__version__ == '1.2.2':
        pytest.skip('class_weight and ignored pixels are an IndexError in MMSegmentation 1.2.2')
    module = head(loss, align_corners=True)
    logits, samples = batch(ignored)
    weights = PixelWeights(torch.rand(2, 16, 16)) if weighted else None
    with sampling(module, weights):
        ours, theirs = head_loss(module, logits, samples), module.loss_by_feat(logits, samples)
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        if name == 'acc_seg':
            torch.testing.assert_close(ours[name], value, rtol=1e-6, atol=1e-4)
            continue
        assert torch.equal(ours[name], value)
        gradient, = torch.autograd.grad(ours[name].sum(), logits, retain_graph=True)
        expected, = torch.autograd.grad(value.sum(), logits, retain_graph=True)
        assert torch.equal(gradient, expected)


def test_heads_are_given_back():
    stock, own = head(), head()
    own.loss_by_feat = own.loss_by_feat
    with losses_on_device(segmentor(stock, own)):
        assert 'loss_by_feat' in vars(stock)
    assert 'loss_by_feat' not in vars(stock)
    assert 'loss_by_feat' in vars(own)


def test_a_head_with_a_loss_of_its_own_computes_it():
    module = MODELS.build(
        dict(type='mmseg.PointHead', in_channels=[4], in_index=[0], channels=4, num_classes=5))
    module.loss_by_feat = lambda logits, samples: 'own'
    assert head_loss(module, None, None) == 'own'
    with losses_on_device(segmentor(module)):
        assert module.loss_by_feat(None, None) == 'own'


def test_accuracy_is_that_of_pixels_with_a_class():
    logits = torch.tensor([[[[2., 0., 1.]], [[1., 3., 0.]]]])  # predicts 0 1 0
    labels = torch.tensor([[[0, 0, 255]]])
    torch.testing.assert_close(pixel_accuracy(logits, labels, 255), torch.tensor([50.]))


@pytest.mark.parametrize('make', [tiny_segmentor, lambda: tiny_hrda(hr_crop_size=64)])
def test_segmentor_has_losses_of_the_library_for_comparison(make, monkeypatch):
    from mmseg.models.decode_heads import decode_head
    model = MODELS.build(
        dict(
            type='mic_mm.UDASegmentor',
            segmentor=make(),
            objectives=dict(source=dict(type='mic_mm.SourceSupervision'))))
    calls = []
    monkeypatch.setattr(decode_head, 'accuracy',
                        lambda *args, **kwargs: calls.append(1) or torch.zeros(1))
    data = model.data_preprocessor(seg_batch(0, size=128), True)
    images = LabelledImages(data['inputs'], data['data_samples'])
    ours = model.weighted_loss(model.student, images)
    assert not calls
    with as_in_library(model):
        theirs = model.weighted_loss(model.student, images)
    assert len(calls) == 2  # decode and auxiliary head, or both scales
    assert ours.keys() == theirs.keys()
    model.weighted_loss(model.student, images)
    assert len(calls) == 2
