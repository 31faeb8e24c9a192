# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import logging
from typing import Optional

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.logging import print_log

from mic_mm.registry import TRANSFORMS

_ON_DIFFERENT_SIZE = ('error', 'skip')


@TRANSFORMS.register_module()
class CheckLabels(BaseTransform):
    """Refuses label maps that do not fit their image or the classes.

    A label outside of the range of classes is an illegal memory access in
    the loss on a GPU, and a label map of another size than its image is
    cropped elsewhere than the image; neither is told by the libraries.

    Place it directly behind ``LoadAnnotations``.  Images whose labels are not
    loaded pass: ``mmseg.apis.inference_model`` takes ``LoadAnnotations`` out
    of the test pipeline.

    Required Keys:

    - gt_seg_map (optional)
    - ori_shape, set by ``LoadImageFromFile``

    Args:
        num_classes (int): Number of classes.
        ignore_index (int): Value of pixels without a class. Defaults to 255.
        different_size (str): What to do if image and labels differ in size:
            ``'error'``, or ``'skip'``, which takes another image instead
            and logs the name. Defaults to ``'error'``.

    Raises:
        ValueError: If ``different_size`` is unknown.
    """

    def __init__(self,
                 num_classes: int,
                 ignore_index: int = 255,
                 different_size: str = 'error') -> None:
        if different_size not in _ON_DIFFERENT_SIZE:
            raise ValueError(f'CheckLabels: different_size={different_size!r} '
                             f'is none of {_ON_DIFFERENT_SIZE}.')
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self.different_size = different_size

    def transform(self, results: dict) -> Optional[dict]:
        """Check ``results['gt_seg_map']``.

        Returns:
            dict | None: The results, or None to take another image.

        Raises:
            ValueError: If the labels do not fit.
        """
        if 'gt_seg_map' not in results:
            return results
        labels = results['gt_seg_map']
        size = tuple(results['ori_shape'][:2])
        if labels.shape[:2] != size:
            self._different_size(results, labels.shape[:2], size)
            return None
        outside = (labels >= self.num_classes) & (labels != self.ignore_index)
        if outside.any():
            values, counts = np.unique(labels[outside], return_counts=True)
            found = ', '.join(f'{value} ({count} pixels)'
                              for value, count in zip(values, counts))
            raise ValueError(
                f'{results.get("seg_map_path")} has labels outside of the '
                f'classes 0 to {self.num_classes - 1} (ignored: '
                f'{self.ignore_index}): {found}. Convert the labels to class '
                'indices (tools/dataset_converters), or correct the classes '
                'of the dataset or reduce_zero_label.')
        return results

    def _different_size(self, results: dict, labels: tuple[int, int],
                        image: tuple[int, int]) -> None:
        message = (f'{results.get("seg_map_path")} is {labels} (height, '
                   f'width), but its image {results.get("img_path")} is '
                   f'{image}.')
        if self.different_size == 'error':
            raise ValueError(
                f'{message} Remove or repair the pair, or take another image '
                "in such cases with CheckLabels(different_size='skip').")
        print_log(
            f'{message} Another image is taken instead.',
            logger='current',
            level=logging.WARNING)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(num_classes={self.num_classes}, '
                f'ignore_index={self.ignore_index}, '
                f'different_size={self.different_size!r})')
