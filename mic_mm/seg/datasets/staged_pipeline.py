# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import copy
from typing import Optional

import mmcv.transforms
import mmseg.datasets.transforms as mmseg_transforms
from mmengine.dataset import Compose

from ..transforms import CheckLabels, PseudoLabelMargins
from .counting_crop import CountingCrop, faster_crop

# The same each time for the same image.  Subclasses may draw random numbers,
# so exactly these types.
_REPEATABLE = (mmcv.transforms.LoadImageFromFile, mmcv.transforms.Resize,
               mmseg_transforms.LoadAnnotations, mmseg_transforms.Resize,
               CheckLabels, PseudoLabelMargins)


class StagedPipeline:
    """A pipeline in three stages, to crop an image several times.

    Whatever would give the same result each time comes first and is done
    once; packing comes last, for the crop that is taken.  The distribution of
    the crops is that of running the whole pipeline each time.  Classes in a
    crop are counted by :class:`CountingCrop`.

    Args:
        pipeline (Compose): The pipeline of a dataset.
    """

    def __init__(self, pipeline: Compose) -> None:
        transforms = [faster_crop(t) for t in pipeline.transforms]
        first = next((i for i, transform in enumerate(transforms)
                      if type(transform) not in _REPEATABLE), len(transforms))
        packs = bool(transforms) and isinstance(
            transforms[-1], mmseg_transforms.PackSegInputs)
        last = len(transforms) - packs
        self._load = transforms[:first]
        self._crop = transforms[first:last]
        self._pack = transforms[last:]

    def load(self, results: dict) -> Optional[dict]:
        """Load an image and do what is the same each time."""
        return _apply(self._load, results)

    def crop(self, loaded: dict) -> Optional[dict]:
        """Do what is random; ``loaded`` is left as it is."""
        if self._crop and type(self._crop[0]) is CountingCrop:
            # It cuts views out, so that copying the crop is enough.
            cropped = self._crop[0](copy.copy(loaded))
            return _apply(self._crop[1:], copy.deepcopy(cropped))
        return _apply(self._crop, copy.deepcopy(loaded))

    def pack(self, cropped: dict) -> Optional[dict]:
        """Pack a crop."""
        return _apply(self._pack, cropped)


def _apply(transforms: list, results: Optional[dict]) -> Optional[dict]:
    for transform in transforms:
        if results is None:
            return None
        results = transform(results)
    return results
