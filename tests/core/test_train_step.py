# Copyright (c) mic_mm authors. All rights reserved.
import copy
import weakref

import pytest
import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper, OptimWrapperDict

from mic_mm.core import Objective
from mic_mm.registry import MODELS
from mic_mm.testing.batches import seg_batch, without_labels
from mic_mm.testing.models import tiny_segmentor


def build(**objectives):
    torch.manual_seed(0)
    defaults = dict(
        source=dict(type='mic_mm.SourceSupervision'),
        self_training=dict(
            type='mic_mm.ClassMixSelfTraining', pseudo_threshold=0.26),
        mic=dict(
            type='mic_mm.MaskedConsistency',
            color_aug=dict(type='mic_mm.ColorAugmentation'),
            mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8)))
    model = MODELS.build(
        dict(
            type='mic_mm.UDASegmentor',
            segmentor=tiny_segmentor(),
            teacher=dict(type='mic_mm.EMATeacher'),
            objectives=dict(defaults, **objectives)))
    model.update_teachers()
    return model.train()


def pair(seed=0):
    return dict(
        source=seg_batch(seed), target=without_labels(seg_batch(seed + 50)))


def sgd(model, **kwargs):
    return OptimWrapper(
        torch.optim.SGD(model.student.parameters(), lr=0.1), **kwargs)


def assert_equal_weights(ours, theirs, **tolerance):
    for (name, mine), other in zip(ours.student.named_parameters(),
                                   theirs.student.parameters()):
        torch.testing.assert_close(mine, other, msg=name, **tolerance)


def test_backward_per_objective_equals_one_backward_on_the_sum():
    in_turn, at_once = build(), build()
    logs = in_turn.train_step(pair(), sgd(in_turn))
    batch = at_once.data_preprocessor(pair(), True)
    losses = at_once(**batch, mode='loss')
    loss, joint_logs = at_once.parse_losses(losses)
    sgd(at_once).update_params(loss)
    assert_equal_weights(in_turn, at_once, rtol=1e-5, atol=1e-7)
    for name, value in joint_logs.items():
        torch.testing.assert_close(logs[name], value.detach())
    assert any(p.abs().sum() > 0 for p in in_turn.student.parameters())


def test_logs_hold_no_graph():
    model = build()
    logs = model.train_step(pair(), sgd(model))
    assert {'loss', 'source.decode.loss_ce', 'mic.decode.loss_ce'} <= set(logs)
    assert not any(value.requires_grad for value in logs.values())


def test_total_is_the_sum_of_all_losses():
    model = build()
    logs = model.train_step(pair(), sgd(model))
    parts = [v for k, v in logs.items() if 'loss' in k and k != 'loss']
    assert len(parts) == 6  # two heads, three objectives
    torch.testing.assert_close(logs['loss'], sum(parts))


def test_accumulation_counts_iterations_not_objectives():
    model = build()
    optim_wrapper = sgd(model, accumulative_counts=2)
    optim_wrapper.initialize_count_status(model, 0, 4)
    before = copy.deepcopy(model)
    model.train_step(pair(0), optim_wrapper)
    assert_equal_weights(model, before, rtol=0, atol=0)
    model.train_step(pair(1), optim_wrapper)
    assert optim_wrapper._inner_count == 2
    assert any(not torch.equal(a, b) for a, b in zip(
        model.student.parameters(), before.student.parameters()))


def test_accumulated_gradient_is_the_mean_of_its_iterations():
    accumulated, reference = build(), build()
    optim_wrapper = sgd(accumulated, accumulative_counts=2)
    optim_wrapper.initialize_count_status(accumulated, 0, 4)
    for seed in range(2):
        accumulated.train_step(pair(seed), optim_wrapper)
    total = 0.
    for seed in range(2):
        reference.iteration = seed
        data = reference.data_preprocessor(pair(seed), True)
        total = total + reference.parse_losses(
            reference(**data, mode='loss'))[0] / 2
    total.backward()
    with torch.no_grad():
        for parameter in reference.student.parameters():
            parameter -= 0.1 * parameter.grad
    assert_equal_weights(accumulated, reference, rtol=1e-5, atol=1e-7)


@MODELS.register_module()
class NothingToSay(Objective):
    """An objective without a loss in some iterations."""

    def loss(self, batch, student, teacher):
        return {}


def test_objective_without_loss_changes_nothing():
    with_empty = build(empty=dict(type='mic_mm.NothingToSay'))
    without = build()
    for model in (with_empty, without):
        optim_wrapper = sgd(model)
        model.train_step(pair(), optim_wrapper)
        assert optim_wrapper._inner_count == 1
    assert_equal_weights(with_empty, without, rtol=0, atol=0)


