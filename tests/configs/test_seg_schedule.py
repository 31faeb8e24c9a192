# Copyright (c) mic_mm authors. All rights reserved.
"""Learning rate and weight decay of the configs are those of the original."""
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS, DefaultScope

from mic_mm.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from mic_mm.testing.golden import load_golden
from mic_mm.testing.models_seg_da import in_original_names
from mic_mm.testing.small_street_scenes import shrink_config

SEG = Path(__file__).parents[2] / 'configs' / 'seg' / 'gta2cityscapes'
SCHEDULES = Path(__file__).parents[2] / 'configs' / '_base_' / 'schedules'


def read(name):
    path, = SEG.glob(f'{name}_1xb2-40k_*.py')
    return Config.fromfile(path)


def build_model(cfg):
    cfg = shrink_config(cfg.to_dict(), Path('data'))
    with DefaultScope.overwrite_default_scope('mmseg'):
        return MODELS.build(cfg['model'])


def build_optimizer(cfg, model):
    options = dict(cfg.optim_wrapper)
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.build(
        dict(
            type=options.pop('constructor'),
            paramwise_cfg=options.pop('paramwise_cfg'),
            optim_wrapper_cfg=options))
    return constructor(model)


def settings(optimizer, key):
    """A setting of the optimizer for each parameter, by its identity."""
    return {
        id(parameter): group[key]
        for group in optimizer.param_groups for parameter in group['params']
    }


def in_original_order(case, model, values):
    """One number for each of the original's parameters."""
    filled = in_original_names({
        name: torch.full_like(parameter, values[id(parameter)])
        for name, parameter in model.student.named_parameters()
    })
    names = case['param_names'].tolist()
    assert sorted(filled) == sorted(names)
    for value in filled.values():
        assert len(value.unique()) == 1
    return np.array([filled[name].flatten()[0].item() for name in names])


def stages_of(names):
    """Number of blocks in each stage of the recorded Mix Transformer."""
    blocks = [name.split('.')[1:3] for name in names if '.block' in name]
    return [
        len({index for block, index in blocks if block == f'block{stage}'})
        for stage in range(1, 5)
    ]


@pytest.mark.golden
def test_parameters_have_the_original_learning_rate_and_weight_decay():
    case = load_golden('seg', 'case13')
    cfg = read('mic-hrda_mit-b5')
    cfg = Config(shrink_config(cfg.to_dict(), Path('data')))
    cfg.model.segmentor.backbone.num_layers = stages_of(
        case['param_names'].tolist())
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = MODELS.build(cfg.model)
    optimizer = build_optimizer(cfg, model).optimizer
    for array, key in (('lr_values', 'lr'), ('wd_values', 'weight_decay')):
        values = in_original_order(case, model, settings(optimizer, key))
        case.assert_within(array, values.astype(case[array].dtype))


@pytest.mark.parametrize('name', ['mic-daformer_mit-b5', 'mic-hrda_mit-b5',
                                  'mic-daformer_dlv2-r101-d8',
                                  'mic-daformer-no-ema_mit-b5'])
def test_teachers_and_imagenet_copies_are_not_optimized(name):
    cfg = read(name)
    model = build_model(cfg)
    optimizer = build_optimizer(cfg, model).optimizer
    assert settings(optimizer, 'lr').keys() == {
        id(parameter) for parameter in model.student.parameters()}
    assert model.objectives.source.feature_distance.backbone is not None
    assert len(model.teachers()) == (2 if 'no-ema' in name else 1)


def test_resnets_decay_every_weight_and_have_a_fast_head():
    cfg = read('mic-dacs_dlv2-r101-d8')
    model = build_model(cfg)
    optimizer = build_optimizer(cfg, model).optimizer
    rates = settings(optimizer, 'lr')
    for name, parameter in model.student.named_parameters():
        factor = 10 if name.startswith('decode_head') else 1
        assert rates[id(parameter)] == pytest.approx(6e-5 * factor)
    assert set(settings(optimizer, 'weight_decay').values()) == {0.01}


@pytest.mark.parametrize('name', ['mic-minent', 'mic-advseg'])
def test_sgd_trains_all_of_the_network_alike(name):
    cfg = read(f'{name}_dlv2-r101-d8')
    model = build_model(cfg)
    wrapper = build_optimizer(cfg, model)
    if name == 'mic-advseg':
        discriminator = model.objectives.adversarial.discriminator
        adam = wrapper['adversarial'].optimizer
        assert isinstance(adam, torch.optim.Adam)
        assert settings(adam, 'lr') == {
            id(p): 1e-4 for p in discriminator.parameters()}
        assert set(settings(adam, 'betas').values()) == {(0.9, 0.99)}
        wrapper = wrapper['student']
    assert isinstance(wrapper.optimizer, torch.optim.SGD)
    students = {id(p) for p in model.student.parameters()}
    for key, value in dict(
            lr=2.5e-3, momentum=0.9, weight_decay=5e-4).items():
        assert settings(wrapper.optimizer, key) == dict.fromkeys(
            students, value)


def curve(rate, schedulers, iterations):
    """The learning rate that each iteration uses."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=rate)
    built = [
        PARAM_SCHEDULERS.build(dict(cfg, optimizer=optimizer))
        for cfg in schedulers
    ]
    optimizer.step()
    rates = np.empty(iterations)
    for iteration in range(iterations):
        rates[iteration] = optimizer.param_groups[0]['lr']
        for scheduler in built:
            scheduler.step()
    return rates


@pytest.fixture(scope='module')
def main_curve():
    cfg = Config.fromfile(SCHEDULES / 'adamw_40k_mit.py')
    return curve(cfg.optim_wrapper.optimizer.lr, cfg.param_scheduler,
                 cfg.train_cfg.max_iters)


def test_the_learning_rate_follows_its_closed_form(main_curve):
    t = np.arange(40000)
    decay = 1 - t / 40000
    warm_up = np.where(t < 1500, 1 - (1 - t / 1500) * (1 - 1e-6), 1)
    np.testing.assert_allclose(
        main_curve, 6e-5 * decay * warm_up, rtol=1e-9, atol=0)


@pytest.mark.golden
def test_the_learning_rate_equals_the_recorded_one(main_curve):
    case = load_golden('seg', 'case13')
    assert len(main_curve) == case['max_iters']
    case.assert_within('lr_curve', main_curve[case['lr_t']])


@pytest.mark.golden
def test_the_rate_of_the_discriminator_equals_the_recorded_one():
    case = load_golden('seg', 'case12_advseg_ls')
    cfg = read('mic-advseg_dlv2-r101-d8')
    recorded = case.config
    adam = cfg.optim_wrapper.objectives.adversarial.optimizer
    assert adam.lr == recorded['lr_D']
    assert cfg.train_cfg.max_iters == recorded['max_iters']
    rates = curve(adam.lr, cfg.param_scheduler.adversarial,
                  recorded['max_iters'])
    case.assert_within('d_lr_curve', rates[case['d_lr_t']])


def test_every_schedule_of_40k_iterations_is_the_same():
    expected = Config.fromfile(SCHEDULES / 'adamw_40k.py')
    for name in ('adamw_40k_mit', 'sgd_40k', 'sgd_40k_adversarial'):
        cfg = Config.fromfile(SCHEDULES / f'{name}.py')
        schedule = cfg.param_scheduler
        if name == 'sgd_40k_adversarial':
            schedule = schedule.student
        assert schedule == expected.param_scheduler
        assert cfg.train_cfg == expected.train_cfg
