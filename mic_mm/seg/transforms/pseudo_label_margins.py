# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform

from mic_mm.registry import TRANSFORMS

FIELD = 'pseudo_label_valid'


@TRANSFORMS.register_module()
class PseudoLabelMargins(BaseTransform):
    r"""Marks the borders of an image whose pseudo-labels are not trusted.

    It adds a map of the size of the loaded image,

    .. math::
        m_{y,x} = [\,\mathrm{top} \le y < H - \mathrm{bottom}\,]\;
                  [\,\mathrm{left} \le x < W - \mathrm{right}\,],

    and lists it in ``seg_fields``, so that it is resized (nearest
    neighbour), cropped and flipped with the image.
    :class:`PackUDASegInputs` packs it and :class:`PixelLabeller` multiplies
    the weights of the pseudo-labels by it.

    Place it directly behind ``LoadImageFromFile``.  Margins that belong to
    the crop and not to the image are options of :class:`PixelLabeller`.

    Required Keys:

    - img

    Modified Keys:

    - seg_fields

    Added Keys:

    - pseudo_label_valid (np.uint8, (H, W), 0 or 1)

    Args:
        top (int): Rows at the top, in pixels of the image as it is stored.
            Defaults to 30. The defaults are those of HRDA and MIC for
            Cityscapes (1024x2048): the rectification leaves stripes at the
            borders.
        bottom (int): Rows at the bottom. Defaults to 240, the bonnet of the
            car.
        left (int): Columns at the left. Defaults to 30.
        right (int): Columns at the right. Defaults to 30.

    Raises:
        ValueError: If a margin is negative.
    """

    def __init__(self,
                 top: int = 30,
                 bottom: int = 240,
                 left: int = 30,
                 right: int = 30) -> None:
        self.margins = dict(top=top, bottom=bottom, left=left, right=right)
        for name, value in self.margins.items():
            if value < 0:
                raise ValueError(
                    f'PseudoLabelMargins: {name}={value} must not be '
                    'negative.')

    def transform(self, results: dict) -> dict:
        """Add the map.

        Raises:
            ValueError: If the image was changed before, or the margins
                leave nothing of it.
        """
        size = results['img'].shape[:2]
        if size != tuple(results.get('ori_shape', size)):
            raise ValueError(
                f'PseudoLabelMargins: {results.get("img_path")} has been '
                f'resized or cropped from {results["ori_shape"]} to {size}. '
                'Place the transform directly behind LoadImageFromFile; '
                'margins are in pixels of the stored image.')
        results[FIELD] = self.valid_map(size, results.get('img_path'))
        results['seg_fields'] = [*results.get('seg_fields', ()), FIELD]
        return results

    def valid_map(self,
                  size: tuple[int, int],
                  name: str | None = None) -> np.ndarray:
        """The map of an image of size (H, W); ``name`` is for the error."""
        height, width = size
        m = self.margins
        if m['top'] + m['bottom'] >= height or m['left'] + m['right'] >= width:
            raise ValueError(
                f'PseudoLabelMargins: {m} leave no pixel of {name}, which has '
                f'{height} rows and {width} columns. Choose smaller margins.')
        valid = np.zeros(size, np.uint8)
        valid[m['top']:height - m['bottom'], m['left']:width - m['right']] = 1
        return valid

    def __repr__(self) -> str:
        margins = ', '.join(f'{k}={v}' for k, v in self.margins.items())
        return f'{type(self).__name__}({margins})'
