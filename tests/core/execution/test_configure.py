# Copyright (c) mic_mm authors. All rights reserved.
"""The switches on a whole model that adapts."""
import pytest
import torch
from mmengine.optim import OptimWrapper

from mic_mm.registry import MODELS
from mic_mm.testing.batches import seg_batch, without_labels
from mic_mm.testing.models import tiny_segmentor
from mic_mm.testing.models_seg_da import tiny_daformer, tiny_hrda

SIZE = 64


def build(host, execution=None):
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='mic_mm.UDASegmentor',
            segmentor=host,
            execution=execution,
            teacher=dict(type='mic_mm.EMATeacher', alpha=0.5),
            objectives=dict(
                source=dict(
                    type='mic_mm.SegSourceSupervision',
                    feature_distance=dict(
                        type='mic_mm.FeatureDistance', classes=[0, 1])),
                self_training=dict(
                    type='mic_mm.ClassMixSelfTraining', pseudo_threshold=0.26),
                mic=dict(
                    type='mic_mm.MaskedConsistency',
                    mask=dict(type='mic_mm.BlockMask', block_size=16)))))
    return model.train()


def train(model, size=SIZE, iterations=2):
    optim_wrapper = OptimWrapper(
        torch.optim.SGD(model.student.parameters(), lr=0.1))
    for seed in range(iterations):
        torch.manual_seed(seed)  # dropout and stochastic depth
        model.update_teachers()
        model.train_step(
            dict(
                source=seg_batch(seed, size=size),
                target=without_labels(seg_batch(seed + 50, size=size))),
            optim_wrapper)
    return model.state_dict()


def assert_same(ours, theirs, **tolerance):
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        torch.testing.assert_close(
            ours[name], value, **tolerance, msg=lambda m: f'{name}: {m}')


@pytest.mark.parametrize('host, size', [(tiny_daformer, 64), (tiny_hrda, 64)])
def test_checkpointing_changes_no_bit_of_the_training(host, size):
    names = ['backbone.layers', 'decode_head']
    checkpointed = build(host(), dict(activation_checkpointing=names))
    assert_same(
        train(checkpointed, size), train(build(host()), size), rtol=0, atol=0)


def test_channels_last_trains_the_same():
    host = tiny_segmentor(norm='GN')
    model = build(host, dict(memory_format='channels_last'))
    ours = train(model, size=32, iterations=1)
    theirs = train(build(host), size=32, iterations=1)
    assert_same(ours, theirs, rtol=1e-4, atol=1e-6)
    for network in (model.student, model.teacher.model,
                    model.objectives['source'].feature_distance):
        assert network.backbone.layer1[0].conv1.weight.is_contiguous(
            memory_format=torch.channels_last)
    features = model.student.backbone(torch.rand(2, 3, 32, 32))
    assert features[0].is_contiguous(memory_format=torch.channels_last)


def test_compiled_segmentor_trains_the_same():
    torch.compiler.reset()
    modules = ['backbone.layer1', 'decode_head']
    switch = dict(compile=dict(modules=modules, backend='eager'))
    ours = train(build(tiny_segmentor(), switch), size=32)
    assert_same(ours, train(build(tiny_segmentor()), size=32))
    torch.compiler.reset()


@pytest.mark.slow
def test_backbone_compiled_by_inductor_trains_the_same():
    torch.compiler.reset()
    switch = dict(
        compile=dict(modules=['backbone.layer1']),
        memory_format='channels_last',
        activation_checkpointing=['decode_head'])
    host = tiny_segmentor(norm='GN')
    ours = train(build(host, switch), size=32, iterations=1)
    theirs = train(build(host), size=32, iterations=1)
    assert_same(ours, theirs, rtol=1e-4, atol=1e-6)
    torch.compiler.reset()


def test_checkpoints_fit_whatever_the_switches():
    switches = dict(
        activation_checkpointing=['backbone.layer1'],
        full_precision=['decode_head'],
        memory_format='channels_last',
        compile=dict(backend='eager'))
    plain = build(tiny_segmentor())
    plain.update_teachers()
    switched = build(tiny_segmentor(), switches)
    switched.load_state_dict(plain.state_dict())
    assert_same(switched.state_dict(), plain.state_dict(), rtol=0, atol=0)
    assert not switched.student.backbone.conv1.weight.is_contiguous()


def test_the_config_of_the_model_is_left_alone():
    execution = dict(compile=dict(modules=['backbone'], backend='eager'))
    build(tiny_segmentor(), execution)
    assert execution == dict(
        compile=dict(modules=['backbone'], backend='eager'))


@pytest.mark.parametrize('execution, error', [
    (dict(channels_last=True), r"unknown entries \['channels_last'\]"),
    (dict(memory_format='nhwc'), "memory_format='nhwc' is unknown"),
    (dict(full_precision=['student.backbone']), 'without `student.`'),
    (dict(activation_checkpointing=['backbone.layer9']),
     "backbone has no module 'layer9'; it has .*'layer1'"),
])
def test_unknown_values_are_named(execution, error):
    with pytest.raises(ValueError, match=error):
        build(tiny_segmentor(), execution)


@pytest.mark.parametrize('execution, error', [
    (['compile'], 'is no dict of options'),
    (dict(compile='inductor'), "compile='inductor' is neither"),
    (dict(full_precision='decode_head'), 'is no list of module names'),
    (dict(activation_checkpointing=[3]), 'the entry 3, which is no string'),
])
def test_wrong_types_are_named(execution, error):
    with pytest.raises(TypeError, match=error):
        build(tiny_segmentor(), execution)
