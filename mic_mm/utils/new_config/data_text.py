# Copyright (c) mic_mm authors. All rights reserved.
"""The part of a new config about the data."""
from __future__ import annotations

from .domain_facts import DomainFacts
from .settings import NewConfig

_PACK = {'seg': 'PackSegInputs', 'cls': 'PackInputs', 'det': 'PackDetInputs'}
_EVALUATORS = {
    'seg': "type='IoUMetric', iou_metrics=['mIoU']",
    'cls': "type='mic_mm.PerClassAccuracy'",
    'det': "type='mic_mm.DomainCocoMetric', ann_file={labels!r}",
}
# Crops are taken from images that are this much larger, as in MIC.
_MARGIN = 8 / 7


def data_text(new: NewConfig) -> str:
    """Pipelines, loaders and evaluators."""
    return _pipelines(new) + _train(new) + _evaluation(new)


def _pipelines(new: NewConfig) -> str:
    load, train = "dict(type='LoadImageFromFile')", _geometry(new)
    flip = ["dict(type='RandomFlip', prob=0.5)"] if new.flip else []
    pack = f"dict(type='{_PACK[new.task]}')"
    boxes = ["dict(type='LoadAnnotations', with_bbox=True)"]
    pipelines = {
        'seg': (
            [load, "dict(type='LoadAnnotations')",
             "dict(type='mic_mm.CheckLabels', num_classes=num_classes)",
             "dict(type='RandomCrop', crop_size=size, cat_max_ratio=0.75)",
             *flip, pack],
            [load, "dict(type='RandomCrop', crop_size=size)", *flip, pack],
            [load, "dict(type='LoadAnnotations')", pack]),
        'cls': ([load, *train, *flip, pack], [load, *train, *flip, pack],
                [load, _whole(new), pack]),
        'det': ([load, *boxes, *train, *flip, pack],
                [load, *train, *flip, pack],
                # Boxes are compared at the stored size.
                [load, *train, *boxes, pack]),
    }[new.task]
    return ''.join(
        f'{name}_pipeline = [\n' + ''.join(f'    {t},\n' for t in transforms) +
        ']\n'
        for name, transforms in zip(('source', 'target', 'test'), pipelines))


def _geometry(new: NewConfig) -> list[str]:
    height, width = new.size
    if new.task == 'det':
        return [f"dict(type='Resize', scale={(max(new.size), min(new.size))}, "
                'keep_ratio=True)']
    larger = (round(width * _MARGIN), round(height * _MARGIN))
    return [f"dict(type='Resize', scale={larger})",
            f"dict(type='RandomCrop', crop_size={(height, width)})"]


def _whole(new: NewConfig) -> str:
    return f"dict(type='Resize', scale={new.size[::-1]})"


def _train(new: NewConfig) -> str:
    return f'''
train_dataloader = dict({new.base.delete('train_dataloader')}
    batch_size={new.batch_size},  # of each domain
    num_workers={new.workers},
    persistent_workers={new.workers > 0},
    sampler=dict(type='mic_mm.DomainPairSampler'),
    dataset=dict(
        type='mic_mm.DomainPairDataset',
        source={_dataset(new, new.source, 'source')},
        # Labels of the target are not read.
        target={_dataset(new, new.target, 'target')}))
'''


def _evaluation(new: NewConfig) -> str:
    if new.val is None:
        names = ' = '.join(
            f'{stage}_{part}' for stage in ('val', 'test')
            for part in ('cfg', 'dataloader', 'evaluator'))
        return f'''
# No labelled target images, nothing to evaluate on.
{names} = None
'''
    evaluator = _EVALUATORS[new.task].format(labels=new.val.labels)
    return f'''
val_dataloader = dict({new.base.delete('val_dataloader')}
    batch_size={new.batch_size if new.task == 'cls' else 1},
    num_workers={new.workers},
    persistent_workers={new.workers > 0},
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset={_dataset(new, new.val, 'test', indent=8)})
val_evaluator = dict({new.base.delete('val_evaluator')}
    {evaluator})
test_dataloader = val_dataloader
test_evaluator = val_evaluator
'''


def _dataset(new: NewConfig, facts: DomainFacts, domain: str,
             indent: int = 12) -> str:
    arguments = {'seg': _seg, 'cls': _cls, 'det': _det}[new.task](
        new, facts, domain)
    arguments += ['metainfo=metainfo', f'pipeline={domain}_pipeline']
    separator = ',\n' + ' ' * indent
    return f'dict(\n{" " * indent}{separator.join(arguments)})'


def _seg(new: NewConfig, facts: DomainFacts, domain: str) -> list[str]:
    folders = f'img_path={facts.images!r}'
    suffixes = [f'img_suffix={facts.image_suffix!r}']
    if domain != 'target':
        folders += f',\n                seg_map_path={facts.labels!r}'
        suffixes.append(f'seg_map_suffix={facts.label_suffix!r}')
    return ["type='BaseSegDataset'", f'data_prefix=dict({folders})', *suffixes]


def _cls(new: NewConfig, facts: DomainFacts, domain: str) -> list[str]:
    arguments = ["type='mic_mm.ClassificationDataset'",
                 f'data_prefix={facts.images!r}']
    if domain == 'target':
        return [*arguments, 'with_label=False']
    if facts.labels is not None:
        arguments.append(f'ann_file={facts.labels!r}')
    return arguments


def _det(new: NewConfig, facts: DomainFacts, domain: str) -> list[str]:
    labels = facts.labels if domain != 'target' else new.target_annotations
    arguments = ["type='mic_mm.DomainCocoDataset'", f'ann_file={labels!r}',
                 f"data_prefix=dict(img={facts.images + '/'!r})"]
    return arguments + (['test_mode=True'] if domain == 'test' else [])
