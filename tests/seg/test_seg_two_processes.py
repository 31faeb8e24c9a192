# Copyright (c) mic_mm authors. All rights reserved.
"""Hosts of segmentation: two processes equal one with both halves of the batch."""
import pytest
import torch
from mmengine.optim import build_optim_wrapper

from mic_mm.engine.distributed import UDADistributedDataParallel
from mic_mm.registry import MODELS
from mic_mm.testing.batches import seg_batch, without_labels
from mic_mm.testing.models_seg_da import tiny_daformer, tiny_dlv2, tiny_hrda
from mic_mm.testing.processes import results_of_processes

GROUP_NORM = dict(type='GN', num_groups=2, requires_grad=True)
DISTANCE = dict(
    type='mic_mm.SegSourceSupervision',
    keep_logits=True,
    feature_distance=dict(
        type='mic_mm.FeatureDistance', classes=(0, 1), min_ratio=0.2, weight=0.1))
MIX = dict(
    type='mic_mm.ClassMixSelfTraining',
    pseudo_threshold=0.26,
    color_aug=dict(type='mic_mm.ColorAugmentation', share='sample'))
ADVERSARIAL = dict(type='mic_mm.OutputSpaceAlignment', discriminator=dict(channels=2))
HOSTS = dict(
    daformer=(tiny_daformer, dict(source=DISTANCE, self_training=MIX)),
    hrda=(lambda: tiny_hrda(hr_crop_size=32), dict(source=DISTANCE, self_training=MIX)),
    adversarial=(tiny_dlv2, dict(source=DISTANCE, adversarial=ADVERSARIAL)))


def without_batch_statistics(cfg):
    if isinstance(cfg, dict):
        return {
            key: GROUP_NORM if key == 'norm_cfg' else without_batch_statistics(value)
            for key, value in cfg.items()
        }
    return cfg


def train(host, rank=0, world_size=1):
    torch.manual_seed(0)
    make, objectives = HOSTS[host]
    mic = dict(
        type='mic_mm.MaskedConsistency',
        pseudo_threshold=0.26,
        mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8))
    model = MODELS.build(
        dict(
            type='mic_mm.UDASegmentor',
            segmentor=without_batch_statistics(make()),
            teacher=dict(type='mic_mm.EMATeacher', alpha=0.9),
            objectives=dict(objectives, mic=mic))).double()
    own = dict(adversarial=dict(optimizer=dict(type='SGD', lr=0.05)))
    optimizers = build_optim_wrapper(
        model,
        dict(
            constructor='mic_mm.UDAOptimWrapperConstructor',
            optimizer=dict(type='SGD', lr=0.01, momentum=0.9),
            objectives=own if 'adversarial' in objectives else None))
    wrapped = UDADistributedDataParallel(
        model, device_ids=[rank]) if world_size > 1 else model
    logs = []
    for iteration in range(3):
        wrapped.train()
        model.update_teachers()
        logs.append(wrapped.train_step(pair(iteration, rank, world_size), optimizers))
    return model.state_dict(), logs


def pair(iteration, rank, world_size):
    source, target = (
        {k: v[rank::world_size] for k, v in seg_batch(seed, count=4, size=64).items()}
        for seed in (iteration, 100 + iteration))
    return dict(source=source, target=without_labels(target))


def train_all(rank):
    return {host: train(host, rank, 2) for host in HOSTS}


@pytest.fixture(scope='module')
def two_processes():
    return results_of_processes(train_all, 2)


@pytest.mark.parametrize('host', sorted(HOSTS))
def test_two_processes_equal_one_with_the_whole_batch(host, two_processes):
    expected, logs = train(host)
    (first, first_logs), (second, second_logs) = (results[host] for results in two_processes)
    assert logs[-1]['source.loss_feature_distance'] > 0
    for ours, theirs, single in zip(first_logs, second_logs, logs):
        for name, value in single.items():
            if 'loss' in name:
                mean = (ours[name] + theirs[name]) / 2
                torch.testing.assert_close(mean, value, rtol=1e-4, atol=1e-6, msg=name)
    for name, value in expected.items():
        assert torch.equal(first[name], second[name]), f'{name}: ranks differ'
        deviation = (first[name].double() - value.double()).abs().max()
        value = value.double()
        assert deviation <= 1e-5 * value.abs().max(), f'{name}: {deviation}'
