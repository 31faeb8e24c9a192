# Copyright (c) mic_mm authors. All rights reserved.
"""The part of a new config about the model."""
from __future__ import annotations

from .initial_weights import weights_text
from .settings import NewConfig

_WRAPPERS = {
    'seg': ('UDASegmentor', 'segmentor'),
    'cls': ('UDAClassifier', 'classifier'),
    'det': ('UDADetector', 'detector'),
}
_LABELLERS = {
    'seg': "type='mic_mm.PixelLabeller', threshold=0.968",
    'cls': "type='mic_mm.ClassLabeller', weight='prob'",
    'det': "type='mic_mm.BoxLabeller', threshold=0.8, ignore_threshold=0.3",
}
_ALPHAS = {'seg': 0.999, 'cls': 0.9, 'det': 0.999}
_SELF_TRAINING = {
    'seg': "type='mic_mm.ClassMixSelfTraining', begin=warm_up,\n"
           "            color_aug=dict(type='mic_mm.ColorAugmentation')",
    'cls': "type='mic_mm.SelfTraining', begin=warm_up",
    'det': "type='mic_mm.SelfTraining', begin=warm_up, exclude=('bbox', )",
}
# Heads that train only without the distillation they were published with.
_DISTILLED = ('EfficientFormerClsHead', 'LeViTClsHead')
_RATIOS = {'seg': 0.7, 'cls': 0.7, 'det': 0.5}
# Side of the image in blocks: 64 of 224 pixels, 32 of 512, 32 of 800.
_SIDE_IN_BLOCKS = {'seg': 16, 'cls': 3.5, 'det': 16}
_LEAST_BLOCK, _LARGEST_BLOCK = 4, 64


def model_text(new: NewConfig) -> str:
    """The lines from ``<model> = _base_.model`` to the wrapped model."""
    wrapper, name = _WRAPPERS[new.task]
    lines = [f'{name} = _base_.model']
    lines += [
        f'{name}{place} = num_classes'
        for place in new.base.places_of_classes()
    ]
    lines += _of_task(new, name)
    lines += _norms(new, name)
    lines += _weights(new, name)
    return '\n'.join(lines) + _wrapped(new, wrapper, name)


def block_size(task: str, size: tuple[int, int]) -> int:
    """A power of two, in about the proportion to the image that MIC has."""
    side = min(size) / _SIDE_IN_BLOCKS[task]
    block = _LEAST_BLOCK
    while 2 * block <= min(side, _LARGEST_BLOCK):
        block *= 2
    return block


def _of_task(new: NewConfig, name: str) -> list[str]:
    model, lines = new.base.model, []
    if new.task == 'seg':
        lines.append(f'{name}.data_preprocessor.size = size')
        if model.get('data_preprocessor', {}).get('size_divisor') is not None:
            lines.append(f'{name}.data_preprocessor.size_divisor = None')
        if model.get('hr_crop_size') is not None:
            lines += _of_hrda(name)
        elif model.get('test_cfg', {}).get('mode') == 'slide':
            lines.append(f"{name}.test_cfg = dict(mode='whole')  # the base "
                         'slides a window over large images')
        if new.method != 'source-only':
            lines += _without_samplers(new, name)
    if new.task == 'cls':
        if 'topk' in model['head']:
            lines.append(f'{name}.head.topk = (1, )')
        if model['head']['type'] in _DISTILLED:
            lines += ['# Another network to learn from is not there.',
                      f'{name}.head.distillation = False']
        if _loss(model).get('use_sigmoid'):
            lines += ['# The binary cross-entropy of the base needs mixed '
                      'labels.',
                      f"{name}.head.loss = dict(type='CrossEntropyLoss')"]
        if model.get('train_cfg'):
            lines += ['# Mixup and CutMix mix labels, which the target does '
                      'not have.', f'{name}.train_cfg = None']
    if new.task == 'det' and model.get('data_preprocessor',
                                       {}).get('batch_augments'):
        lines.append(f'{name}.data_preprocessor.batch_augments = None')
    return lines


def _of_hrda(name: str) -> list[str]:
    half = '(size[0] // 2, size[1] // 2)'
    return [
        f'# Detail at full resolution, in windows of half the crop.\n{name}.hr_crop_size = {half}',
        f'{name}.test_cfg.crop_size = size', f'{name}.test_cfg.stride = {half}'
    ]


def _loss(model: dict) -> dict:
    loss = model['head'].get('loss')
    return loss if isinstance(loss, dict) else {}


def _without_samplers(new: NewConfig, name: str) -> list[str]:
    places = new.base.pixel_samplers()
    if not places:
        return []
    return ['# Pixels are weighted by the pseudo-labels instead.',
            *(f'{name}{place} = None' for place in places)]


def _norms(new: NewConfig, name: str) -> list[str]:
    places = new.base.synchronised_norms()
    if not places:
        return []
    return ['# SyncBN of the base needs several GPUs.'
            ] + [f"{name}{place} = 'BN'" for place in places]


def _weights(new: NewConfig, name: str) -> list[str]:
    if new.pretrained:
        return weights_text(new.base, name)
    lines = [f'{name}{place} = None' for place, _ in new.base.pretrained()]
    frozen = new.base.frozen()
    lines += [f'{name}{place} = {value}' for place, value in frozen]
    if lines:
        lines.insert(0, '# From scratch: no weights, nothing frozen.')
    return lines


def _wrapped(new: NewConfig, wrapper: str, name: str) -> str:
    text = f'''

model = dict(
    _delete_=True,
    type='mic_mm.{wrapper}',
    {name}={name},'''
    if new.method == 'source-only':
        return text + '''
    objectives=dict(source=dict(type='mic_mm.SourceSupervision')))
'''
    teacher = f"type='mic_mm.EMATeacher', alpha={_ALPHAS[new.task]}"
    if new.task == 'det' and not new.pretrained:
        # Batch norm is trained: labels by the statistics of the target.
        teacher += (",\n        mode='batch_statistics', "
                    "average='parameters'")
    text += f'''
    teacher=dict({teacher}),
    labeller=dict({_LABELLERS[new.task]}),
    objectives=dict(
        source=dict(type='mic_mm.SourceSupervision'),
        self_training=dict(
            {_SELF_TRAINING[new.task]})'''
    return text + (_mic(new) if new.method == 'mic' else '))\n')


def _mic(new: NewConfig) -> str:
    exclude = ", exclude=('bbox', )" if new.task == 'det' else ''
    ratio, block = _RATIOS[new.task], block_size(new.task, new.size)
    return f''',
        # {ratio:.0%} of the blocks of {block} pixels are hidden.
        mic=dict(
            type='mic_mm.MaskedConsistency', begin=warm_up{exclude},
            color_aug=dict(type='mic_mm.ColorAugmentation'),
            mask=dict(
                type='mic_mm.BlockMask', ratio={ratio}, block_size={block}))))
'''
