# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

# In the order in which they are looked for; each holds all the numbers.
STATISTICS_FILES = ('sample_class_stats.json', 'sample_class_stats_dict.json',
                    'samples_with_class.json')


@dataclass(frozen=True)
class ClassStatistics:
    """How many pixels each class has in each label map of a dataset.

    The files are those of DAFormer, HRDA and MIC:

    - ``sample_class_stats.json``: ``[{"0": 512, ..., "file": path}, ...]``
    - ``sample_class_stats_dict.json``: ``{path: {"0": 512, ...}, ...}``
    - ``samples_with_class.json``: ``{"0": [[path, 512], ...], ...}``

    Attributes:
        counts (dict): Path of the label map -> class -> number of pixels,
            classes without pixels left out.
    """

    counts: Mapping[str, Mapping[int, int]]

    @classmethod
    def read(cls, path: str | Path) -> ClassStatistics:
        """Read the statistics from a folder or from one of the files.

        Raises:
            FileNotFoundError: If there are none.
            ValueError: If a file has another layout or lists no pixels.
        """
        path = Path(path).expanduser()
        candidates = [path / name for name in STATISTICS_FILES]
        file = next((p for p in [path, *candidates] if p.is_file()), None)
        if file is None:
            raise FileNotFoundError(
                f'There are no class statistics in {path} (one of '
                f'{", ".join(STATISTICS_FILES)}). Make them with `python '
                'tools/dataset_converters/class_statistics.py CONFIG`, or '
                'with the converter of the data set.')
        try:
            statistics = cls(_parse(json.loads(file.read_text())))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f'{file} does not hold class statistics ({error!r}). Make it '
                'anew with tools/dataset_converters/class_statistics.py.'
            ) from error
        if not statistics.totals():
            raise ValueError(
                f'The class statistics {file} are empty: they list '
                f'{len(statistics.counts)} label maps and no pixel of any '
                'class. Make them anew with '
                'tools/dataset_converters/class_statistics.py.')
        return statistics

    def write(self, folder: str | Path) -> None:
        """Write the three files; each is complete or not there."""
        counts = {
            file: {str(c): n for c, n in sorted(row.items())}
            for file, row in self.counts.items()
        }
        contents = ([{**row, 'file': file} for file, row in counts.items()],
                    counts, {
                        str(c): [[file, n] for file, n in
                                 self.files_with(c).items()]
                        for c in sorted(self.totals())
                    })
        for name, content in zip(STATISTICS_FILES, contents):
            temporary = Path(folder, f'{name}.part')
            temporary.write_text(json.dumps(content, indent=2))
            temporary.replace(Path(folder, name))

    def totals(self) -> dict[int, int]:
        """Number of pixels of each class that occurs."""
        totals: Counter = Counter()
        for row in self.counts.values():
            totals.update(row)
        return {c: n for c, n in totals.items() if n > 0}

    def files_with(self, class_id: int, more_than: int = 0) -> dict[str, int]:
        """Label maps with more than that many pixels of a class."""
        return {
            file: row[class_id]
            for file, row in self.counts.items()
            if row.get(class_id, 0) > more_than
        }

    def restricted_to(self, files: Collection[str]) -> ClassStatistics:
        """The statistics of some of the label maps."""
        return ClassStatistics(
            {f: row for f, row in self.counts.items() if f in files})


def _parse(content: list | dict) -> dict[str, dict[int, int]]:
    """Read any of the three layouts."""
    if isinstance(content, list):
        return {row['file']: _classes(row) for row in content}
    if any(isinstance(value, list) for value in content.values()):
        counts: dict[str, dict[int, int]] = {}
        for class_id, files in content.items():
            for file, pixels in files:
                counts.setdefault(file, {})[int(class_id)] = int(pixels)
        return counts
    return {file: _classes(row) for file, row in content.items()}


def _classes(row: dict) -> dict[int, int]:
    return {int(c): int(n) for c, n in row.items() if c != 'file'}
