#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Writes ``docs/en/user_guides/switches.md`` from signatures and docstrings.

Usage: ``python docs/scripts/switches.py``.  Name and default of an option come from the
signature of the registered class, its meaning and the reason of the default from the
docstring, so that the page says what the code does; a test compares it with the code.
"""
from __future__ import annotations

import inspect
import re
import textwrap
from pathlib import Path

from mmengine.registry import Registry

from mic_mm import core, registry
from mic_mm.core.execution import configure_execution

PAGE = Path(__file__).parents[1] / 'en' / 'user_guides' / 'switches.md'

INTRO = '''\
# Switches

<!-- Written by docs/scripts/switches.py from the code; do not edit. -->

Every option of the types of mic_mm, with its default and the reason. An option is set in the
config or on the command line:

```bash
python tools/train.py CONFIG \\
    --cfg-options model.objectives.mic.mask.ratio=0.5 model.objectives.self_training=None
```

The value `None` switches an objective or a hook off. Which switches make which method: the guides
of the tasks. Options of networks, data sets and of the geometry of detection are in the
[API](../api/index.md).
'''

# Not registered: what all models, objectives and objectives with pseudo-labels share.
SHARED = {
    'UDAModel': core.UDAModel,
    'Objective': core.Objective,
    'PseudoLabelObjective': core.PseudoLabelObjective,
}
# Handed over by MMEngine or the type around it, not by a config.
NOT_IN_CONFIGS = {'student', 'optimizer', 'optim_wrapper_cfg', 'module', 'device_ids', 'runner',
                  'dataloader', 'evaluator', 'last_step', 'verbose', 'input_dim'}

# Title -> place in a config -> types that can stand there.
SECTIONS = {
    'Model': [('model', ['UDAModel', 'UDASegmentor', 'UDAClassifier', 'UDADetector'])],
    'Teacher': [('model.teacher, model.objectives.<name>.teacher', ['EMATeacher'])],
    'Pseudo-labels': [
        ('model.labeller', ['PixelLabeller', 'ClassLabeller', 'BoxLabeller']),
        ('model.pseudo_weight (detection)', ['StudentConfidence']),
    ],
    'Objectives': [('model.objectives.<name>', [
        'Objective', 'PseudoLabelObjective', 'SourceSupervision', 'SelfTraining',
        'MaskedConsistency', 'ClassMixSelfTraining', 'SegSourceSupervision',
        'OutputSpaceAlignment', 'EntropyMinimization', 'JointSupervision',
        'DomainAdversarialDetection', 'PseudoBoxAdversarialDetection'
    ])],
    'Parts of objectives': [
        ('mask', ['BlockMask']), ('color_aug', ['ColorAugmentation']),
        ('color_aug.jitter, color_aug.blur', ['ColorJitter', 'GaussianBlur']),
        ('mix', ['ClassMix']), ('feature_distance', ['FeatureDistance']),
        ('discriminator', ['PixelDiscriminator']),
        ('terms of JointSupervision', ['ConditionalAdversarial', 'DomainAdversarial',
                                       'MinimumClassConfusion']),
        ('image_head, instance_head', ['ImageDomainHead', 'InstanceDomainHead']),
    ],
    'Data': [
        ('train_dataloader.dataset', ['DomainPairDataset']),
        ('train_dataloader.dataset.source (segmentation)', ['RareClassSampling']),
    ],
}
# Title -> place in a config -> registry; all types of mic_mm in it.
WHOLE_REGISTRIES = {
    'Data': [('train_dataloader.sampler', registry.DATA_SAMPLERS)],
    'Optimizer': [
        ('optim_wrapper.constructor', registry.OPTIM_WRAPPER_CONSTRUCTORS),
        ('optim_wrapper', registry.OPTIM_WRAPPERS),
        ('param_scheduler', registry.PARAM_SCHEDULERS),
    ],
    'Distribution and loops': [
        ('model_wrapper_cfg', registry.MODEL_WRAPPERS),
        ('train_cfg, val_cfg, test_cfg', registry.LOOPS),
    ],
    'Hooks': [('default_hooks, custom_hooks', registry.HOOKS)],
}


def find_type(name: str) -> type:
    """The class registered as ``mic_mm.<name>``, or one of the shared ones."""
    if name in SHARED:
        return SHARED[name]
    for node in vars(registry).values():
        if isinstance(node, Registry):
            found = node.get(f'mic_mm.{name}')
            if found is not None:
                return found
    raise LookupError(f'mic_mm.{name} is not registered.')


def types_of(node: Registry) -> list[str]:
    """Names of the types of mic_mm in a registry, without those made for tests."""
    node.import_from_location()
    return sorted(name for name, cls in node.module_dict.items()
                  if cls.__module__.startswith('mic_mm.')
                  and not cls.__module__.startswith('mic_mm.testing.'))


def lineage(cls: type) -> tuple[list[type], list[str]]:
    """Classes whose options are listed with ``cls``, and the shared ones it derives from."""
    shared = {base: name for name, base in SHARED.items() if base is not cls}
    own, others = [], []
    for base in inspect.getmro(cls):
        if base in shared:
            others.append(shared[base])
        elif base is cls or (base.__module__.startswith('mic_mm.')
                             and not any(issubclass(other, base) for other in shared)):
            own.append(base)
    return own, others


def options(cls: type) -> list[tuple[str, str, str]]:
    """Name, default and meaning of the options of a class, without the shared ones."""
    described, found = {}, {}
    for base in lineage(cls)[0]:
        for name, text in documented(base).items():
            described.setdefault(name, text)
        if '__init__' in vars(base):
            for parameter in list(inspect.signature(base.__init__).parameters.values())[1:]:
                if parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
                    found.setdefault(parameter.name, parameter.default)
    return [(name, default_of(value), described[name]) for name, value in found.items()
            if name in described and name not in NOT_IN_CONFIGS
            and described[name] != 'See :class:`UDAModel`.']


def default_of(value: object) -> str:
    """A default as it is written in a config."""
    if value is inspect.Parameter.empty:
        return 'required'
    if isinstance(value, float) and value == int(value) and abs(value) < 1e6:
        return f'`{int(value)}.`'
    return f'`{value!r}`'


def documented(cls: type) -> dict[str, str]:
    """Descriptions of the section ``Args`` of a docstring, by option."""
    doc = inspect.cleandoc(vars(cls).get('__doc__') or '')
    section = re.search(r'^Args:\n((?:[ ]+.*\n?|\n)+)', doc, re.MULTILINE)
    if section is None:
        return {}
    entries = re.split(r'^(?=\S)', textwrap.dedent(section[1]), flags=re.MULTILINE)
    matches = (re.match(r'(\w+) \(.*?\): (.*)', ' '.join(entry.split())) for entry in entries)
    return {match[1]: match[2] for match in matches if match}


def to_markdown(text: str) -> str:
    """Text of a docstring for the cell of a table."""
    text = re.sub(r':math:`([^`]+)`', r'$\1$', text)
    text = re.sub(r':(?:class|func|meth):`~?([^`]+)`', r'`\1`', text)
    text = text.replace('``', '`').replace('|', r'\|')
    return re.sub(r'Defaults to `?[^`,.;()]*`?\. ?$', '', text).strip()


def summary(cls: type) -> str:
    """First paragraph of a docstring."""
    return to_markdown(' '.join(inspect.cleandoc(cls.__doc__ or '').split('\n\n')[0].split()))


def type_section(name: str, place: str) -> str:
    """Heading, summary and table of a type."""
    cls = find_type(name)
    title = f'Options of every {name}' if name in SHARED else f'mic_mm.{name}'
    parts = [f'### {title}', f'`{place}`: {summary(cls)}']
    rows = [f'| `{option}` | {default} | {to_markdown(text)} |'
            for option, default, text in options(cls)]
    if rows:
        parts.append('\n'.join(['| option | default | |', '|---|---|---|', *rows]))
    links = [f'[{base}](#options-of-every-{base.lower()})' for base in lineage(cls)[1]]
    if links:
        kind = 'Further options' if rows else 'Options'
        parts.append(f'{kind}: {" and ".join(links)}.')
    return '\n\n'.join(parts)


def execution_section() -> str:
    """The entries of ``model.execution``, which a function describes as a list."""
    entries = re.findall(r'^\* ``(\w+)`` \((.*?)\): (.*(?:\n  .*)*)',
                         inspect.cleandoc(configure_execution.__doc__ or ''), re.MULTILINE)
    rows = [f'| `{name}` | `None` | {to_markdown(" ".join(text.split()))} |'
            for name, _, text in entries]
    return '\n\n'.join([
        '### Options of execution', f'`model.execution`: {summary(configure_execution)}',
        '\n'.join(['| option | default | |', '|---|---|---|', *rows])
    ])


def page() -> str:
    """The whole page."""
    sections = dict(SECTIONS)
    for title, places in WHOLE_REGISTRIES.items():
        sections[title] = sections.get(title, []) + [
            (place, types_of(node)) for place, node in places]
    parts = [INTRO.strip()]
    for title, places in sections.items():
        parts.append(f'## {title}')
        parts += [type_section(name, place) for place, names in places for name in names]
        if title == 'Model':
            parts.append(execution_section())
    return '\n\n'.join(parts) + '\n'


if __name__ == '__main__':
    PAGE.write_text(page(), encoding='utf-8')
