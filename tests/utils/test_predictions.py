# Copyright (c) mic_mm authors. All rights reserved.
import pytest
from mmengine.config import Config

from mic_mm.utils import predictions
from mic_mm.utils.cli import UsageError


def config(hook_type, **kwargs):
    hooks = dict(visualization=dict(type=hook_type)) if hook_type else {}
    return Config(dict(default_hooks=hooks, **kwargs))


@pytest.mark.parametrize('hook_type, drawn, folder', [
    ('SegVisualizationHook', dict(draw=True), None),
    ('DetVisualizationHook', dict(draw=True), 'test_out_dir'),
    ('mmpretrain.VisualizationHook', dict(enable=True), 'out_dir'),
])
def test_hook_of_each_library_is_turned_on(hook_type, drawn, folder):
    cfg = config(hook_type)
    predictions.draw(cfg, in_window=True, folder='shown', wait_time=3.)
    hook = cfg.default_hooks.visualization
    assert {key: hook[key] for key in drawn} == drawn
    assert hook.show is True and hook.wait_time == 3.
    if folder:
        assert hook[folder] == 'shown'
    else:  # MMSegmentation draws where its visualizer saves
        assert cfg.visualizer.save_dir == 'shown'


@pytest.mark.parametrize('scope, hook, visualizer', [
    ('mmseg', 'SegVisualizationHook', 'SegLocalVisualizer'),
    ('mmdet', 'DetVisualizationHook', 'DetLocalVisualizer'),
    ('mmpretrain', 'VisualizationHook', 'UniversalVisualizer'),
])
def test_a_config_without_the_hook_gets_that_of_its_library(
        scope, hook, visualizer):
    cfg = config(
        None, default_scope=scope, visualizer=dict(type='Visualizer'))
    predictions.draw(cfg, False, 'shown', 0.)
    assert cfg.default_hooks.visualization.type == hook
    assert cfg.visualizer.type == visualizer


def test_a_visualizer_of_the_user_is_kept():
    cfg = config(
        None, default_scope='mmseg', visualizer=dict(type='MyVisualizer'))
    predictions.draw(cfg, False, 'shown', 0.)
    assert cfg.visualizer.type == 'MyVisualizer'


def test_an_unknown_library_without_the_hook_is_refused():
    with pytest.raises(UsageError, match="default_scope='mmrotate'"):
        predictions.draw(
            config(None, default_scope='mmrotate'), False, 'shown', 0.)


@pytest.mark.parametrize('evaluator', [
    dict(type='Accuracy'),
    [dict(type='Accuracy')],
])
@pytest.mark.parametrize('scope, dump', [
    ('mmseg', 'DumpResults'),
    ('mmdet', 'mmdet.DumpDetResults'),
])
def test_saving_adds_a_metric(evaluator, scope, dump):
    cfg = config(None, default_scope=scope, test_evaluator=evaluator)
    predictions.save(cfg, 'a.pkl')
    assert [metric.type for metric in cfg.test_evaluator] == [
        'Accuracy', dump
    ]
    assert cfg.test_evaluator[1].out_file_path == 'a.pkl'
