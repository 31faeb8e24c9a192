# Copyright (c) mic_mm authors. All rights reserved.
"""Scaled gradients, skipped steps and what they leave untouched."""
import io

import pytest
import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper, OptimWrapperDict

from mic_mm.core import Objective
from mic_mm.registry import MODELS
from mic_mm.testing.batches import seg_batch, without_labels
from mic_mm.testing.mixed_precision import amp_on_cpu
from mic_mm.testing.models import tiny_segmentor

# Of the gradients of float16, which end at 65504.
OVERFLOW = 2.**30


@pytest.fixture(autouse=True)
def amp():
    with amp_on_cpu():
        yield


@MODELS.register_module()
class OwnScale(Objective):
    """Trains a parameter of its own: loss = (scale * mean logit - 1)²."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale = torch.nn.Parameter(torch.tensor(2.))

    def loss(self, batch, student, teacher):
        mean = student.decode_head(
            student.extract_feat(batch.source.inputs)).mean()
        return dict(loss_scale=(self.scale * mean.float() - 1)**2)


def build(**extra):
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='mic_mm.UDASegmentor',
            segmentor=tiny_segmentor(norm='GN'),
            teacher=dict(type='mic_mm.EMATeacher', alpha=0.5),
            objectives=dict(
                source=dict(type='mic_mm.SourceSupervision'),
                mic=dict(
                    type='mic_mm.MaskedConsistency',
                    mask=dict(type='mic_mm.BlockMask', block_size=8)),
                **extra))).train()


def scaled(parameters, dtype='float16', **scale):
    return AmpOptimWrapper(
        optimizer=torch.optim.SGD(parameters, lr=0.1, momentum=0.9),
        dtype=dtype,
        loss_scale=dict(dict(init_scale=64.), **scale))


def step(model, optim_wrapper, seed=0):
    model.update_teachers()
    return model.train_step(
        dict(
            source=seg_batch(seed),
            target=without_labels(seg_batch(seed + 50))), optim_wrapper)


def weights(model):
    return {k: v.detach().clone() for k, v in model.named_parameters()}


def test_a_skipped_step_leaves_the_student_and_counts_as_an_iteration():
    model = build()
    optim_wrapper = scaled(model.student.parameters(), init_scale=OVERFLOW)
    before = weights(model.student)
    log = step(model, optim_wrapper)
    assert log['loss'].isfinite()
    assert all(p.equal(before[n]) for n, p in model.student.named_parameters())
    assert not any(p.grad is not None for p in model.student.parameters())
    assert optim_wrapper.loss_scaler.get_scale() == OVERFLOW / 2
    assert (model.iteration, int(model.teacher.steps)) == (1, 1)
    assert optim_wrapper._inner_count == 1


def test_the_step_after_skipped_ones_is_that_of_a_model_that_began_there():
    """Skipped steps leave no trace in momentum, weights and teacher."""
    model, fresh = build(), build()
    ours = scaled(
        model.student.parameters(), init_scale=OVERFLOW, backoff_factor=2.**-23)
    step(model, ours)
    step(model, ours)
    theirs = scaled(fresh.student.parameters(), init_scale=2.**7)
    fresh.iteration = 1
    step(fresh, theirs)
    for (name, mine), other in zip(model.named_parameters(),
                                   fresh.parameters()):
        assert mine.equal(other), name


def test_the_scale_survives_a_checkpoint():
    states = []
    for interrupted in (False, True):
        model = build()
        ours = scaled(
            model.student.parameters(), init_scale=OVERFLOW,
            backoff_factor=2.**-23, growth_interval=3)
        for seed in range(3):  # one is skipped, two count as grown
            step(model, ours, seed)
        if interrupted:
            file = io.BytesIO()
            torch.save((model.state_dict(), ours.state_dict()), file)
            file.seek(0)
            state, optimizer = torch.load(file, weights_only=True)
            model = build()
            ours = scaled(model.student.parameters(), growth_interval=3)
            model.load_state_dict(state)
            ours.load_state_dict(optimizer)
            model.iteration = 3
        for seed in range(3, 5):
            step(model, ours, seed)
        states.append((weights(model), ours.loss_scaler.state_dict()))
    (whole, scaler), (resumed, resumed_scaler) = states
    assert scaler == resumed_scaler and scaler['scale'] == 2.**8
    assert all(value.equal(resumed[name]) for name, value in whole.items())


def test_bfloat16_without_a_scale_trains_every_optimizer():
    model = build(own=dict(type='mic_mm.OwnScale'))
    before = weights(model)
    student = scaled(
        model.student.parameters(), dtype='bfloat16', enabled=False)
    own = OptimWrapper(
        torch.optim.SGD(model.objectives['own'].parameters(), lr=0.5))
    step(model, OptimWrapperDict(student=student, own=own))
    moved = {n for n, p in model.named_parameters() if not p.equal(before[n])}
    assert moved == {
        n for n in before
        if n.startswith('student.') or n == 'objectives.own.scale'
    }


@pytest.mark.parametrize('clip', [None, dict(max_norm=0.01)])
def test_an_objective_with_its_own_optimizer_steps_unscaled(clip):
    in_amp, plain = (build(own=dict(type='mic_mm.OwnScale')) for _ in range(2))
    for model, wrapper in ((in_amp, scaled), (plain, None)):
        parameters = list(model.student.parameters())
        student = scaled(parameters, 'float32') if wrapper else OptimWrapper(
            torch.optim.SGD(parameters, lr=0.1, momentum=0.9))
        own = OptimWrapper(
            torch.optim.SGD(model.objectives['own'].parameters(), lr=0.5),
            clip_grad=clip)
        step(model, OptimWrapperDict(student=student, own=own))
    assert in_amp.objectives['own'].scale != 2
    for (name, mine), other in zip(in_amp.named_parameters(),
                                   plain.parameters()):
        torch.testing.assert_close(mine, other, msg=name)


def test_an_objective_that_has_not_begun_steps_nothing():
    model = build(own=dict(type='mic_mm.OwnScale', begin=1))
    optimizers = OptimWrapperDict(
        student=scaled(model.student.parameters()),
        own=OptimWrapper(
            torch.optim.SGD(model.objectives['own'].parameters(), lr=0.5)))
    step(model, optimizers)
    assert model.objectives['own'].scale == 2
    step(model, optimizers)
    assert model.objectives['own'].scale != 2


@pytest.mark.parametrize('dtype', ['bfloat16', 'float16'])
def test_networks_compute_in_half_and_weights_stay_in_full_precision(dtype):
    model = build()
    seen = {}

    def see(name):
        def hook(module, args, output):
            seen[name] = output.dtype

        return hook

    handles = [
        network.decode_head.conv_seg.register_forward_hook(see(name))
        for name, network in (('student', model.student),
                              ('teacher', model.teacher.model))
    ]
    optim_wrapper = scaled(model.student.parameters(), dtype=dtype)
    before = weights(model.student)
    step(model, optim_wrapper)
    step(model, optim_wrapper, seed=1)
    for handle in handles:
        handle.remove()
    assert seen == dict.fromkeys(('student', 'teacher'), getattr(torch, dtype))
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert all(not p.equal(before[n])
               for n, p in model.student.named_parameters())
