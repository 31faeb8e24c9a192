# Copyright (c) mic_mm authors. All rights reserved.
"""Optimizer groups and learning rates of the original's detection code."""
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from mic_mm.registry import OPTIM_WRAPPER_CONSTRUCTORS
from mic_mm.testing.golden import load_golden

pytestmark = pytest.mark.golden
SCHEDULE = (
    Path(__file__).parents[2] / 'configs' / '_base_' / 'schedules' /
    'sgd_sada_60k.py')
# The recorded groups, in the words of the manifest.
GROUPS = ('0.weight', '0.bias', '1.bias')


class Wrapper(nn.Module):
    """What the constructor needs of a model: a student and objectives."""

    def __init__(self):
        super().__init__()
        self.student = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1))
        self.student[1].weight.requires_grad_(False)
        self.objectives = nn.ModuleDict()


def numbers_of(config):
    """The schedule with the numbers of the recording, if it has others."""
    schedule = Config.fromfile(SCHEDULE)
    schedule.optim_wrapper.optimizer.update(
        lr=config['base_lr'],
        weight_decay=config['weight_decay'],
        momentum=config['momentum'])
    schedule.optim_wrapper.paramwise_cfg.bias_lr_mult = config[
        'bias_lr_factor']
    warmup, steps = schedule.param_scheduler
    warmup.update(
        start_factor=config['warmup_factor'], end=config['warmup_iters'] + 1)
    steps.update(milestones=config['steps'], gamma=config['gamma'])
    return schedule


def build(schedule):
    model = Wrapper()
    cfg = schedule.optim_wrapper.to_dict()
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.build(
        dict(
            type=cfg.pop('constructor'),
            paramwise_cfg=cfg.pop('paramwise_cfg'),
            optim_wrapper_cfg=cfg))
    optimizer = constructor(model).optimizer
    names = dict(model.student.named_parameters())
    groups = {
        name: next(group for group in optimizer.param_groups
                   if group['params'][0] is names[name])
        for name in GROUPS
    }
    schedulers = [
        PARAM_SCHEDULERS.build(dict(cfg, optimizer=optimizer))
        for cfg in schedule.param_scheduler
    ]
    return groups, schedulers, optimizer


def test_shipped_schedule_equals_the_original__det_solver():
    case = load_golden('det', 'solver')
    schedule = numbers_of(case.config)
    groups, schedulers, optimizer = build(schedule)
    case.assert_within('num_groups', len(groups))
    case.assert_within('weight_decay',
                       [group['weight_decay'] for group in groups.values()])
    assert optimizer.defaults['momentum'] == case.config['momentum']
    assert not optimizer.defaults['nesterov']
    rates = {}
    for iteration in range(int(case['iteration'].max()) + 1):
        rates[iteration] = [group['lr'] for group in groups.values()]
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    case.assert_within('lr', np.array([rates[int(i)]
                                       for i in case['iteration']]))


def test_shipped_numbers_are_the_published_ones():
    """Those of MIC's config for Cityscapes to Foggy Cityscapes."""
    schedule = Config.fromfile(SCHEDULE)
    assert schedule.optim_wrapper.optimizer == dict(
        type='SGD', lr=0.0025, momentum=0.9, weight_decay=1e-4)
    assert schedule.train_cfg.max_iters == 60000
    assert schedule.param_scheduler[1].milestones == [30000, 40000]
