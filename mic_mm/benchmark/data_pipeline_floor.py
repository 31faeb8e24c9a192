# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from typing import Any, Optional

import cv2
import mmcv
import numpy as np
from mmengine.config import ConfigDict


class DecodingFloor:
    """Decodes and resizes the images of a dataset, and nothing else.

    No pipeline that shows whole images at a scale can do less: OpenCV reads
    the image, and the label map where there is one, and resizes both.

    Args:
        dataset (Dataset): Tells the files of an item by ``get_data_info``.
        pipeline (list[dict]): The config of its pipeline.
    """

    def __init__(self, dataset: Any, pipeline: list[dict]) -> None:
        self.dataset = dataset
        self.scale = _scale(pipeline)
        self.reads_labels = any(
            step['type'].endswith('LoadAnnotations') for step in pipeline)

    def __call__(self, item: int) -> None:
        """Read and resize an item."""
        info = self.dataset.get_data_info(item % len(self.dataset))
        self._read(info['img_path'], cv2.IMREAD_COLOR, cv2.INTER_LINEAR)
        if self.reads_labels:
            self._read(info['seg_map_path'], cv2.IMREAD_UNCHANGED,
                       cv2.INTER_NEAREST)

    def _read(self, path: str, flags: int, interpolation: int) -> np.ndarray:
        pixels = cv2.imread(path, flags)
        size = pixels.shape[1::-1]
        if self.scale is not None:
            new_size = mmcv.rescale_size(size, self.scale)
            if new_size != size:
                return cv2.resize(
                    pixels, new_size, interpolation=interpolation)
        return pixels


def _scale(pipeline: list[dict]) -> Optional[tuple[int, int]]:
    """Of the first transform that resizes, if any."""
    return next((tuple(step['scale']) for step in pipeline
                 if step['type'].endswith('Resize') and 'scale' in step), None)


def pipeline_of(cfg: ConfigDict) -> list[dict]:
    """The pipeline of a dataset's config, also of a wrapped one.

    Raises:
        ValueError: If there is none.
    """
    while 'pipeline' not in cfg and 'dataset' in cfg:
        cfg = cfg['dataset']
    if 'pipeline' not in cfg:
        raise ValueError(f"The dataset {cfg.get('type')} has no pipeline.")
    return cfg['pipeline']
