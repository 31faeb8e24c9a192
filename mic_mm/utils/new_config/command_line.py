# Copyright (c) mic_mm authors. All rights reserved.
"""The command lines of ``check_folders`` and ``new_uda_config``."""
from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Optional

from mmengine.config import Config

from ..cli import UsageError, positive_number
from ..parallel import default_processes
from .base_config import SCOPES, read_base
from .domain_facts import DomainFacts, FolderOptions
from .initial_weights import weights_sentence
from .settings import BATCH_SIZES, ITERATIONS, METHODS, NewConfig, check_crop, default_size
from .text import config_text

_LABELS = {
    'seg': 'folder of label maps named like the images',
    'cls': 'list of `<path> <label>` lines instead of class folders',
    'det': 'COCO file',
}


def add_folder_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that name folders and how to look at them."""
    labels = '; '.join(f'{task}: {text}' for task, text in _LABELS.items())
    parser.add_argument('--task', required=True, choices=SCOPES)
    parser.add_argument(
        '--source', required=True, type=Path, metavar='FOLDER',
        help='labelled images; cls: a folder for each class in it')
    parser.add_argument(
        '--source-labels', type=Path, metavar='PATH', help=labels)
    parser.add_argument(
        '--target', required=True, type=Path, metavar='FOLDER',
        help='unlabelled images')
    parser.add_argument(
        '--val', type=Path, metavar='FOLDER',
        help='labelled target images to evaluate on, if there are any')
    parser.add_argument(
        '--val-labels', type=Path, metavar='PATH',
        help='their labels, as of the source')
    names = parser.add_mutually_exclusive_group()
    names.add_argument(
        '--classes', nargs='+', default=(),
        help='names of the classes, in the order of their indices (default: '
        'seg: class_0, ...; cls: the folders; det: those of the file)')
    names.add_argument(
        '--num-classes', type=positive_number,
        help='their number, where names do not matter')
    parser.add_argument(
        '--image-suffix', default='',
        help='seg: end of the names of images, e.g. _leftImg8bit.png '
        '(default: the extension)')
    parser.add_argument(
        '--label-suffix', default='',
        help='seg: end of the names of label maps (default: as found)')
    parser.add_argument(
        '--no-decode', action='store_true',
        help='read the sizes of images only; faster, finds less')
    parser.add_argument(
        '--nproc', type=positive_number, default=default_processes(),
        help='number of processes (default: %(default)s)')


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the new config."""
    parser.add_argument(
        '--base', required=True,
        help='config of the model: mmseg::..., mmdet::..., mmpretrain::... '
        'or a file')
    parser.add_argument(
        '--out', required=True, type=Path, help='where to write the config')
    parser.add_argument('--force', action='store_true',
                        help='replace the file --out')
    parser.add_argument('--method', choices=METHODS, default='mic')
    parser.add_argument(
        '--size', nargs='+', type=int, metavar='PIXELS',
        help='height and width (or one number): of crops (seg, cls), or what '
        'images are scaled to fit into (det); default: as in the base')
    parser.add_argument(
        '--iterations', type=positive_number,
        help=f'default: as in MIC, {ITERATIONS}')
    parser.add_argument(
        '--batch-size', type=positive_number,
        help=f'images of each domain (default: {BATCH_SIZES})')
    parser.add_argument('--workers', type=_number_of_workers, default=2,
                        help='processes that load (default: %(default)s)')
    parser.add_argument(
        '--lr', type=float,
        help='learning rate (default: that of the base, for --batch-size)')
    parser.add_argument(
        '--no-pretrained', action='store_true',
        help='train from scratch instead of the weights the base downloads')
    parser.add_argument('--no-flip', action='store_true',
                        help='do not flip images (digits, signs)')


def _number_of_workers(text: str) -> int:
    # Without any, the process that trains loads.
    return 0 if text == '0' else positive_number(text)


