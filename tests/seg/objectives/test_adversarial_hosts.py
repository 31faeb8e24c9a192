# Copyright (c) mic_mm authors. All rights reserved.
import math

import pytest
import torch
import torch.nn.functional as F

from mic_mm.registry import MODELS
from mic_mm.seg.objectives import OutputSpaceAlignment, PixelDiscriminator
from mic_mm.seg.objectives.entropy_minimization import mean_entropy
from mic_mm.testing.batches import seg_batch, without_labels
from mic_mm.testing.models import tiny_segmentor

ALIGNMENT = dict(
    type='mic_mm.OutputSpaceAlignment', discriminator=dict(channels=4))


def build(source=None, **objectives):
    torch.manual_seed(0)
    source = source or dict(
        type='mic_mm.SegSourceSupervision', keep_logits=True)
    return MODELS.build(
        dict(
            type='mic_mm.UDASegmentor',
            segmentor=tiny_segmentor(),
            objectives=dict(source=source, **objectives))).train()


def pair():
    return dict(
        source=seg_batch(0), target=without_labels(seg_batch(1)))


def losses_of(model):
    data = model.data_preprocessor(pair(), True)
    return model(**data, mode='loss'), data


def test_uniform_prediction_has_the_largest_entropy():
    assert mean_entropy(torch.zeros(1, 4, 2, 2)).item() == pytest.approx(1)


def test_entropy_is_the_mean_over_pixels():
    logits = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    p = logits.softmax(1)
    expected = sum(
        -q * math.log(q) / math.log(3) for q in p.flatten().tolist()) / 40
    assert mean_entropy(logits).item() == pytest.approx(expected, rel=1e-5)


def test_entropy_of_a_certain_prediction_has_a_finite_gradient():
    logits = torch.tensor([1000., 0., 0.]).view(1, 3, 1, 1).requires_grad_()
    mean_entropy(logits).backward()
    assert logits.grad.isfinite().all()


def test_entropy_reaches_the_student_with_its_weight():
    model = build(entropy=dict(type='mic_mm.EntropyMinimization'))
    losses, data = losses_of(model)
    logits = model.student(data['target']['inputs'], mode='tensor')
    logits = F.interpolate(
        logits, data['target']['inputs'].shape[2:], mode='bilinear')
    torch.testing.assert_close(losses['entropy.loss_entropy'],
                               1e-3 * mean_entropy(logits))


@pytest.mark.parametrize('head, error, match', [
    (dict(sampler=dict(type='OHEMPixelSampler', thresh=0.7, min_kept=10)),
     ValueError, 'keep_logits=True.*OHEMPixelSampler'),
    (dict(type='PointHead', in_channels=[8], in_index=[1], num_fcs=1),
     TypeError, 'keep_logits=True.*PointHead'),
])
def test_heads_that_show_no_logits_are_refused(head, error, match):
    segmentor = tiny_segmentor()
    segmentor['decode_head'].update(head)
    if 'type' in head:
        del segmentor['decode_head']['num_convs']
    with pytest.raises(error, match=match):
        MODELS.build(
            dict(
                type='mic_mm.UDASegmentor',
                segmentor=segmentor,
                objectives=dict(
                    source=dict(
                        type='mic_mm.SegSourceSupervision',
                        keep_logits=True),
                    adversarial=ALIGNMENT)))


@pytest.mark.parametrize('criterion', ['least_squares', 'vanilla'])
def test_each_side_trains_only_its_network(criterion):
    model = build(adversarial=dict(ALIGNMENT, criterion=criterion))
    losses, _ = losses_of(model)
    discriminator = list(
        model.objectives['adversarial'].discriminator.parameters())
    student = list(model.student.parameters())
    for name, reaches_student in (('loss_student', True),
                                  ('loss_discriminator_source', False),
                                  ('loss_discriminator_target', False)):
        grads = torch.autograd.grad(
            losses[f'adversarial.{name}'], student + discriminator,
            allow_unused=True, retain_graph=True)
        of_student = grads[:len(student)]
        of_discriminator = grads[len(student):]
        assert any(g is not None and g.any() for g in of_student) == reaches_student
        assert all(g is None for g in of_discriminator) == reaches_student


@pytest.mark.parametrize('criterion', ['least_squares', 'vanilla'])
def test_losses_follow_the_formula(criterion):
    model = build(
        adversarial=dict(ALIGNMENT, criterion=criterion, student_weight=0.1))
    losses, data = losses_of(model)

    def judge(images):
        logits = model.student(images, mode='tensor')
        logits = F.interpolate(logits, images.shape[2:], mode='bilinear')
        return model.objectives['adversarial'].discriminator(logits.softmax(1))

    def mean_loss(judgement, label):
        if criterion == 'least_squares':
            return ((judgement - label)**2).mean()
        probability = judgement.sigmoid()
        return -(probability if label else 1 - probability).log().mean()

    source = judge(data['source']['inputs'])
    target = judge(data['target']['inputs'])
    expected = dict(
        loss_student=0.1 * mean_loss(target, 0),
        loss_discriminator_source=mean_loss(source, 0) / 2,
        loss_discriminator_target=mean_loss(target, 1) / 2)
    for name, value in expected.items():
        torch.testing.assert_close(losses[f'adversarial.{name}'], value)


def test_kept_logits_cost_no_second_pass():
    model = build(adversarial=dict(ALIGNMENT))
    calls = []
    model.student.backbone.register_forward_hook(lambda *_: calls.append(1))
    losses_of(model)
    assert len(calls) == 2


def test_missing_source_logits_are_an_error_with_the_remedy():
    model = build(
        source=dict(type='mic_mm.SourceSupervision'),
        adversarial=dict(ALIGNMENT))
    with pytest.raises(ValueError, match='keep_logits=True'):
        losses_of(model)


def test_discriminator_judges_patches_of_32_pixels():
    discriminator = PixelDiscriminator(in_channels=5, channels=2)
    assert discriminator(torch.rand(2, 5, 64, 96)).shape == (2, 1, 2, 3)
    widths = [m.out_channels for m in discriminator.children()]
    assert widths == [2, 4, 8, 16, 1]


@pytest.mark.parametrize('kwargs, match', [
    (dict(criterion='hinge'), "criterion='hinge'"),
    (dict(student_weight=-1.), 'student_weight=-1.0'),
])
def test_wrong_options_of_the_alignment_are_named(kwargs, match):
    with pytest.raises(ValueError, match=match):
        OutputSpaceAlignment(**kwargs)
