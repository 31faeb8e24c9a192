# Copyright (c) mic_mm authors. All rights reserved.
"""Cityscapes classes in fog, at night, in rain and in snow."""
from __future__ import annotations

import os.path as osp
from typing import Optional

from mmseg.datasets import BaseSegDataset, CityscapesDataset

from mic_mm.registry import DATASETS


class _AdverseConditions(BaseSegDataset):
    """Images ``*_rgb_anon.png`` with labels ``*_gt_labelTrainIds.png``.

    Args:
        split (str, optional): Take only images below a folder of this name,
            anywhere below ``data_prefix.img_path``. With it the data set is
            read as it was published, the conditions above the splits.
            Defaults to None, all images.
        img_suffix (str): Defaults to ``'_rgb_anon.png'``.
        seg_map_suffix (str): Defaults to ``'_gt_labelTrainIds.png'``.
        **kwargs: See ``BaseSegDataset``.
    """

    METAINFO = CityscapesDataset.METAINFO

    def __init__(self,
                 split: Optional[str] = None,
                 img_suffix: str = '_rgb_anon.png',
                 seg_map_suffix: str = '_gt_labelTrainIds.png',
                 **kwargs) -> None:
        self.split = split
        super().__init__(
            img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)

    def load_data_list(self) -> list[dict]:
        """List the images, sorted by path."""
        images = super().load_data_list()
        if self.split is None:
            return images
        return [info for info in images if self.split in self._folders(info)]

    def _folders(self, info: dict) -> list[str]:
        folder = osp.dirname(info['img_path'])
        return osp.relpath(folder, self.data_prefix['img_path']).split(osp.sep)


@DATASETS.register_module()
class ACDCDataset(_AdverseConditions):
    """ACDC (Sakaridis et al., 2021): fog, night, rain and snow.

    It is read as published, or with the conditions merged:

    .. code-block:: none

        data/acdc/
          rgb_anon/{fog,night,rain,snow}/{train,val,test}/GOPR*/*_rgb_anon.png
          gt/{fog,night,rain,snow}/{train,val}/GOPR*/*_gt_labelTrainIds.png

    .. code-block:: none

        data/acdc/
          rgb_anon/{train,val,test}/GOPR*/*_rgb_anon.png
          gt/{train,val}/GOPR*/*_gt_labelTrainIds.png

    Both with ``data_prefix=dict(img_path='rgb_anon', seg_map_path='gt')`` and
    ``split='train'``.  Where no annotations are loaded, the folder of the
    labels need not exist.
    """


@DATASETS.register_module()
class DarkZurichDataset(_AdverseConditions):
    """Dark Zurich (Sakaridis et al., 2019): streets at night.

    .. code-block:: none

        data/dark_zurich/
          rgb_anon/{train,val,test}/night/GOPR*/*_rgb_anon.png
          gt/val/night/GOPR*/*_gt_labelTrainIds.png

    The images for training have no labels; they are loaded without
    ``LoadAnnotations``.
    """