def check_folders(
    args: argparse.Namespace
) -> tuple[DomainFacts, DomainFacts, Optional[DomainFacts]]:
    """Look at the folders of the command line.

    Returns:
        tuple: Facts of source, target and, if given, val.

    Raises:
        UsageError: Saying what cannot be used, and what to do.
    """
    room = importlib.import_module(f'mic_mm.{args.task}.dataset_tools.'
                                   'own_folders')
    in_folders = args.task == 'cls' and args.source_labels is None
    number = 0 if in_folders else args.num_classes or 0
    classes = tuple(args.classes) or tuple(
        f'class_{i}' for i in range(number))
    try:
        _check_labels_given(args)
        source = room.check_domain('source', args.source, args.source_labels,
                                   _options(args, classes))
        if in_folders:
            _check_number(args.num_classes, source)
        options = _options(args, source.classes)
        target = room.check_domain('target', args.target, None, options)
        val = None
        if args.val is not None:
            val = room.check_domain('val', args.val, args.val_labels, options)
    except (ValueError, FileNotFoundError) as error:
        raise UsageError(str(error)) from error
    return source, target, val


def report(*domains: Optional[DomainFacts]) -> None:
    """Print what was found."""
    for name, facts in zip(('source', 'target', 'val'), domains):
        if facts is not None:
            print(f'{name}: {facts.count} images, {facts.sizes}' +
                  (f', {len(facts.classes)} classes' if facts.classes else ''))
            for note in facts.notes:
                print(f'  note: {note}')


def write_config(args: argparse.Namespace) -> Path:
    """Check folders, then write the config (det: and the list of the target).

    Raises:
        UsageError: Saying what cannot be used, and what to do.
    """
    if args.out.exists() and not args.force:
        raise UsageError(f'--out {args.out} exists. Give another name, or '
                         '--force to replace it.')
    if args.out.suffix != '.py':
        raise UsageError(f'--out {args.out}: a config ends in .py.')
    try:
        base = read_base(args.base, args.task)
    except (ValueError, FileNotFoundError) as error:
        raise UsageError(str(error)) from error
    domains = check_folders(args)
    report(*domains)
    print(weights_sentence(base, not args.no_pretrained))
    new = _settings(args, base, domains)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    if args.task == 'det':
        _write_target_list(new, args.out)
    args.out.write_text(config_text(new, args.out))
    Config.fromfile(args.out)
    return args.out


def _check_labels_given(args: argparse.Namespace) -> None:
    if args.task == 'cls':
        return
    for name in ('source', 'val'):
        if getattr(args, name) and getattr(args, f'{name}_labels') is None:
            raise ValueError(f'--{name} has no labels: give '
                             f'--{name}-labels, the {_LABELS[args.task]}.')


def _check_number(number: Optional[int], source: DomainFacts) -> None:
    if number is not None and number != len(source.classes):
        raise ValueError(
            f'--num-classes {number}: {source.images} has '
            f'{len(source.classes)} class folders, '
            f'{", ".join(source.classes)}. Correct the number or the folders.')


def _options(args: argparse.Namespace, classes: tuple) -> FolderOptions:
    return FolderOptions(classes, args.image_suffix, args.label_suffix,
                         not args.no_decode, args.nproc)


def _settings(args: argparse.Namespace, base, domains) -> NewConfig:
    source, target, val = domains
    size = default_size(base, source, target)
    if args.size is not None:
        if len(args.size) > 2 or min(args.size) < 1:
            raise UsageError(f'--size {args.size}: give height and width.')
        size = (args.size[0], args.size[-1])
    try:
        if args.task == 'seg':
            check_crop(size, source, target)
    except ValueError as error:
        raise UsageError(str(error)) from error
    return NewConfig(
        base=base,
        source=source,
        target=target,
        val=val,
        method=args.method,
        iterations=args.iterations or ITERATIONS[args.task],
        batch_size=args.batch_size or BATCH_SIZES[args.task],
        size=size,
        workers=args.workers,
        lr=args.lr,
        pretrained=not args.no_pretrained,
        flip=not args.no_flip,
        target_annotations=_target_list(args.out).as_posix())


def _target_list(out: Path) -> Path:
    return out.with_name(f'{out.stem}_target.json')


def _write_target_list(new: NewConfig, out: Path) -> None:
    room = importlib.import_module('mic_mm.det.dataset_tools.own_folders')
    room.write_unlabelled(
        Path(new.target.images), _target_list(out), new.classes,
        new.target.image_suffix)
