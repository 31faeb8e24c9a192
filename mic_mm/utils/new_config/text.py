# Copyright (c) mic_mm authors. All rights reserved.
"""The text of a new config: deterministic, and meant to be edited."""
from __future__ import annotations

import os
from pathlib import Path

from yapf.yapflib.yapf_api import FormatCode

from mic_mm.visualization.palette import class_colors

from .data_text import data_text
from .model_text import model_text
from .settings import NewConfig

_TITLES = {
    'mic': 'MIC',
    'self-training': 'Self-training',
    'source-only': 'Source-only training',
}
_PARTS_OF_ITERATIONS = 10
# What the constructor of mic_mm calls anyway, or is.
_USUAL_CONSTRUCTORS = ('DefaultOptimWrapperConstructor', 'UDAOptimWrapperConstructor')
_PARTS_IN_WARM_UP = 25
# That of MMEngine's `Config.pretty_text`.
_STYLE = dict(
    based_on_style='pep8',
    blank_line_before_nested_class_or_def=True,
    split_before_expression_after_opening_paren=True)


def config_text(new: NewConfig, out: Path) -> str:
    """The config as text.

    Args:
        new (NewConfig): What it is to say.
        out (Path): Where it will be: a base that is a file is named
            relatively to it.
    """
    text = '\n'.join([
        _head(new, out), '# --- model ' + '-' * 67,
        model_text(new), '# --- data ' + '-' * 68,
        data_text(new), '# --- training ' + '-' * 64,
        _training(new)
    ])
    return FormatCode(text, style_config=_STYLE)[0]


def _head(new: NewConfig, out: Path) -> str:
    base = new.base.name
    if '::' not in base:
        base = Path(os.path.relpath(base, out.parent)).as_posix()
    warm_up = ''
    if new.method != 'source-only':
        warm_up = f'''# The teacher is followed once it has learnt something (0 in MIC).
warm_up = {new.iterations // _PARTS_OF_ITERATIONS}
'''
    return f'''# {_TITLES[new.method]}: {new.source.count} labelled images of
# {new.source.images} ({new.source.sizes}), {new.target.count} unlabelled ones of
# {new.target.images} ({new.target.sizes}, height x width).
# Written by tools/new_uda_config.py; change it as you like.
_base_ = {base!r}

{_classes(new)}
num_classes = {len(new.classes)}
metainfo = dict(classes=classes{_palette(new)})
{_size(new)}max_iters = {new.iterations}
{warm_up}'''


def _size(new: NewConfig) -> str:
    # The other tasks name it in their pipelines only.
    if new.task != 'seg':
        return ''
    return f'size = {new.size}  # of the crops, height and width\n'


def _classes(new: NewConfig) -> str:
    return f'classes = {tuple(new.classes)!r}'


def _palette(new: NewConfig) -> str:
    # MMSegmentation would draw random colours, MMDetection take the first of
    # COCO; some of them look alike.
    if new.task == 'cls':
        return ''
    return f', palette={class_colors(len(new.classes))!r}'


def _training(new: NewConfig) -> str:
    interval = max(new.iterations // _PARTS_OF_ITERATIONS, 1)
    return f'''train_cfg = dict({new.base.delete('train_cfg')}
    type='IterBasedTrainLoop', max_iters=max_iters, val_interval={interval})
{_optimizer(new)}
{_schedule(new.iterations)}
default_hooks = dict(
    logger=dict(type='LoggerHook', interval={min(50, interval)}, \
log_metric_by_epoch=False),
    checkpoint=dict({_delete_checkpoint(new)}
        type='mic_mm.AtomicCheckpointHook', by_epoch=False,
        interval={interval}, max_keep_ckpts=1),
    ema_teacher=dict(type='mic_mm.EMATeacherHook'),
    random_streams=dict(type='mic_mm.RandomStreamsHook'),
    uda_visualization=dict(
        type='mic_mm.UDAVisualizationHook', interval={interval}))
{_leftovers(new)}log_processor = dict(by_epoch=False)
model_wrapper_cfg = dict(type='mic_mm.UDADistributedDataParallel')
randomness = dict(seed=0)
'''


def _schedule(iterations: int) -> str:
    warm_up = iterations // _PARTS_IN_WARM_UP
    # LinearLR reaches the full rate in its second iteration at the earliest.
    if warm_up < 2:
        return '''# Linearly to zero.
param_scheduler = [
    dict(type='PolyLR', power=1.0, eta_min=0, by_epoch=False,
         begin=0, end=max_iters),
]'''
    return f'''# Warm-up, then linearly to zero.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0,
         end={warm_up}),
    dict(type='PolyLR', power=1.0, eta_min=0, by_epoch=False,
         begin={warm_up}, end=max_iters),
]'''


def _delete_checkpoint(new: NewConfig) -> str:
    hook = new.base.get('default_hooks.checkpoint')
    return '\n        _delete_=True,' if isinstance(hook, dict) else ''


def _optimizer(new: NewConfig) -> str:
    lines = ["constructor='mic_mm.UDAOptimWrapperConstructor'"]
    inner = new.base.get('optim_wrapper.constructor')
    if inner is not None and not inner.endswith(_USUAL_CONSTRUCTORS):
        scope = new.base.get('default_scope')
        name = inner if '.' in inner else f'{scope}.{inner}'
        lines.append(f'paramwise_cfg=dict(inner_constructor={name!r})')
    lr, comment = _learning_rate(new)
    if 'Amp' in new.base.get('optim_wrapper.type', ''):
        comment += '# Mixed precision of the base, which needs a GPU.\n'
    if lr is not None:
        lines.append(f'optimizer=dict(lr={lr:.3g})')
    body = ',\n    '.join(lines)
    return f'{comment}optim_wrapper = dict(\n    {body})'


def _learning_rate(new: NewConfig) -> tuple[float | None, str]:
    """A new rate, if any, and a comment that says why."""
    if new.lr is not None:
        return new.lr, ''
    stock = new.base.get('optim_wrapper.optimizer.lr')
    images = new.base.get('auto_scale_lr.base_batch_size')
    if stock is None or not images or images == new.batch_size:
        return None, ''
    return stock * new.batch_size / images, (
        f'# The learning rate of the base, {stock:.3g}, is for '
        f'{images} images per batch.\n')


def _leftovers(new: NewConfig) -> str:
    """Settings of the base that belong to its own training."""
    text = ''
    hooks = [hook['type'] for hook in new.base.get('custom_hooks') or ()]
    if hooks:
        text += (f'# Those of the base, {", ".join(map(str, hooks))}, belong '
                 'to its training.\ncustom_hooks = []\n')
    if new.base.get('load_from') and not new.pretrained:
        text += 'load_from = None\n'
    return text
