# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

from mmdet.datasets import CocoDataset
from mmengine.fileio import get_local_path
from mmengine.logging import print_log

from mic_mm.registry import DATASETS

from .annotation_checks import check_categories, problems, read_annotations


@DATASETS.register_module()
class DomainCocoDataset(CocoDataset):
    """A data set in a COCO file that says what it leaves out.

    It is MMDetection's ``CocoDataset``, with the same pictures and boxes, but

    * a file that is missing, empty or cut off, lists no image, or whose
      categories would make labels mean something else, is refused by name;
    * annotations of images or categories that the file does not list, and
      boxes without area or outside of their image, are left out with a
      warning that counts them and names the first of each kind;
      ``CocoDataset`` does so without a word, or fails;
    * ``filter_cfg=dict(filter_empty_gt=True)`` leaves out images without a
      box *to train on*.  ``CocoDataset`` keeps those whose only boxes have
      been left out, or are crowds;
    * it says how many images have no box.

    Boxes that are partly outside stay: ``Resize`` cuts them off.  Images that
    are missing or cannot be decoded are met while training, see
    ``max_corrupt`` of :class:`mic_mm.DomainPairDataset`.

    Args:
        **kwargs: See ``CocoDataset``.

    Raises:
        FileNotFoundError: If there is no annotation file.
        ValueError: If it cannot be used, or no image is left.
    """

    def load_data_list(self) -> list[dict]:
        """Images and boxes of the file."""
        with get_local_path(
                self.ann_file, backend_args=self.backend_args) as local:
            content = read_annotations(Path(local), self.ann_file)
        check_categories(content, self.metainfo['classes'], self.ann_file)
        kinds: Counter[str] = Counter()
        first: dict[str, str] = {}
        for kind, where in problems(content):
            kinds[kind] += 1
            first.setdefault(kind, where)
        for kind, count in kinds.items():
            print_log(
                f'{self.ann_file}: {count} of {len(content["annotations"])} '
                f'annotations have {kind} and are left out; the first is '
                f'{first[kind]}.',
                logger='current',
                level=logging.WARNING)
        return super().load_data_list()

    def filter_data(self) -> list[dict]:
        """Images to train on.

        Raises:
            ValueError: If none is left.
        """
        empty = [i for i in self.data_list if not _boxes(i)]
        options = self.filter_cfg or {}
        drops = options.get('filter_empty_gt', False) and not self.test_mode
        kept = super().filter_data()
        if drops:
            kept = [image for image in kept if _boxes(image)]
        if empty and not self.test_mode:
            what = 'are left out' if drops else 'are trained on as background'
            print_log(
                f'{self.ann_file}: {len(empty)} of {len(self.data_list)} '
                f'images have no box and {what}, where labels are used.',
                logger='current')
        if not kept:
            raise ValueError(
                f'The annotation file {self.ann_file} has no image left to '
                f'train on: {len(empty)} of {len(self.data_list)} have no box '
                f'of the classes {list(self.metainfo["classes"])}, and '
                f'filter_cfg={options}.')
        return kept


def _boxes(image: dict) -> list[dict]:
    return [i for i in image['instances'] if not i['ignore_flag']]
