# Copyright (c) mic_mm authors. All rights reserved.
"""Runs processes side by side and watches how far they are."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from .plan import METRICS, Run

_POLL = 0.25
_WORKER = Path(__file__).with_name('worker.py')
# Written first into the folder of a run, so that only such are replaced.
_MARK = 'run.json'


@dataclass
class Progress:
    """How far a run is.

    Attributes:
        phase (str): ``'waiting'``, ``'starting'``, ``'train'``, ``'test'``,
            ``'done'`` or ``'failed'``.
        done (int): Finished iterations of the phase.
        total (int): All iterations of the phase.
        began (float, optional): When the process was started.
        ended (float, optional): When it ended.
        marks (list): Times and iterations seen while training.
    """

    phase: str = 'waiting'
    done: int = 0
    total: int = 0
    began: Optional[float] = None
    ended: Optional[float] = None
    marks: list = field(default_factory=list)

    def update(self, state: dict) -> None:
        """Take over what the run wrote."""
        self.phase, self.done, self.total = (
            state[key] for key in ('phase', 'done', 'total'))
        if self.phase == 'train' and (not self.marks
                                      or self.marks[-1][1] != self.done):
            self.marks.append((time.time(), self.done))

    @property
    def seconds_left(self) -> Optional[float]:
        """Of the training, at the speed of its last quarter so far.

        Iterations get slower when objectives begin, so old ones mislead.
        """
        if self.phase != 'train' or len(self.marks) < 2:
            return None
        now, done = self.marks[-1]
        count = len(self.marks)
        then, before = self.marks[min(count * 3 // 4, count - 2)]
        return (self.total - done) * (now - then) / (done - before)


class Pool:
    """Runs a list of runs, a few at a time.

    Args:
        runs (Sequence[Run]): What to run, in this order.
        jobs (int): Processes at a time.
        threads (int): Threads of each process.
        options (Sequence[str]): ``KEY=VALUE`` for each config.
        fingerprints (dict): Fingerprint of each run.
    """

    def __init__(self, runs: Sequence[Run], jobs: int, threads: int,
                 options: Sequence[str], fingerprints: dict) -> None:
        self.progress = {run: Progress() for run in runs}
        self.jobs = jobs
        self.options = list(options)
        self.fingerprints = fingerprints
        self.environment = {**os.environ, 'OMP_NUM_THREADS': str(threads)}
        self._processes: dict[Run, subprocess.Popen] = {}

    def run(self, show: Callable[[dict], None]) -> None:
        """Run everything; ``show`` is called with the progress."""
        waiting = list(self.progress)
        try:
            while waiting or self._processes:
                while waiting and len(self._processes) < self.jobs:
                    self._start(waiting.pop(0))
                time.sleep(_POLL)
                for run in list(self._processes):
                    self._watch(run)
                show(self.progress)
        finally:
            self._stop()

    def _start(self, run: Run) -> None:
        prepare_folder(run)
        command = [
            sys.executable, '-u', str(_WORKER), str(run.config),
            str(run.folder), '--seed', str(run.seed), '--fingerprint',
            self.fingerprints[run], '--metric', METRICS[run.task].key
        ]
        if self.options:
            command += ['--cfg-options', *self.options]
        with run.log.open('w') as log:
            self._processes[run] = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=self.environment)
        progress = self.progress[run]
        progress.phase, progress.began = 'starting', time.time()

    def _watch(self, run: Run) -> None:
        progress = self.progress[run]
        path = run.folder / 'progress.json'
        if path.is_file():
            progress.update(json.loads(path.read_text()))
        code = self._processes[run].poll()
        if code is not None:
            del self._processes[run]
            is_done = code == 0 and run.result() is not None
            progress.phase = 'done' if is_done else 'failed'
            progress.ended = time.time()

    def _stop(self) -> None:
        """End what still runs, e.g. after Ctrl-C."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.wait()


def prepare_folder(run: Run) -> None:
    """Make an empty folder for a run; an earlier run of ours is removed.

    Raises:
        FileExistsError: If the folder holds something else.
    """
    check_folder(run)
    shutil.rmtree(run.folder, ignore_errors=True)
    run.folder.mkdir(parents=True)
    mark = dict(task=run.task, method=run.method, seed=run.seed)
    (run.folder / _MARK).write_text(json.dumps(mark))


def check_folder(run: Run) -> None:
    """Refuse a folder that is not empty and not of an earlier run.

    Raises:
        FileExistsError: If it is so.
    """
    if (run.folder.exists() and any(run.folder.iterdir())
            and not (run.folder / _MARK).is_file()):
        raise FileExistsError(
            f'{run.folder} holds files that are not of the quickstart. '
            'Nothing was changed. Choose another --work-dir.')
