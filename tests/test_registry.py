# Copyright (c) mic_mm authors. All rights reserved.
import mmengine.registry
import pytest
from mmengine.registry import Registry

import mic_mm.registry as registry
from mic_mm.utils import compat
from mic_mm.utils.setup_env import register_all_modules

ROOT_NODES = sorted(
    name for name, node in vars(mmengine.registry).items()
    if isinstance(node, Registry))


@pytest.mark.parametrize('name', ROOT_NODES)
def test_every_root_node_has_a_child(name):
    node = getattr(registry, name)
    assert node.parent is getattr(mmengine.registry, name)
    assert node.scope == 'mic_mm'


def test_types_are_found_by_prefix_from_the_root():
    for node, name in ((mmengine.registry.MODELS, 'MaskedConsistency'),
                       (mmengine.registry.HOOKS, 'EMATeacherHook'),
                       (mmengine.registry.TASK_UTILS, 'BlockMask'),
                       (mmengine.registry.TRANSFORMS, 'BlockMasking')):
        assert node.get(f'mic_mm.{name}').__name__ == name


def test_default_scope_mic_mm_is_refused():
    with pytest.raises(ValueError, match='default scope'):
        register_all_modules(init_default_scope=True)


@pytest.mark.parametrize('version, accepted', [('0.9.1', False),
                                               ('0.10.7', True),
                                               ('1.0.0', False)])
def test_version_gate_names_version_and_remedy(monkeypatch, version,
                                               accepted):
    import mmengine
    monkeypatch.setattr(mmengine, '__version__', version)
    if accepted:
        compat.check_versions()
        return
    with pytest.raises(ImportError, match=f'mmengine {version}.*mim install'):
        compat.check_versions()


def test_missing_module_names_the_remedy():
    with pytest.raises(ImportError, match='no module not_there.*mim install'):
        compat._check_version('not_there', '1.0', '2.0')


def test_stock_configs_resolve_through_their_prefix():
    from mmengine.config import Config
    cfg = Config.fromfile(
        _config("_base_ = 'mmseg::_base_/models/fcn_r50-d8.py'"))
    assert cfg.model.type == 'EncoderDecoder'


def _config(text):
    import tempfile
    file = tempfile.NamedTemporaryFile('w', suffix='.py', delete=False)
    file.write(text)
    file.close()
    return file.name
