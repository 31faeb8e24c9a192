# Copyright (c) mic_mm authors. All rights reserved.
import mmengine.registry
import pytest
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope, Registry

from mic_mm.core.scope import pin_scope
from mic_mm.registry import MODELS
from mic_mm.testing.models import tiny_segmentor


@pytest.fixture(params=['mmseg', 'mmpretrain', 'mic_mm', 'mmengine', None])
def ambient_scope(request):
    """The default scope while a model is built; None: there is none."""
    previous = DefaultScope.get_current_instance()
    instances = dict(DefaultScope._instance_dict)
    DefaultScope._instance_dict.clear()
    if request.param is not None:
        DefaultScope.get_instance('ambient', scope_name=request.param)
    yield request.param
    DefaultScope._instance_dict.clear()
    DefaultScope._instance_dict.update(instances)
    assert DefaultScope.get_current_instance() is previous


@pytest.mark.parametrize('outer_scope', [None, 'mic_mm'])
@pytest.mark.parametrize('inner_scope', [None, 'mmseg'])
def test_wrapped_model_is_found_in_any_scope(ambient_scope, outer_scope,
                                             inner_scope):
    segmentor = tiny_segmentor()
    if inner_scope:
        segmentor['_scope_'] = inner_scope
    cfg = dict(
        type='mic_mm.UDASegmentor',
        segmentor=segmentor,
        objectives=dict(source=dict(type='mic_mm.SourceSupervision')))
    if outer_scope:
        cfg['_scope_'] = outer_scope
    model = MODELS.build(cfg)
    assert type(model.student).__module__.startswith('mmseg.')


def test_scope_that_knows_the_model_is_respected():
    # MMYOLO-like: a library of its own that has the model
    other = Registry(
        'model', parent=mmengine.registry.MODELS, scope='my_library')

    @other.register_module()
    class EncoderDecoder:
        pass

    with DefaultScope.overwrite_default_scope('my_library'):
        assert '_scope_' not in pin_scope(
            dict(type='EncoderDecoder'), 'mmseg')
        assert pin_scope(dict(type='Other'), 'mmseg')['_scope_'] == 'mmseg'


def test_config_of_the_caller_is_left_unchanged():
    cfg = ConfigDict(type='X', backbone=dict(type='Y'))
    pinned = pin_scope(cfg, 'mmseg')
    pinned.backbone.type = 'Z'
    assert cfg == ConfigDict(type='X', backbone=dict(type='Y'))
