# Copyright (c) mic_mm authors. All rights reserved.
"""Which runs the quickstart consists of."""
from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

METHODS = ('source-only', 'self-training', 'mic')
ORACLE = 'oracle'


@dataclass(frozen=True)
class Metric:
    """How a task is evaluated.

    Attributes:
        key (str): Name of the metric in the log.
        name (str): Name for people.
        scale (float): Factor that makes it a percentage.
    """

    key: str
    name: str
    scale: float = 1.


METRICS = {
    'cls': Metric('accuracy/top1', 'accuracy (%)'),
    'seg': Metric('mIoU', 'mIoU (%)'),
    'det': Metric('coco/bbox_mAP_50', 'AP50 (%)', 100.),
}
# The benchmark may have configs of other models too.
MODELS = {'cls': 'tiny-resnet', 'seg': 'tiny-unet', 'det': 'tiny-fcos'}
TASKS = tuple(METRICS)


@dataclass(frozen=True)
class Run:
    """One training with an evaluation at the end.

    Attributes:
        task (str): ``'cls'``, ``'seg'`` or ``'det'``.
        method (str): Name of the config up to the first ``_``.
        seed (int): Seed of the run.
        config (Path): Config file.
        folder (Path): Work directory.
    """

    task: str
    method: str
    seed: int
    config: Path
    folder: Path

    @property
    def name(self) -> str:
        """Name for people."""
        return f'{self.task} {self.method} seed {self.seed}'

    @property
    def log(self) -> Path:
        """What the process printed."""
        return self.folder / 'output.log'

    def result(self, fingerprint: Optional[str] = None) -> Optional[dict]:
        """What the run wrote at its end; None if it did not get there.

        Args:
            fingerprint (str, optional): Accept only results of a run with
                this fingerprint. Defaults to None.
        """
        path = self.folder / 'result.json'
        if not path.is_file():
            return None
        result = json.loads(path.read_text())
        if fingerprint not in (None, result['fingerprint']):
            return None
        return result

    @property
    def value(self) -> float:
        """The result of the finished run in percent."""
        metric = METRICS[self.task]
        return self.result()['metrics'][metric.key] * metric.scale


def fingerprint(config_text: str, seed: int, version: str) -> str:
    """Tells runs with different settings apart."""
    text = '\n'.join((config_text, str(seed), version))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def make_plan(root: Path, folder: Path, tasks, methods, seeds: int) -> list:
    """The runs of some tasks and methods, one for each seed.

    Args:
        root (Path): The repository.
        folder (Path): Where the results go.
        tasks (Sequence[str]): Tasks.
        methods (Sequence[str]): Methods.
        seeds (int): Number of seeds, which are 0, 1, ...

    Returns:
        list[Run]: The runs, by task, seed and method.

    Raises:
        FileNotFoundError: If there is no config, or not just one.
    """
    return [
        Run(task, method, seed, find_config(root, task, method),
            folder / task / method / f'seed{seed}') for task in tasks
        for seed in range(seeds) for method in methods
    ]


def find_config(root: Path, task: str, method: str) -> Path:
    """The config of a method on the digits benchmark.

    Raises:
        FileNotFoundError: If there is none, or more than one.
    """
    folder = root / 'configs' / task / 'digits'
    pattern = f'{method}_{MODELS[task]}_*mnist5k.py'
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise FileNotFoundError(
            f'There has to be one config {folder}/{pattern}, but there are '
            f'{len(found)}: {[path.name for path in found]}.')
    return found[0]
