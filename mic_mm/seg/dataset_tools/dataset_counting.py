# Copyright (c) mic_mm authors. All rights reserved.
"""Class statistics of any dataset of MMSegmentation."""
from __future__ import annotations

import copy
import os.path as osp
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from mmseg.datasets import BaseSegDataset
from mmseg.datasets.transforms import LoadAnnotations

from mic_mm.utils.journal import Journal, file_state
from mic_mm.utils.parallel import run_in_order

from .image_size import size_problem
from .outcome import Outcome, count_classes, report, statistics_of

JOURNAL = '.class_statistics.part'


@dataclass(frozen=True)
class LabelCounter:
    """Counts the pixels of each class in a label map, as it is trained on.

    Label map and ``reduce_zero_label`` of the dataset are applied by
    ``LoadAnnotations``, so the classes are those of the model.

    Attributes:
        load (LoadAnnotations): That of the dataset's pipeline.
        num_classes (int): Number of classes; 0 allows any.
        ignore_index (int): Value of pixels without a class.
    """

    load: LoadAnnotations
    num_classes: int
    ignore_index: int

    def __call__(self, info: dict) -> Outcome:
        """Count the label map of an image, given its info of the dataset."""
        file = info['seg_map_path']
        try:
            labels = self.load(copy.deepcopy(info))['gt_seg_map']
        # Whatever is wrong with a file, the others are to be counted.
        except Exception as error:
            return Outcome(file, problem=f'cannot be used: {error}')
        counts = count_classes(labels, self.ignore_index)
        return Outcome(file, counts, self._problem(info, labels, counts))

    def _problem(self, info: dict, labels, counts: dict) -> str | None:
        outside = [c for c in counts if self.num_classes <= c]
        if self.num_classes and outside:
            return (f'has the labels {outside}; classes are 0 to '
                    f'{self.num_classes - 1}, ignored is {self.ignore_index}')
        if osp.isfile(info['img_path']):
            return size_problem(labels.shape[:2], info['img_path'])
        return None


def count_dataset(dataset: BaseSegDataset, folder: Path,
                  processes: int) -> int:
    """Count the classes of a dataset and write the statistics.

    The same dataset gives the same files, whatever the number of processes
    and interruptions.

    Args:
        dataset (BaseSegDataset): The labelled images.
        folder (Path): Where the statistics go; it is made.
        processes (int): Number of processes.

    Returns:
        int: Exit code: 0 if every label map can be used, else 1.

    Raises:
        ValueError: If the dataset has no label maps.
    """
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    if not infos or 'seg_map_path' not in infos[0]:
        raise ValueError(
            f'The dataset has {len(infos)} images and no label maps. Set '
            'data_root, data_prefix=dict(img_path=..., seg_map_path=...) and '
            'the suffixes of the dataset.')
    counter = _counter(dataset)
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(
        folder / JOURNAL,
        dict(
            num_classes=counter.num_classes,
            ignore_index=counter.ignore_index,
            reduce_zero_label=dataset.reduce_zero_label,
            label_map=str(dataset.label_map)))
    outcomes = {
        info['seg_map_path']: _known(journal, info['seg_map_path'])
        for info in infos
    }
    missing = [i for i in infos if outcomes[i['seg_map_path']] is None]
    for outcome in run_in_order(counter, missing, processes, 'label maps'):
        _write_down(journal, outcome)
        outcomes[outcome.file] = outcome
    statistics_of(list(outcomes.values())).write(folder)
    journal.close(remove=True)
    return report(list(outcomes.values()), 'counted')


def _known(journal: Journal, file: str) -> Optional[Outcome]:
    counts = journal.get(file, file_state(file))
    if counts is None:
        return None
    counts = {int(c): n for c, n in counts.items()}
    return Outcome(file, counts, is_new=False)


def _write_down(journal: Journal, outcome: Outcome) -> None:
    if outcome.problem is None:
        journal.add(outcome.file, file_state(outcome.file), outcome.counts)


def _counter(dataset: BaseSegDataset) -> LabelCounter:
    loads = [
        transform for transform in dataset.pipeline.transforms
        if isinstance(transform, LoadAnnotations)
    ]
    return LabelCounter(loads[0] if loads else LoadAnnotations(),
                        len(dataset.metainfo.get('classes') or ()),
                        dataset.ignore_index)
