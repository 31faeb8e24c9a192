# Copyright (c) mic_mm authors. All rights reserved.
"""COCO files that are complete or not there."""
from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from .records import ImageRecord


def write_coco(path: Path, records: Sequence[ImageRecord],
               categories: Sequence[dict], job: dict) -> None:
    """Write the annotations of all images, in the order of the records.

    Ids are counted from 0 (images) and 1 (objects), so that the same records
    give the same bytes.

    Args:
        path (Path): The file.
        records (Sequence[ImageRecord]): Images with their objects.
        categories (Sequence[dict]): ``dict(id=..., name=...)`` each.
        job (dict): What was asked for, kept as ``info``.
    """
    images: list[dict] = []
    annotations: list[dict] = []
    for number, record in enumerate(records):
        images.append(
            dict(
                id=number,
                file_name=record.file_name,
                width=record.width,
                height=record.height))
        annotations += [
            dict(
                id=len(annotations) + offset,
                image_id=number,
                category_id=o.category,
                bbox=list(o.bbox),
                area=o.area,
                iscrowd=int(o.crowd))
            for offset, o in enumerate(record.objects, 1)
        ]
    content = dict(
        info=job,
        images=images,
        annotations=annotations,
        categories=list(categories))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'.{path.name}.partial')
    partial.write_text(json.dumps(content))
    os.replace(partial, path)


def is_written(path: Path, job: dict) -> bool:
    """Whether ``path`` is the complete result of the same job."""
    if not path.is_file():
        return False
    try:
        return json.loads(path.read_text()).get('info') == job
    except (ValueError, AttributeError):
        return False
