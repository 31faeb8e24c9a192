# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.datasets.transforms import PackSegInputs

from mic_mm.registry import TRANSFORMS

from .pseudo_label_margins import FIELD


@TRANSFORMS.register_module()
class PackUDASegInputs(PackSegInputs):
    """Packs an image, its labels and the map of trusted pseudo-labels.

    It is ``PackSegInputs`` of MMSegmentation, and the map of
    :class:`PseudoLabelMargins`, where there is one, becomes the field
    ``pseudo_label_valid`` of the data sample, of shape (1, H, W).

    ``Pad`` pads images and labels but no other field, so a map that is
    smaller than the image is padded here, with 0: what is no image has no
    pseudo-label.

    Args:
        meta_keys (Sequence[str]): See ``PackSegInputs``.
    """

    def transform(self, results: dict) -> dict:
        """Pack.

        Raises:
            ValueError: If the label map or the map of trusted pseudo-labels
                does not fit the image.
        """
        size = results['img'].shape[:2]
        labels = results.get('gt_seg_map')
        if labels is not None and labels.shape[:2] != size:
            _refuse(results, 'label map', labels, size)
        packed = super().transform(results)
        valid = results.get(FIELD)
        if valid is not None:
            missing = [full - part for full, part in zip(size, valid.shape)]
            if min(missing) < 0:
                _refuse(results, FIELD, valid, size)
            valid = np.pad(valid, [(0, n) for n in missing])
            field = PixelData(data=torch.from_numpy(valid)[None])
            packed['data_samples'].set_field(field, FIELD)
        return packed


def _refuse(results: dict, what: str, array: np.ndarray,
            size: tuple[int, int]) -> None:
    raise ValueError(
        f'The {what} of {results.get("img_path")} is {array.shape[:2]} '
        f'(height, width) and its image {size} at the end of the pipeline. '
        'Check the sizes of the files '
        f'({results.get("seg_map_path")}) with mic_mm.CheckLabels behind '
        'LoadAnnotations, and that each transform of the pipeline changes '
        'all fields in seg_fields.')
