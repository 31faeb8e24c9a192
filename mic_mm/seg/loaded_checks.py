# Copyright (c) mic_mm authors. All rights reserved.
"""Mistakes in loaded batches that would surface without the file's name."""
from __future__ import annotations

from typing import Optional

import numpy as np
from mmseg.structures import SegDataSample
from torch import Tensor


def check_labels(batch: dict, num_classes: int, ignore_index: int) -> None:
    """Refuse label maps that do not fit their image or the classes.

    Args:
        batch (dict): ``inputs`` and ``data_samples`` as loaded, on the host.
        num_classes (int): Number of classes of the segmentor.
        ignore_index (int): Value of pixels without a class.

    Raises:
        ValueError: If a label map has another size than its image, or a value
            that is no class.
    """
    for image, sample in zip(batch['inputs'], batch['data_samples']):
        if 'gt_sem_seg' not in sample:
            continue
        labels = sample.gt_sem_seg.data
        if labels.shape[-2:] != image.shape[-2:]:
            raise ValueError(
                f'The label map of {_name(sample)} is '
                f'{_size(labels)} pixels (height x width) and its image '
                f'{_size(image)} at the end of the pipeline. Check the files, '
                'and that each transform changes image and labels alike.')
        numbers = labels.cpu().numpy()
        outside = (numbers < 0) | (numbers >= num_classes)
        outside &= numbers != ignore_index
        if outside.any():
            values = np.unique(numbers[outside]).tolist()
            raise ValueError(
                f'The label map of {_name(sample)} has the values '
                f'{values}, but the classes are 0 to {num_classes - 1} '
                f'(ignored: {ignore_index}). Convert the labels to class '
                'indices, or correct num_classes of the decode head or '
                'reduce_zero_label of the dataset.')


def check_target_size(batch: dict,
                      crop_size: Optional[tuple[int, int]]) -> None:
    """Refuse target images that would have to be padded.

    Args:
        batch (dict): ``inputs`` and ``data_samples`` as loaded.
        crop_size (tuple[int, int], optional): What the data preprocessor pads
            to; None: nothing is known.

    Raises:
        ValueError: If a target image is smaller.
    """
    for image, sample in zip(batch['inputs'], batch['data_samples']):
        if crop_size is not None and any(
                side < crop for side, crop in zip(image.shape[-2:],
                                                  crop_size)):
            raise ValueError(
                f'The target image {_name(sample)} is {_size(image)} pixels '
                '(height x width) at the end of its pipeline, smaller than '
                f'the crop, data_preprocessor.size={tuple(crop_size)}. '
                'Pseudo-labels of a padded border say nothing: use a larger '
                'scale in Resize of the target pipeline, or smaller crops in '
                'both.')


def _size(maps: Tensor) -> str:
    return 'x'.join(map(str, maps.shape[-2:]))


def _name(sample: SegDataSample) -> str:
    return sample.get('img_path', 'an image whose img_path is not packed')
