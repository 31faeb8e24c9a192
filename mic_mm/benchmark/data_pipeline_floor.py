# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import mmcv
import numpy as np
from mmengine.config import ConfigDict

from .data_pipeline_size import first_resizing, kind_of, size_after


class DecodingFloor:
    """Decodes and resizes the images of a dataset, and nothing else.

    No pipeline that shows whole images at a scale can do less: the image is
    read, and in segmentation the label map where there is one, and both are
    resized, see :func:`.data_pipeline_size.size_after`.  OpenCV does it, or
    Pillow with the interpolation that is asked for where the config asks for
    Pillow, whose pixels are others.  Boxes and classes are in memory and cost
    nothing here.

    Args:
        dataset (Dataset): Tells the files of an item by ``get_data_info``.
        pipeline (list[dict]): The config of its pipeline.
    """

    def __init__(self, dataset: Any, pipeline: list[dict]) -> None:
        self.dataset = dataset
        self.loading: Mapping = next(
            (step for step in pipeline
             if kind_of(step).startswith('LoadImage')), {})
        self.resizing = first_resizing(pipeline)
        # MMDetection loads a map only where with_seg says so.
        self.reads_labels = any(
            kind_of(step) == 'LoadAnnotations' and step.get('with_seg', True)
            for step in pipeline)

    def __call__(self, item: int) -> None:
        """Read and resize an item.

        Raises:
            FileNotFoundError: If its image does not exist or cannot be read.
            ValueError: If the dataset keeps its images in no files.
        """
        info = self.dataset.get_data_info(item % len(self.dataset))
        if 'img_path' not in info:
            raise ValueError(
                f'The images of {type(self.dataset).__name__} are no files '
                'whose decoding could be measured.')
        self._image(info['img_path'])
        if self.reads_labels and info.get('seg_map_path'):
            self._label_map(info['seg_map_path'])

    def _image(self, path: str) -> np.ndarray:
        pixels = mmcv.imread(
            path,
            flag=self.loading.get('color_type', 'color'),
            backend=self.loading.get('imdecode_backend') or 'cv2')
        return self._resized(
            _checked(pixels, path),
            interpolation=self._option('interpolation', 'bilinear'),
            backend=self._option('backend', 'cv2'))

    def _label_map(self, path: str) -> np.ndarray:
        pixels = cv2.imread(path, cv2.IMREAD_UNCHANGED)
        return self._resized(_checked(pixels, path), interpolation='nearest')

    def _option(self, name: str, default: str) -> str:
        return (self.resizing or {}).get(name) or default

    def _resized(self, pixels: np.ndarray, **options: str) -> np.ndarray:
        size = pixels.shape[1::-1]
        new_size = size_after(self.resizing, size) if self.resizing else size
        if new_size == size:
            return pixels
        return mmcv.imresize(pixels, new_size, **options)


def _checked(pixels: Any, path: str) -> np.ndarray:
    if pixels is None:
        raise FileNotFoundError(f'The image {path} cannot be decoded.')
    return pixels


def innermost(cfg: ConfigDict) -> ConfigDict:
    """The config of the dataset that is wrapped, or ``cfg`` itself."""
    while 'pipeline' not in cfg and 'dataset' in cfg:
        cfg = cfg['dataset']
    return cfg


def pipeline_of(cfg: ConfigDict) -> list[dict]:
    """The pipeline of a dataset's config, also of a wrapped one.

    Raises:
        ValueError: If there is none.
    """
    cfg = innermost(cfg)
    if 'pipeline' not in cfg:
        raise ValueError(f"The dataset {cfg.get('type')} has no pipeline.")
    return cfg['pipeline']
