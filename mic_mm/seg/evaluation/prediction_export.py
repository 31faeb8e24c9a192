# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import os.path as osp
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from PIL import Image

from mic_mm.registry import METRICS

from ..datasets.label_ids import CITYSCAPES_IDS, to_label_ids

_IDS = ('train', 'cityscapes')


@METRICS.register_module()
class PredictionExport(BaseMetric):
    """Writes predictions as the servers of the benchmarks want them.

    One PNG of 8 bit per image, at the size of the stored image, with the
    palette of the data set.  No labels are needed.  ``tools/test.py`` runs it
    as any metric; ``tools/misc/export_predictions.py`` does so on the images
    of the server.

    =============  ==================  ====================================
    server         ``ids``             file names
    =============  ==================  ====================================
    Cityscapes     ``'cityscapes'``    of the images
    ACDC           ``'train'``         of the images
    Dark Zurich    ``'train'``         of the images, in a folder
                                       ``labelTrainIds``
    =============  ==================  ====================================

    Args:
        output_dir (str): Folder of the files; it is made.
        ids (str): ``'train'``: indices of the classes. ``'cityscapes'``: the
            ids of the published label maps, e.g. 7 for road. Defaults to
            ``'train'``.
        palette (bool): Write a PNG with the colours of the classes; its
            pixels are still the ids. Some readers turn it into colours.
            Defaults to True, as in the original.
        suffix (tuple[str, str], optional): End of the name of an image,
            without ``.png``, and what to write instead, e.g.
            ``('_rgb_anon', '_gt_labelTrainIds')``. Defaults to None.
        collect_device (str): See ``BaseMetric``. Defaults to 'cpu'.

    Raises:
        ValueError: If ``ids`` is unknown.
    """

    def __init__(self,
                 output_dir: str,
                 ids: str = 'train',
                 palette: bool = True,
                 suffix: Optional[tuple[str, str]] = None,
                 collect_device: str = 'cpu') -> None:
        super().__init__(collect_device=collect_device)
        if ids not in _IDS:
            raise ValueError(
                f'PredictionExport: ids={ids!r} is none of {_IDS}.')
        self.output_dir = output_dir
        self.ids = ids
        self.palette = palette
        self.suffix = tuple(suffix) if suffix else None

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Write the predictions of a batch.

        Raises:
            ValueError: If the classes are not those of Cityscapes, or the
                name of an image ends otherwise than ``suffix``.
        """
        for sample in data_samples:
            labels = sample['pred_sem_seg']['data'].squeeze().cpu().numpy()
            name = self.file_name(sample['img_path'])
            self._save(labels.astype(np.uint8), Path(self.output_dir, name))
            self.results.append((name, sample['img_path']))

    def file_name(self, img_path: str) -> str:
        """Name of the file of an image."""
        stem = osp.splitext(osp.basename(img_path))[0]
        if self.suffix is not None:
            old, new = self.suffix
            if not stem.endswith(old):
                raise ValueError(
                    f'PredictionExport: the name of {img_path} does not end '
                    f'in {old!r}; correct suffix={self.suffix}.')
            stem = stem.removesuffix(old) + new
        return f'{stem}.png'

    def compute_metrics(self, results: list) -> dict:
        """Check that each image has a file of its own; there is no score.

        Raises:
            ValueError: If images of one name have overwritten each other.
        """
        images: dict[str, str] = {}
        for name, path in results:
            if images.setdefault(name, path) != path:
                raise ValueError(
                    f'{images[name]} and {path} have been written to one '
                    f'file, {name}. Export the folders one by one.')
        print_log(
            f'{len(images)} predictions are in {osp.abspath(self.output_dir)}',
            logger='current')
        return {}

    def _save(self, train_ids: np.ndarray, path: Path) -> None:
        colours = {
            i: colour
            for i, colour in enumerate(self.dataset_meta['palette'])
        }
        labels = train_ids
        if self.ids == 'cityscapes':
            labels, colours = self._cityscapes(train_ids, colours)
        image = Image.fromarray(labels)
        if self.palette:
            table = np.zeros((256, 3), np.uint8)
            table[list(colours)] = list(colours.values())
            image.putpalette(table.flatten().tolist())
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)

    def _cityscapes(self, train_ids: np.ndarray,
                    colours: dict) -> tuple[np.ndarray, dict]:
        count = len(self.dataset_meta['classes'])
        if count != len(CITYSCAPES_IDS):
            raise ValueError(
                "PredictionExport: ids='cityscapes' needs the 19 classes of "
                f"Cityscapes, but the dataset has {count}. Use ids='train'.")
        colours = {i: colours[c] for i, c in CITYSCAPES_IDS.items()}
        return to_label_ids(train_ids, CITYSCAPES_IDS), colours
