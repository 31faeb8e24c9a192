# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mic_mm.registry import MODELS
from mic_mm.seg.checkpoints.original_config import convert_head
from mic_mm.seg.pixel_weights import PixelWeights, check_weightable, sampling
from mic_mm.testing.golden import load_golden
from mic_mm.testing.models_seg_da import load_golden_weights, original_arrays

NORM = dict(type='BN', requires_grad=True)


def build_head(cfg):
    with DefaultScope.overwrite_default_scope('mmseg'):
        return MODELS.build(cfg)


def features(case):
    names = sorted(case.names('feature*'))
    return [torch.from_numpy(case[name]).requires_grad_() for name in names]


def samples(labels):
    return [
        SegDataSample(gt_sem_seg=PixelData(data=label)) for label in labels
    ]


def losses_with(head, logits, labels, weights):
    sampler = None if weights is None else PixelWeights(weights)
    with sampling(head, sampler):
        return head.loss_by_feat(logits, samples(labels))


def original_accuracy(accuracy, labels, ignore_index):
    """The original divides by all pixels, MMSegmentation by valid ones."""
    return accuracy * (labels != ignore_index).float().mean()


def check_recorded_head(case):
    head = build_head(convert_head(case.config))
    load_golden_weights(head, case)
    check_weightable(head)
    labels = torch.from_numpy(case['label']).long()
    weights = torch.from_numpy(case['pixel_weight'])
    logits = head.eval()(features(case))
    case.assert_within('logits_eval', logits)
    for name, weight in (('weighted', weights), ('unweighted', None),
                         ('zero', torch.zeros_like(weights))):
        losses = losses_with(head, logits, labels, weight)
        case.assert_within(f'loss_eval_{name}', losses['loss_ce'])
        case.assert_within(
            f'acc_eval_{name}',
            original_accuracy(losses['acc_seg'], labels,
                              head.ignore_index).reshape(1))
    _check_training(case, head.train(), labels, weights)


def _check_training(case, head, labels, weights):
    inputs = features(case)
    logits = head(inputs)
    case.assert_within('logits_train', logits)
    loss = losses_with(head, logits, labels, weights)['loss_ce']
    case.assert_within('loss_train_weighted', loss)
    loss.backward()
    gradients = {name: p.grad for name, p in head.named_parameters()}
    assert set(gradients) == set(original_arrays(case, 'grad/'))
    for name, gradient in gradients.items():
        case.assert_within(f'grad/{name}', gradient)
    for name in case.names('grad_feat*'):
        index = int(name.removeprefix('grad_feat'))
        case.assert_within(name, inputs[index].grad)
    buffers = dict(head.named_buffers())
    for name in case.names('bn_after/*'):
        case.assert_within(name, buffers[name.removeprefix('bn_after/')])


@pytest.mark.golden
@pytest.mark.parametrize('identifier',
                         ['case09_daformer_head', 'case09_dlv2_head'])
def test_head_equals_the_original__seg_case09(identifier):
    check_recorded_head(load_golden('seg', identifier))


def daformer(**options):
    return build_head(
        dict(
            type='mic_mm.DAFormerHead',
            in_channels=[4, 6],
            in_index=[0, 2],
            channels=8,
            num_classes=3,
            norm_cfg=NORM,
            **options))


def stages():
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randn(2, channels, side, side, generator=generator)
        for channels, side in ((4, 16), (5, 9), (6, 8))
    ]


@pytest.mark.parametrize('options', [
    dict(),
    dict(embed_channels=5),
    dict(fusion=dict(type='mic_mm.ConvFusion')),
    dict(fusion=dict(type='mic_mm.ASPPFusion', separable=False)),
    dict(fusion=dict(type='mic_mm.ASPPFusion', pool=True)),
    dict(fusion=dict(type='mic_mm.ISAFusion', isa_channels=4)),
    dict(
        neck=dict(type='mic_mm.ASPPFusion'),
        fusion=dict(type='mic_mm.ConvFusion')),
])
def test_every_fusion_trains_all_its_parameters(options):
    head = daformer(dropout_ratio=0., **options)
    logits = head(stages())
    assert logits.shape == (2, 3, 16, 16)
    logits.square().mean().backward()
    unused = [n for n, p in head.named_parameters() if p.grad is None]
    assert unused == []


def test_linear_embedding_is_a_pointwise_convolution():
    layer = MODELS.build(
        dict(type='mic_mm.LinearEmbedding', in_channels=4, channels=3))
    maps = torch.randn(2, 4, 5, 6)
    expected = torch.nn.functional.conv2d(
        maps, layer.proj.weight[..., None, None], layer.proj.bias)
    torch.testing.assert_close(layer(maps), expected)


def test_names_of_the_neck_and_the_pooled_branch_are_the_originals():
    head = daformer(
        neck=dict(type='mic_mm.ASPPFusion', separable=False),
        fusion=dict(type='mic_mm.ASPPFusion', pool=True))
    names = dict(head.named_parameters())
    assert 'embed_layers.1.aspp_modules.0.conv.weight' in names
    assert 'fuse_layer.image_pool.1.conv.weight' in names
    assert 'fuse_layer.bottleneck.bn.weight' in names


def test_dlv2_starts_small():
    head = build_head(
        dict(type='mic_mm.DLV2Head', in_channels=64, num_classes=20))
    head.init_weights()
    weights = torch.cat([m.conv.weight.flatten() for m in head.aspp_modules])
    assert weights.std().item() == pytest.approx(0.01, rel=0.05)
    assert [m.conv.dilation[0] for m in head.aspp_modules] == [6, 12]
