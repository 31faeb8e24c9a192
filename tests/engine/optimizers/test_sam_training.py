# Copyright (c) mic_mm authors. All rights reserved.
"""Sharpness-aware training of whole models."""
import copy

import pytest
import torch

from mic_mm.core import Objective
from mic_mm.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from mic_mm.testing.batches import cls_batch, without_labels
from mic_mm.testing.models import tiny_classifier
from mic_mm.testing.processes import results_of_processes

DANN = dict(
    type='mic_mm.DomainAdversarial',
    feature_dim=8,
    hidden_dim=8,
    batch_norm=False,
    warmup_iterations=2)
MIC = dict(
    type='mic_mm.MaskedConsistency',
    mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8),
    color_aug=dict(type='mic_mm.ColorAugmentation'))


def build(labeller=None, **objectives):
    torch.manual_seed(0)
    joint = dict(type='mic_mm.JointSupervision', terms=dict(dann=DANN))
    model = MODELS.build(
        dict(
            type='mic_mm.UDAClassifier',
            classifier=tiny_classifier(norm='GN'),
            teacher=dict(type='mic_mm.EMATeacher', alpha=0.9),
            labeller=labeller,
            objectives=dict(dict(joint=joint, mic=MIC), **objectives)))
    # A network whose head is not close to zero has gradients worth a test.
    torch.nn.init.normal_(model.student.head.fc.weight)
    return model.train()


def optim_wrapper(model, **options):
    options = dict(
        type='mic_mm.SAMOptimWrapper',
        rho=0.5,
        optimizer=dict(type='SGD', lr=0.1, momentum=0.9)) | options
    return OPTIM_WRAPPER_CONSTRUCTORS.build(
        dict(
            type='mic_mm.UDAOptimWrapperConstructor',
            optim_wrapper_cfg=options))(model)


def pair(seed=0, rank=0, world_size=1):

    def part(number):
        batch = cls_batch(number, count=4)
        return {key: value[rank::world_size] for key, value in batch.items()}

    return dict(source=part(seed), target=without_labels(part(seed + 50)))


def train(model, wrapper, iterations=1, wrapped=None, **share):
    logs = []
    for seed in range(iterations):
        model.update_teachers()
        logs.append((wrapped or model).train_step(pair(seed, **share),
                                                  wrapper))
    return logs


def watch(module):
    """What a module returns, call by call."""
    seen = []
    module.register_forward_hook(
        lambda module, inputs, output: seen.append((inputs, output)))
    return seen


def assert_equal_models(ours, theirs, **tolerance):
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(
            ours.state_dict()[name], value, msg=name, **tolerance)


def test_both_passes_share_masked_view_and_labels():
    model = build()
    images = watch(model.student.backbone)
    labels = watch(model.teacher.model.head)
    train(model, optim_wrapper(model))
    views = [inputs[0] for inputs, _ in images]
    assert len(views) == 4 and len(labels) == 1
    assert views[1] is views[3]  # computed once
    assert torch.equal(views[0], views[2])


def test_adversarial_loss_and_discriminator_take_no_part_in_the_ascent():
    model = build()
    discriminator = model.objectives['joint'].terms['dann'].discriminator
    before = copy.deepcopy(discriminator.state_dict())
    during = []
    discriminator.register_forward_pre_hook(lambda module, _: during.append(
        copy.deepcopy(module.state_dict())))
    model.iteration = 5
    train(model, optim_wrapper(model), iterations=2)
    assert len(during) == 2  # once in each iteration
    for name, value in before.items():
        assert torch.equal(during[0][name], value)
    assert any(not torch.equal(discriminator.state_dict()[name], value)
               for name, value in before.items())
    assert model.objectives['joint'].terms['dann'].reversal.steps == 2


def weights_of_passes(pseudo_weight, threshold=None):
    """The teacher's confidence, and the weights in the two passes."""
    model = build(dict(type='mic_mm.ClassLabeller', threshold=threshold))
    logits = watch(model.teacher.model.head)
    seen = []
    model.student.head.loss_module.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs.get('weight')),
        with_kwargs=True)
    train(model, optim_wrapper(model, pseudo_weight=pseudo_weight))
    first, second = [weight for weight in seen if weight is not None]
    return logits[0][1].softmax(dim=1).max(dim=1).values, first, second


def test_published_weights_count_in_the_first_pass_only():
    confidence, first, second = weights_of_passes('published')
    assert (confidence < 1).all()
    torch.testing.assert_close(first, confidence)
    assert (second == 1).all()


def test_consistent_weights_count_in_both_passes():
    confidence, first, second = weights_of_passes('consistent')
    torch.testing.assert_close(first, confidence)
    torch.testing.assert_close(second, confidence)


def test_images_below_the_threshold_count_in_neither_pass():
    threshold = float(weights_of_passes('published')[0].median())
    confidence, first, second = weights_of_passes('published', threshold)
    above = confidence >= threshold
    assert above.any() and not above.all()
    torch.testing.assert_close(first, confidence * above)
    torch.testing.assert_close(second, above.float())