def test_iteration_without_any_loss_is_an_error():
    model = build(
        source=dict(type='mic_mm.NothingToSay'), self_training=None, mic=None)
    with pytest.raises(RuntimeError, match='No objective'):
        model.train_step(pair(), sgd(model))


def test_optim_wrapper_dict_without_the_students_is_an_error():
    model = build()
    with pytest.raises(TypeError, match="none of them 'student'"):
        model.train_step(pair(), OptimWrapperDict(a=sgd(model)))


class ApexOptimWrapper(OptimWrapper):
    """MMEngine's needs apex to be made."""


def test_wrapper_of_apex_is_refused():
    model = build()
    wrapper = ApexOptimWrapper(torch.optim.SGD(model.student.parameters(), lr=0.1))
    with pytest.raises(TypeError, match="'ApexOptimWrapper' is not supported"):
        model.train_step(pair(), wrapper)


@MODELS.register_module()
class LogitScale(Objective):
    """Trains a parameter of its own: loss = (scale * mean logit - 1)²."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale = torch.nn.Parameter(torch.tensor(2.))

    def loss(self, batch, student, teacher):
        features = student.extract_feat(batch.source.inputs)
        mean = student.decode_head(features).mean()
        return dict(loss_scale=(self.scale * mean - 1)**2)


def optimizers_of(model):
    return OptimWrapperDict(
        student=sgd(model),
        extra=OptimWrapper(
            torch.optim.SGD(model.objectives['extra'].parameters(), lr=0.5)))


def test_objective_with_its_own_optimizer_equals_one_with_two_groups():
    separate = build(mic=None, extra=dict(type='LogitScale'))
    joint = copy.deepcopy(separate)
    groups = [
        dict(params=list(joint.student.parameters()), lr=0.1),
        dict(params=list(joint.objectives.parameters()), lr=0.5)
    ]
    separate.train_step(pair(), optimizers_of(separate))
    joint.train_step(pair(), OptimWrapper(torch.optim.SGD(groups)))
    assert separate.objectives['extra'].scale != 2
    assert_equal_weights(separate, joint, rtol=0, atol=0)
    assert all(p.grad is None for p in separate.parameters())


def test_own_optimizer_accumulates_with_the_students():
    model = build(mic=None, extra=dict(type='LogitScale'))
    optimizers = optimizers_of(model)
    optimizers['student']._accumulative_counts = 2
    model.train_step(pair(), optimizers)
    assert model.objectives['extra'].scale == 2
    model.train_step(pair(), optimizers)
    assert model.objectives['extra'].scale != 2


class Saved:
    """A tensor kept for the backward pass."""

    def __init__(self, tensor):
        self.tensor = tensor


def test_graph_of_an_objective_is_freed_before_the_next():
    kept = weakref.WeakSet()
    kept_at_start = []

    @MODELS.register_module(force=True)
    class Watching(Objective):

        def loss(self, batch, student, teacher):
            kept_at_start.append(len(kept))
            return batch.weighted_loss(student, batch.source)

    def pack(tensor):
        saved = Saved(tensor)
        kept.add(saved)
        return saved

    model = build(
        source=dict(type='mic_mm.Watching'),
        again=dict(type='mic_mm.Watching'),
        self_training=None,
        mic=None)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda s: s.tensor):
        model.train_step(pair(), sgd(model))
        assert kept_at_start == [0, 0]
        batch = model.prepare(model.data_preprocessor(pair(), True))
        losses = model.objectives['source'](batch, model.student, None)
        assert len(kept) > 0 and losses  # the watch sees a graph


def test_amp_scales_every_objective(monkeypatch):
    # AmpOptimWrapper needs a GPU to be constructed; its scaler does not.
    model, plain = build(), build()

    class CPUAmp(AmpOptimWrapper):

        def __init__(self, optimizer):
            OptimWrapper.__init__(self, optimizer)
            self.loss_scaler = torch.amp.GradScaler('cpu', init_scale=64.)
            self.cast_dtype = None
            self._scale_update_param = None

        def optim_context(self, model):
            return OptimWrapper.optim_context(self, model)

    model.train_step(
        pair(), CPUAmp(torch.optim.SGD(model.student.parameters(), lr=0.1)))
    plain.train_step(pair(), sgd(plain))
    assert_equal_weights(model, plain, rtol=1e-5, atol=1e-7)
