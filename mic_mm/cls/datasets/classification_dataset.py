# Copyright (c) mic_mm authors. All rights reserved.
"""Images of one domain, from a list file or from class folders."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.fileio import get_file_backend, list_from_file
from mmpretrain.datasets import CustomDataset
from mmpretrain.datasets.custom import find_folders, get_samples

from mic_mm.engine.data.corrupt_images import naming_corrupt_files
from mic_mm.registry import DATASETS
from mic_mm.utils.pictures import IMAGE_SUFFIXES, is_hidden


@DATASETS.register_module()
class ClassificationDataset(CustomDataset):
    """MMPretrain's ``CustomDataset`` where a label means what it says.

    It reads the same list files (``<path> <label>`` on each line) and class
    folders.  What differs:

    * class folders are numbered in the order of ``classes`` rather than of
      the alphabet, and have to be exactly these;
    * with a list file and ``with_label=False`` the labels in it are left
      unread, so that one file serves as labelled and as unlabelled domain;
    * a label without class, a class without image and a line that is none
      are errors that name the place;
    * hidden files and folders are no images and classes.

    Args:
        *args: See ``mmpretrain.CustomDataset``.
        extensions (Sequence[str]): Ends of the names of images. Defaults to
            all that the other tools take, with ``.webp`` and ``.tiff``.
        allow_empty_classes (bool): Accept classes without images. Defaults
            to False: an adapted model cannot learn a class that the source
            lacks, and its accuracy in the target would be undefined.
        **kwargs: See ``mmpretrain.CustomDataset``.

    Raises:
        ValueError: If labels, folders and classes do not fit together.
    """

    def __init__(self,
                 *args: Any,
                 extensions: Sequence[str] = IMAGE_SUFFIXES,
                 allow_empty_classes: bool = False,
                 **kwargs: Any) -> None:
        self.allow_empty_classes = allow_empty_classes
        super().__init__(*args, extensions=extensions, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Paths and labels of the images."""
        samples = self._listed() if self.ann_file else self._find_samples()
        backend = get_file_backend(self.img_prefix, enable_singleton=True)
        data_list = []
        for sample in samples:
            path, label = sample if self.with_label else (sample, None)
            info = dict(img_path=backend.join_path(self.img_prefix, path))
            if label is not None:
                info['gt_label'] = label
            data_list.append(info)
        if self.with_label and self.CLASSES and not self.allow_empty_classes:
            self._check_every_class(info['gt_label'] for info in data_list)
        return data_list

    def prepare_data(self, idx: int) -> Any:
        """Load an image; a corrupt one is named.

        Raises:
            CorruptImageError: If the file cannot be decoded.
        """
        with naming_corrupt_files(lambda: self.get_data_info(idx)):
            return super().prepare_data(idx)

    def is_valid_file(self, filename: str) -> bool:
        """Whether a file, relative to its folder, is an image."""
        return super().is_valid_file(filename) and not is_hidden(filename)

    def _listed(self) -> list:
        lines = list_from_file(self.ann_file)
        samples = [
            self._parse(line.strip(), number)
            for number, line in enumerate(lines, 1) if line.strip()
        ]
        return samples

    def _parse(self, line: str, number: int):
        path, _, last = line.rpartition(' ')
        has_label = bool(path) and last.lstrip('-').isdigit()
        if not self.with_label:
            return path.strip() if has_label else line
        if not has_label:
            raise ValueError(
                f'{self.ann_file}, line {number}: {line!r} has no label. '
                'A line is `<path of the image> <label>`; for images without '
                'labels set with_label=False.')
        label = int(last)
        if self.CLASSES and not 0 <= label < len(self.CLASSES):
            raise ValueError(
                f'{self.ann_file}, line {number}: label {label} lies outside '
                f'of the {len(self.CLASSES)} classes of the dataset. Labels '
                'count from 0; check `classes` and the list.')
        return path.strip(), label

    def _find_samples(self) -> list:
        if not self.with_label:
            return super()._find_samples()
        folders = [
            name for name in find_folders(self.img_prefix)[0]
            if not is_hidden(name)
        ]
        if self.CLASSES is None:
            self._metainfo['classes'] = tuple(folders)
        check_folders(folders, self.CLASSES, self.img_prefix)
        samples, _ = get_samples(
            self.img_prefix,
            self.class_to_idx,
            is_valid_file=self.is_valid_file)
        if not samples:
            raise RuntimeError(f'Found 0 files in {self.img_prefix}.')
        return samples

    def _check_every_class(self, labels) -> None:
        present = set(labels)
        empty = [c for i, c in enumerate(self.CLASSES) if i not in present]
        if empty:
            raise ValueError(
                f'{self.ann_file or self.img_prefix} has no image of '
                f'{len(empty)} of the {len(self.CLASSES)} classes: '
                f'{", ".join(empty)}. Add images, take the classes out of '
                '`classes`, or accept it with allow_empty_classes=True.')


def check_folders(folders: Sequence[str], classes: Sequence[str],
                  place: str) -> None:
    """Refuse class folders that are not the classes.

    Args:
        folders (Sequence[str]): Names of the folders.
        classes (Sequence[str]): Names of the classes.
        place (str): Where the folders are, for the message.

    Raises:
        ValueError: If a class has no folder or a folder no class.
    """
    missing = sorted(set(classes) - set(folders))
    unknown = sorted(set(folders) - set(classes))
    if missing or unknown:
        raise ValueError(
            f'The class folders in {place} differ from the classes: missing '
            f'{missing}, not a class {unknown}. Check data_prefix and '
            '`classes`.')
