# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePath


class LabelMapIndex:
    """Finds the images of a dataset by the paths of their label maps.

    Class statistics hold the paths from when they were made, and data sets
    are moved: the names of the files are compared, and where several files
    have one name, as many folders above them as it takes.

    Args:
        paths (Iterable[str]): Paths of the label maps, by index of the image.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = [PurePath(path) for path in paths]
        self._by_name: dict[str, list[int]] = defaultdict(list)
        for index, path in enumerate(self._paths):
            self._by_name[path.name].append(index)

    def find(self, file: str) -> int | None:
        """Index of the image of a label map; None if it has none.

        Raises:
            ValueError: If it may be any of several.
        """
        path = PurePath(file)
        found = self._by_name.get(path.name, [])
        if len(found) < 2:
            return found[0] if found else None
        shared = [_shared_end(path, self._paths[i]) for i in found]
        if shared.count(max(shared)) > 1:
            raise ValueError(
                f'The class statistics of {file} may belong to several label '
                'maps of the dataset: '
                f'{", ".join(str(self._paths[i]) for i in found)}. Make them '
                'anew with tools/dataset_converters/class_statistics.py.')
        return found[shared.index(max(shared))]


def _shared_end(a: PurePath, b: PurePath) -> int:
    """Number of names that two paths have in common at the end."""
    count = 0
    for one, other in zip(reversed(a.parts), reversed(b.parts)):
        if one != other:
            break
        count += 1
    return count
