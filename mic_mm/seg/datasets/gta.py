# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from mmseg.datasets import BaseSegDataset, CityscapesDataset

from mic_mm.registry import DATASETS


@DATASETS.register_module()
class GTADataset(BaseSegDataset):
    """Images of a game (Richter et al., 2016), in the classes of Cityscapes.

    .. code-block:: none

        data/gta/
          images/00001.png ... 24966.png
          labels/00001_labelTrainIds.png ...

    The label maps are written by ``tools/dataset_converters/gta.py``.

    Args:
        img_suffix (str): Defaults to ``'.png'``.
        seg_map_suffix (str): Defaults to ``'_labelTrainIds.png'``.
        **kwargs: See ``BaseSegDataset``.
    """

    METAINFO = CityscapesDataset.METAINFO

    def __init__(self,
                 img_suffix: str = '.png',
                 seg_map_suffix: str = '_labelTrainIds.png',
                 **kwargs) -> None:
        super().__init__(
            img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)
