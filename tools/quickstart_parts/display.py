# Copyright (c) mic_mm authors. All rights reserved.
"""Progress of the runs in the terminal."""
from __future__ import annotations

import shutil
import sys
import time
from typing import Optional, TextIO

from .plan import METRICS, Run
from .pool import Progress

_BAR = 24
# Relative duration of a run per method, from measurements: a forward and
# backward for each objective, and one forward of the teacher.
_COST = {'source-only': 1., 'self-training': 1.6, 'mic': 2.2, 'oracle': 1.}
# Seconds between lines where the terminal cannot be overwritten.
_QUIET = 10.


class Display:
    """Shows a line that updates for each active run.

    Finished runs stay.  Without a terminal, a line for all of them is
    written every few seconds.

    Args:
        jobs (int): Runs at a time, for the time that is left.
        stream (TextIO, optional): Defaults to None, the standard output.
    """

    def __init__(self, jobs: int, stream: Optional[TextIO] = None) -> None:
        self.jobs = jobs
        self.stream = stream or sys.stdout
        self.overwrites = self.stream.isatty()
        self.began = time.time()
        self._finished: set[Run] = set()
        self._lines = 0
        self._written = 0.

    def show(self, progress: dict[Run, Progress]) -> None:
        """Show the present state."""
        news = [
            run for run, state in progress.items()
            if state.phase in ('done', 'failed') and run not in self._finished
        ]
        self._finished.update(news)
        lines = [_final_line(run, progress[run]) for run in news]
        if self.overwrites:
            self._overwrite(lines, self._active_lines(progress))
            return
        is_due = time.time() - self._written > _QUIET
        if is_due and len(self._finished) < len(progress):
            lines.append(self._summary(progress))
            self._written = time.time()
        for line in lines:
            print(line, file=self.stream, flush=True)

    def _active_lines(self, progress) -> list[str]:
        active = [
            _active_line(run, state) for run, state in progress.items()
            if state.phase in ('starting', 'train', 'test')
        ]
        is_over = len(self._finished) == len(progress)
        return active if is_over else [*active, self._total(progress)]

    def _overwrite(self, lines: list[str], active: list[str]) -> None:
        width = shutil.get_terminal_size().columns - 1
        # Up to the first active line, and clear from there on.
        up = f'\x1b[{self._lines}A' if self._lines else ''
        text = ''.join(f'{line[:width]}\n' for line in [*lines, *active])
        self.stream.write(f'{up}\r\x1b[J{text}')
        self.stream.flush()
        self._lines = len(active)

    def _summary(self, progress) -> str:
        parts = [
            f'{run.name} {_state(state)}' for run, state in progress.items()
            if state.phase in ('starting', 'train', 'test')
        ]
        return f'{self._total(progress)} | ' + ' | '.join(parts)

    def _total(self, progress) -> str:
        text = (f'{len(self._finished)} of {len(progress)} runs, '
                f'{clock(time.time() - self.began)} elapsed')
        left = total_left(progress, self.jobs)
        return text if left is None else f'{text}, about {clock(left)} left'


def _active_line(run: Run, state: Progress) -> str:
    share = state.done / state.total if state.phase == 'train' else (
        1. if state.phase == 'test' else 0.)
    filled = round(_BAR * share)
    bar = '█' * filled + '░' * (_BAR - filled)
    return f'  {run.name:<25} {bar} {_state(state)}'


def _state(state: Progress) -> str:
    if state.phase == 'starting':
        return 'starting'
    if state.phase == 'test':
        return f'evaluating {state.done}/{state.total}'
    left = state.seconds_left
    eta = '' if left is None else f', ETA {clock(left)}'
    return f'{state.done}/{state.total}{eta}'


def _final_line(run: Run, state: Progress) -> str:
    took = clock(state.ended - state.began)
    if state.phase == 'failed':
        return f'  {run.name:<25} FAILED after {took}, see {run.log}'
    return (f'  {run.name:<25} {METRICS[run.task].name} {run.value:.1f} '
            f'in {took}')


def total_left(progress: dict[Run, Progress], jobs: int) -> Optional[float]:
    """Seconds until all runs have finished, None if nothing is known.

    What a waiting run takes is guessed from the runs that have got further,
    those of the same task if there are any.
    """
    paces: dict[str, list[float]] = {}
    left = 0.
    for run, state in progress.items():
        duration = _duration(state)
        if duration is not None:
            paces.setdefault(run.task, []).append(duration / _cost(run))
    everything = [pace for task in paces.values() for pace in task]
    if not everything:
        return None
    for run, state in progress.items():
        if state.phase in ('done', 'failed'):
            continue
        known = paces.get(run.task, everything)
        guess = _cost(run) * sum(known) / len(known)
        spent = time.time() - state.began if state.began else 0.
        left += state.seconds_left or max(guess - spent, 0.)
    return left / min(jobs, max(len(progress), 1))


def _duration(state: Progress) -> Optional[float]:
    """Known or foreseeable seconds of a run."""
    if state.phase == 'done':
        return state.ended - state.began
    if state.seconds_left is not None:
        return time.time() - state.began + state.seconds_left
    return None


def _cost(run: Run) -> float:
    return _COST.get(run.method, 1.)


def clock(seconds: float) -> str:
    """Minutes and seconds, e.g. ``2:05``."""
    return f'{int(seconds) // 60}:{int(seconds) % 60:02d}'
