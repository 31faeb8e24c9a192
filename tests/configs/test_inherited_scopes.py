# Copyright (c) mic_mm authors. All rights reserved.
"""Types of every config are found when it is inherited by ``mic_mm::``.

MMEngine then looks for the outermost types in the scope ``mic_mm``, where
those of the task libraries are not.
"""
from pathlib import Path

import pytest
from mmengine.registry import DefaultScope

pytest.importorskip('mmpretrain')
pytest.importorskip('mmseg')
pytest.importorskip('mmdet')

import mic_mm  # noqa: E402, F401
from mic_mm.registry import DATASETS, METRICS, TRANSFORMS, VISUALIZERS  # noqa: E402

ROOT = Path(__file__).resolve().parents[2] / 'configs'
# One of each set of fragments: the method does not change the data.
NAMES = sorted({
    (path.parent, path.stem.split('_', 2)[-1]): path.relative_to(ROOT)
    for path in ROOT.glob('[a-z]*/*/*.py')
}.values())
PARTS = {
    **{f'{stage}_dataloader': DATASETS for stage in ('train', 'val', 'test')},
    **{f'{stage}_evaluator': METRICS for stage in ('val', 'test')},
    'visualizer': VISUALIZERS,
}
TRANSFORM_KEYS = ('pipeline', 'transforms', 'aug_space')
# Neither a dataset, a metric nor a transform.
OTHER_KEYS = ('sampler', 'batch_sampler', 'vis_backends', 'metainfo')


def unknown_types(cfg, registry, scope, place):
    """Places of types that are not in a scope."""
    if isinstance(cfg, (list, tuple)):
        for index, item in enumerate(cfg):
            yield from unknown_types(item, registry, scope,
                                     f'{place}[{index}]')
    if not isinstance(cfg, dict):
        return
    scope = cfg.get('_scope_', scope)
    if isinstance(cfg.get('type'), str):
        with DefaultScope.overwrite_default_scope(scope):
            with registry.switch_scope_and_registry(None) as found:
                if found.get(cfg['type']) is None:
                    yield f"{place}: {cfg['type']} is not in {scope}"
    for key, value in cfg.items():
        if key not in OTHER_KEYS:
            yield from unknown_types(
                value, TRANSFORMS if key in TRANSFORM_KEYS else registry,
                scope, f'{place}.{key}')


@pytest.mark.parametrize('name', NAMES, ids=str)
def test_types_are_found(inherit, name):
    cfg = inherit(name).to_dict()
    problems = [
        problem for part, registry in PARTS.items() if cfg.get(part)
        for problem in unknown_types(cfg[part], registry,
                                     cfg['default_scope'], part)
    ]
    assert not problems
    # A function takes no `_scope_`, which MMEngine would give it.
    assert not any('collate_fn' in (cfg.get(part) or {}) for part in PARTS)
