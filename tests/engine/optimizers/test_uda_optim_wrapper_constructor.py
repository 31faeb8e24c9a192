# Copyright (c) mic_mm authors. All rights reserved.
import copy

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper, build_optim_wrapper
from torch import nn

from mic_mm.core import Objective
from mic_mm.engine import UDAOptimWrapperConstructor
from mic_mm.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from mic_mm.testing.models import tiny_segmentor

OPTIM = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=0.01, weight_decay=0.1),
    paramwise_cfg=dict(
        norm_decay_mult=0.,
        custom_keys={
            'decode_head': dict(lr_mult=10.),
            'objectives.adversary': dict(lr_mult=3.)
        }))


@MODELS.register_module()
class Adversary(Objective):
    """An objective with parameters of its own."""

    def __init__(self):
        super().__init__()
        self.discriminator = nn.Linear(2, 2)

    def loss(self, batch, student, teacher):
        return {}


def build(**objectives):
    return MODELS.build(
        dict(
            type='mic_mm.UDASegmentor',
            segmentor=tiny_segmentor(),
            teacher=dict(type='mic_mm.EMATeacher'),
            objectives=dict(
                source=dict(type='mic_mm.SourceSupervision'), **objectives)))


def optimizer_of(model, **kwargs):
    cfg = dict(OPTIM, constructor='mic_mm.UDAOptimWrapperConstructor')
    cfg.update(kwargs)
    return build_optim_wrapper(model, copy.deepcopy(cfg)).optimizer


def settings(optimizer):
    return {
        id(p): (group['lr'], group['weight_decay'])
        for group in optimizer.param_groups for p in group['params']
    }


def test_options_apply_as_in_the_library():
    stock = MODELS.build(ConfigDict(tiny_segmentor(), _scope_='mmseg'))
    expected = settings(build_optim_wrapper(stock, copy.deepcopy(OPTIM)
                                            ).optimizer)
    model = build()
    actual = settings(optimizer_of(model))
    names = dict(stock.named_parameters())
    assert len(actual) == len(names)
    for name, parameter in model.student.named_parameters():
        assert actual[id(parameter)] == expected[id(names[name])], name


def test_teacher_is_left_out():
    model = build()
    optimized = settings(optimizer_of(model))
    assert not any(id(p) in optimized for p in model.teacher.parameters())


def test_parameters_of_objectives_are_optimized_under_their_name():
    model = build(adversary=dict(type='mic_mm.Adversary'))
    lr, _ = settings(optimizer_of(model))[id(
        model.objectives['adversary'].discriminator.weight)]
    assert lr == 0.01 * 3


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class HeadsOnly(DefaultOptimWrapperConstructor):
    """A constructor that, as layer decay does, reads parameter names."""

    def add_params(self, params, module, **kwargs):
        for name, parameter in module.named_parameters():
            if name.startswith('decode_head.'):
                params.append(dict(params=[parameter]))


def test_inner_constructor_sees_the_names_of_the_wrapped_model():
    model = build()
    optimized = settings(
        optimizer_of(
            model,
            paramwise_cfg=dict(
                inner_constructor='mic_mm.HeadsOnly', norm_decay_mult=0.)))
    assert set(optimized) == {
        id(p)
        for p in model.student.decode_head.parameters()
    }


def test_config_of_the_caller_is_left_unchanged():
    cfg = dict(OPTIM, constructor='mic_mm.UDAOptimWrapperConstructor')
    paramwise = dict(
        cfg['paramwise_cfg'], inner_constructor='mic_mm.HeadsOnly')
    before = copy.deepcopy(paramwise)
    UDAOptimWrapperConstructor(
        dict(type='OptimWrapper', optimizer=cfg['optimizer']), paramwise)
    assert paramwise == before


@MODELS.register_module()
class WithParameter(Objective):

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.layer = torch.nn.Linear(2, 3)

    def loss(self, batch, student, teacher):
        return {}


def model_with_parameters():
    return MODELS.build(
        dict(
            type='mic_mm.UDASegmentor',
            segmentor=tiny_segmentor(),
            objectives=dict(
                source=dict(type='mic_mm.SourceSupervision'),
                extra=dict(type='WithParameter'))))


def build_two(model, objectives):
    cfg = dict(
        constructor='mic_mm.UDAOptimWrapperConstructor',
        optimizer=dict(type='SGD', lr=0.1),
        objectives=objectives)
    before = copy.deepcopy(cfg)
    built = build_optim_wrapper(model, cfg)
    assert cfg['objectives'] == before['objectives']
    return built


def test_objective_may_have_an_optimizer_of_its_own():
    model = model_with_parameters()
    built = build_two(model, dict(extra=dict(optimizer=dict(type='Adam', lr=1e-4))))
    assert list(built.keys()) == ['student', 'extra']
    own = [p for g in built['extra'].optimizer.param_groups for p in g['params']]
    rest = [p for g in built['student'].optimizer.param_groups for p in g['params']]
    assert {id(p) for p in own} == {id(p) for p in model.objectives['extra'].parameters()}
    assert {id(p) for p in rest} == {id(p) for p in model.student.parameters()}
    assert isinstance(built['extra'].optimizer, torch.optim.Adam)
    assert built.get_lr() == {'student.lr': [0.1], 'extra.lr': [1e-4]}


def test_optimizer_set_to_none_leaves_one():
    built = build_two(model_with_parameters(), dict(extra=None))
    assert isinstance(built, OptimWrapper)


@pytest.mark.parametrize('name', ['absent', 'source'])
def test_optimizer_of_nothing_is_an_error(name):
    with pytest.raises(ValueError, match=f'objectives.{name}'):
        build_two(model_with_parameters(), {name: dict(optimizer=dict(type='Adam'))})


def test_frozen_parameters_of_objectives_are_left_out():
    model = model_with_parameters()
    layer = model.objectives['extra'].layer
    layer.weight.requires_grad_(False)
    built = build_optim_wrapper(model, copy.deepcopy(
        dict(OPTIM, constructor='mic_mm.UDAOptimWrapperConstructor')))
    optimized = {id(p) for g in built.param_groups for p in g['params']}
    assert id(layer.bias) in optimized and id(layer.weight) not in optimized
    assert layer.weight is model.objectives['extra'].layer._parameters['weight']


def test_parameter_of_the_student_itself_is_trained_under_its_name():
    model = build()
    model.student.temperature = nn.Parameter(torch.ones(()))
    keys = dict(temperature=dict(lr_mult=5.))
    optimizer = optimizer_of(model, paramwise_cfg=dict(custom_keys=keys))
    assert settings(optimizer)[id(model.student.temperature)] == pytest.approx((0.05, 0.1))
