# Copyright (c) mic_mm authors. All rights reserved.
"""What may be wrong with a COCO file."""
from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

_LISTS = ('images', 'categories')


def read_annotations(path: Path, name: str) -> dict:
    """Read a COCO file.

    Args:
        path (Path): The local file.
        name (str): Its name in messages.

    Returns:
        dict: Its content; a file without boxes may lack ``annotations``.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If it is no COCO file, or lists no image.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f'There is no annotation file {name}. Correct data_root and '
            'ann_file of the dataset, or make it with '
            'tools/dataset_converters.')
    text = path.read_text()
    if not text.strip():
        raise ValueError(f'The annotation file {name} is empty. Make it '
                         'again; an interrupted download or conversion leaves '
                         'such a file.')
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ValueError(f'The annotation file {name} is no JSON ({error}). '
                         'Is it cut off?') from error
    missing = [
        key for key in _LISTS if not isinstance(content, dict)
        or not isinstance(content.get(key), list)
    ]
    if missing:
        raise ValueError(f'The annotation file {name} is no COCO file: it '
                         f'has no list {" and no list ".join(missing)}.')
    if not content['images']:
        raise ValueError(f'The annotation file {name} lists no image.')
    return dict(content, annotations=content.get('annotations') or [])


def check_categories(content: dict, classes: Sequence[str],
                     name: str) -> None:
    """Refuse a file in which a label would mean something else.

    MMDetection numbers the classes in the order of the *file*.

    Raises:
        ValueError: If a class is missing or the order differs.
    """
    in_file = [category['name'] for category in content['categories']]
    missing = [c for c in classes if c not in in_file]
    if missing:
        raise ValueError(
            f'The annotation file {name} has no category {missing}; its '
            f'categories are {in_file}. Set metainfo=dict(classes=...) of the '
            'dataset, or --classes of a tool, to the ones to train on.')
    used = [c for c in in_file if c in classes]
    if used != list(classes):
        raise ValueError(
            f'metainfo.classes={list(classes)}, but the annotation file '
            f'{name} has these categories in the order {used}, by which '
            'MMDetection numbers them. Give the classes in this order.')


def problems(content: dict) -> Iterator[tuple[str, str]]:
    """What is wrong with annotations that are left out.

    Yields:
        tuple[str, str]: The kind of problem, and where it is.
    """
    categories = {category['id'] for category in content['categories']}
    images = {image['id']: image for image in content['images']}
    for annotation in content['annotations']:
        where = f'annotation {annotation.get("id")}'
        image = images.get(annotation.get('image_id'))
        if image is None:
            yield 'an image that is not listed', where
            continue
        where = f'{where} of {image["file_name"]}'
        if annotation.get('category_id') not in categories:
            yield ('a category that is not listed',
                   f'{where}: id {annotation.get("category_id")}')
        elif _has_no_area(annotation):
            yield 'a box without area', f'{where}: {annotation.get("bbox")}'
        elif _is_outside(annotation['bbox'], image):
            yield (
                'a box outside of its image', f'{where}: '
                f'{annotation["bbox"]} of {image["width"]}x{image["height"]}')


def _has_no_area(annotation: dict) -> bool:
    """As in ``CocoDataset``, which leaves it out without a word."""
    box = annotation.get('bbox') or ()
    return len(box) != 4 or min(box[2:]) < 1 or annotation.get('area', 1) <= 0


def _is_outside(box: Sequence[float], image: dict) -> bool:
    left, top, width, height = box
    return (min(left + width, image['width']) <= max(left, 0)
            or min(top + height, image['height']) <= max(top, 0))
