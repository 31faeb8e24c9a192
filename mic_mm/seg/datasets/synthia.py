# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from mmseg.datasets import BaseSegDataset, CityscapesDataset

from mic_mm.registry import DATASETS


@DATASETS.register_module()
class SYNTHIADataset(BaseSegDataset):
    """SYNTHIA-RAND-CITYSCAPES (Ros et al., 2016), in classes of Cityscapes.

    .. code-block:: none

        data/synthia/
          RGB/0000000.png ... 0009399.png
          GT/LABELS/0000000_labelTrainIds.png ...

    The label maps are written by ``tools/dataset_converters/synthia.py``.
    Terrain, truck and train do not occur; the protocols of 16 and 13 classes
    are those of :class:`DomainIoUMetric`.

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