def test_panels_show_the_weights_of_the_teacher():
    model = build()
    model.record_panels = True
    train(model, optim_wrapper(model))
    weights = [float(s.loss_weight)
               for s in model.panels['masked'].data_samples]
    assert 0 < max(weights) < 1


@MODELS.register_module()
class HalfSquare(Objective):
    """Pulls the head to zero, so that its gradient is known."""

    def __init__(self, in_ascent=True, **kwargs):
        super().__init__(**kwargs)
        self.in_ascent = in_ascent
        self.seen = []

    def loss(self, batch, student, teacher):
        self.seen.append(batch.is_ascent)
        return {'loss': student.head.fc.weight.square().sum() / 2}


def test_objectives_say_whether_they_take_part_in_the_ascent():
    objectives = dict(
        joint=None,
        mic=None,
        both=dict(type='mic_mm.HalfSquare'),
        second=dict(type='mic_mm.HalfSquare', in_ascent=False))
    model = build(**objectives)
    w = model.student.head.fc.weight
    start = w.detach().clone()
    logs, = train(model, optim_wrapper(model))
    assert model.objectives['both'].seen == [True, False]
    assert model.objectives['second'].seen == [False]
    torch.testing.assert_close(logs['ascent_norm'], start.norm())
    # Twice the gradient w + e, with e = 0.5 w / |w|.
    torch.testing.assert_close(
        w.detach(), start - 0.1 * 2 * start * (1 + 0.5 / start.norm()))


def test_accumulation_averages_steps_with_perturbations_of_their_own():
    accumulated = build()
    wrapper = optim_wrapper(accumulated, accumulative_counts=2)
    wrapper.initialize_count_status(accumulated, 0, 2)
    start = copy.deepcopy(accumulated.state_dict())
    accumulated.update_teachers()
    for seed in range(2):
        accumulated.train_step(pair(seed), wrapper)
    changes = []
    for seed in range(2):
        single = build()
        single.update_teachers()
        single.iteration = seed
        reversal = single.objectives['joint'].terms['dann'].reversal
        reversal.load_state_dict(dict(steps=torch.tensor(seed)))
        single.train_step(pair(seed), optim_wrapper(single))
        changes.append(single.state_dict())
    for name, parameter in accumulated.student.named_parameters():
        name = f'student.{name}'
        mean = sum(change[name] - start[name] for change in changes) / 2
        torch.testing.assert_close(
            parameter.detach() - start[name], mean, rtol=1e-4, atol=1e-6)


def test_discriminator_may_have_an_optimizer_of_its_own():
    together, apart = build(), build()
    own = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9))
    train(together, optim_wrapper(together), iterations=3)
    train(apart, optim_wrapper(apart, objectives=dict(joint=own)), 3)
    assert_equal_models(apart, together, rtol=0, atol=0)


def test_sharpness_aware_optimizer_of_an_objective_is_refused():
    own = dict(
        type='mic_mm.SAMOptimWrapper', optimizer=dict(type='SGD', lr=0.1))
    with pytest.raises(TypeError, match='objectives.joint.type'):
        optim_wrapper(build(), objectives=dict(joint=own))


COUNTS = (1, 2)


def build_in_double():
    """In single precision rounding may change the sign of a rectifier's input.

    Domain classifiers work in single precision.
    """
    model = build().double()
    model.objectives.float()
    return model


def train_share(rank, world_size, accumulative_counts):
    from mic_mm.engine import UDADistributedDataParallel
    model = build_in_double()
    wrapped = None
    if world_size > 1:
        wrapped = UDADistributedDataParallel(model, device_ids=[rank])
    wrapper = optim_wrapper(model, accumulative_counts=accumulative_counts)
    wrapper.initialize_count_status(model, 0, 4)
    logs = train(
        model,
        wrapper,
        iterations=4,
        wrapped=wrapped,
        rank=rank,
        world_size=world_size)
    return model.state_dict(), logs


def train_shares(rank):
    return {count: train_share(rank, 2, count) for count in COUNTS}


@pytest.fixture(scope='module')
def two_processes():
    return results_of_processes(train_shares, 2)


@pytest.mark.parametrize('accumulative_counts', COUNTS)
def test_two_processes_equal_one(accumulative_counts, two_processes):
    (first, first_logs), (second, _) = (
        results[accumulative_counts] for results in two_processes)
    expected, logs = train_share(0, 1, accumulative_counts)
    start = build_in_double().state_dict()
    for name, value in expected.items():
        assert torch.equal(first[name], second[name]), f'{name}: ranks differ'
        torch.testing.assert_close(
            first[name], value, rtol=1e-5, atol=1e-8, msg=name)
    assert not torch.equal(start['student.head.fc.weight'],
                           expected['student.head.fc.weight'])
    for ours, theirs in zip(first_logs, logs):
        torch.testing.assert_close(
            ours['ascent_norm'], theirs['ascent_norm'], rtol=1e-4, atol=1e-6)
