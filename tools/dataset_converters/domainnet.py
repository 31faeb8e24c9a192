#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Check DomainNet and write its list files and the names of its classes.

ROOT is where the archives of the domains were extracted and the published
lists were put:
  ROOT/{clipart,infograph,painting,quickdraw,real,sketch}/<345 classes>/*
  ROOT/{clipart,...}_{train,test}.txt   (or in ROOT/image_list)
Written are image_list/<domain>_{train,test}.txt, without unreadable images,
and image_list/classes.txt. --domains limits it to some domains.
"""
from __future__ import annotations

import sys
from pathlib import Path

from mic_mm.cls.dataset_tools import Sample, make_parser, parse_list, report, write_list
from mic_mm.cls.dataset_tools.command_line import LIST_FOLDER, make_check
from mic_mm.utils import cli

DOMAINS = ('clipart', 'infograph', 'painting', 'quickdraw', 'real', 'sketch')
SPLITS = ('train', 'test')


def find_list(root: Path, name: str) -> Path:
    """The published list of a domain and split.

    Raises:
        FileNotFoundError: If it is missing.
    """
    # First the published one: the other may be what this tool has written.
    for path in (root / name, root / LIST_FOLDER / name):
        if path.is_file():
            return path
    raise FileNotFoundError(f'There is neither {root / name} nor '
                            f'{root / LIST_FOLDER / name}. Download the '
                            'lists of DomainNet to the root.')


def class_names(lists: dict[str, list[Sample]]) -> list[str]:
    """Names of the classes, from the folders of the images.

    Raises:
        ValueError: If a label has several names, or is missing.
    """
    names: dict[int, str] = {}
    for title, samples in lists.items():
        for sample in samples:
            name = Path(sample.path).parent.name
            known = names.setdefault(sample.label, name)
            if known != name:
                raise ValueError(
                    f'Label {sample.label} is {known!r} in one list and '
                    f'{name!r} in {title}: the classes of the domains '
                    'differ.')
    missing = sorted(set(range(max(names) + 1)) - set(names))
    if missing:
        raise ValueError(f'No image of the lists has one of the labels '
                         f'{missing}.')
    return [names[label] for label in sorted(names)]


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--domains', nargs='+', choices=DOMAINS, default=list(DOMAINS))
    args = parser.parse_args()
    with cli.usage_errors(parser, FileNotFoundError, ValueError):
        lists = {
            f'{domain}_{split}.txt': parse_list(
                find_list(args.root, f'{domain}_{split}.txt'))
            for domain in args.domains for split in SPLITS
        }
        classes = class_names(lists)
    check = make_check(args)
    written, unreadable = {}, {}
    for name, samples in lists.items():
        bad = check.unreadable([s.path for s in samples], name)
        good = [s for s in samples if s.path not in bad]
        write_list(args.root / LIST_FOLDER / name, good)
        written[args.root / LIST_FOLDER / name] = len(good)
        unreadable.update(bad)
    (args.root / LIST_FOLDER / 'classes.txt').write_text(
        ''.join(f'{name}\n' for name in classes))
    sys.exit(report(written, unreadable))


if __name__ == '__main__':
    main()
