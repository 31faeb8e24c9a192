# Copyright (c) mic_mm authors. All rights reserved.
"""The breakdown of an iteration adds up and leaves nothing behind."""
import time

import pytest

from mic_mm.benchmark import StageClock, record, time_stages


def sleep():
    time.sleep(0.02)


def test_a_stage_does_not_count_what_is_inside():
    clock = StageClock(lambda: None)
    clock.enter('outer')
    sleep()
    clock.around('inner')(sleep)()
    clock.leave()
    assert clock.seconds[None, 'outer'][0] == pytest.approx(0.02, abs=0.015)
    assert clock.seconds[None, 'inner'][0] == pytest.approx(0.02, abs=0.015)


def test_stages_of_an_iteration_add_up_to_it(daformer):
    passes = record(daformer)
    data = daformer.batch()
    start = time.perf_counter()
    stages = time_stages(daformer.model, daformer.optim_wrapper,
                         lambda: daformer.iterate(data), lambda: None, passes)
    whole = time.perf_counter() - start
    assert 0.8 * whole <= sum(wall for wall, _ in stages.values()) <= whole
    networks = {'student forward and loss', 'backward'}
    views = {'augmentation', 'rest'}
    for objective, expected in {
            None: {'EMA', 'check of the batch', 'preprocessing', 'optimizer', 'rest'},
            'source': networks | {'frozen forward', 'rest'},
            'self_training': networks | views | {'teacher forward', 'pseudo-labels', 'mixing'},
            'mic': networks | views | {'masking'}
    }.items():
        assert {stage for owner, stage in stages if owner == objective} == expected


def test_stages_of_sharpness_aware_training(sdat):
    passes = record(sdat)
    data = sdat.batch()
    stages = time_stages(sdat.model, sdat.optim_wrapper, lambda: sdat.iterate(data), lambda: None,
                         passes)
    assert (None, 'perturbation') in stages
    assert ('joint', 'student forward and loss') in stages
    assert not any('forward' in vars(module) for module in sdat.model.modules())
    assert 'step' not in vars(sdat.optim_wrapper)
