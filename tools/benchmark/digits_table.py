# Copyright (c) mic_mm authors. All rights reserved.
"""Runs of the digits benchmark as a table, for the commands in this folder.

Finished runs are kept, so that a command can be interrupted and given again,
e.g. with more seeds.
"""
from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tools'))

import quickstart  # noqa: E402
from quickstart_parts.display import Display, clock  # noqa: E402
from quickstart_parts.plan import Run  # noqa: E402
from quickstart_parts.pool import Pool, check_folder  # noqa: E402


@dataclass(frozen=True)
class Benchmark:
    """What a table shows.

    Attributes:
        name (str): Name of the command and of its folder of results.
        task (str): ``'cls'``, ``'seg'`` or ``'det'``.
        value (str): What the numbers are.
        methods (dict): Rows: first part of the config's name, and title.
        columns (dict): Columns: a part of the config's name, and title.
        column_option (str): Option that chooses columns, e.g. ``'networks'``.
        pattern (str): Name of a config with ``{method}`` and ``{column}``,
            for ``Path.glob``.
    """

    name: str
    task: str
    value: str
    methods: dict
    columns: dict
    column_option: str
    pattern: str


def parse_args(benchmark: Benchmark, description: str) -> argparse.Namespace:
    """The options of a benchmark's command."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        '--seeds',
        type=int,
        nargs='+',
        default=[0, 1, 2],
        help='seeds of each method (default: 0 1 2)')
    for option, names in (('methods', benchmark.methods),
                          (benchmark.column_option, benchmark.columns)):
        parser.add_argument(
            f'--{option}',
            nargs='+',
            choices=list(names),
            default=list(names),
            help='default: all')
    parser.add_argument(
        '--work-dir',
        type=Path,
        default=ROOT / 'work_dirs' / 'benchmark' / benchmark.name,
        help='where the runs go')
    parser.add_argument(
        '--out',
        type=Path,
        help='where the table goes (default: table.md in the work dir)')
    parser.add_argument(
        '--jobs', type=int, default=1, help='runs at a time (default: 1)')
    parser.add_argument(
        '--cfg-options', nargs='+', default=[], metavar='KEY=VALUE',
        help='settings for all configs, as in tools/train.py')
    return parser.parse_args()


def find_config(benchmark: Benchmark, method: str, column: str) -> Path:
    """The config of a method for a column.

    Raises:
        FileNotFoundError: If there is none, or more than one.
    """
    folder = ROOT / 'configs' / benchmark.task / 'digits'
    pattern = benchmark.pattern.format(method=method, column=column)
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise FileNotFoundError(
            f'There has to be one config {folder}/{pattern}, but there are '
            f'{len(found)}.')
    return found[0]


def make_plan(benchmark: Benchmark, args: argparse.Namespace,
              folder: Path) -> list[Run]:
    """The runs, seed by seed, so that early tables are complete."""
    return [
        Run(benchmark.task, f'{column}/{method}', seed,
            find_config(benchmark, method, column),
            folder / column / method / f'seed{seed}') for seed in args.seeds
        for column in getattr(args, benchmark.column_option)
        for method in args.methods
    ]


def collect(runs: Sequence[Run]) -> dict:
    """Values in percent: ``{method: {column: {seed: value}}}``."""
    values: dict = {}
    for run in runs:
        if run.result() is not None:
            column, method = run.method.split('/')
            row = values.setdefault(method, {}).setdefault(column, {})
            row[run.seed] = round(run.value, 2)
    return values


def markdown(benchmark: Benchmark, values: dict) -> str:
    """The table: mean ± standard deviation, and the seeds' values."""
    from mic_mm.visualization.report import Spread
    columns = [
        column for column in benchmark.columns
        if any(column in row for row in values.values())
    ]
    lines = [
        f'| {benchmark.value} | ' + ' | '.join(
            f'{benchmark.columns[column]} | seeds' for column in columns)
        + ' |', '|---' * (1 + 2 * len(columns)) + '|'
    ]
    for method in (m for m in benchmark.methods if m in values):
        cells = [benchmark.methods[method]]
        for column in columns:
            seeds = values[method].get(column, {})
            numbers = [seeds[seed] for seed in sorted(seeds)]
            cells += [
                str(Spread.of(numbers)) if numbers else '-',
                ' '.join(f'{number:.1f}' for number in numbers)
            ]
        lines.append('| ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines) + '\n'


def write_table(benchmark: Benchmark, runs: Sequence[Run], folder: Path,
                out: Path) -> None:
    """Write the table and the raw numbers of all finished runs."""
    values = collect(runs)
    folder.mkdir(parents=True, exist_ok=True)
    seconds = sum(run.result()['seconds'] for run in runs if run.result())
    command = f'python tools/benchmark/{benchmark.name}.py'
    note = (f'\nMade by `{" ".join([command, *sys.argv[1:]])}`; '
            f'{seconds / 60:.1f} minutes of runs.\n')
    out.write_text(markdown(benchmark, values) + note, encoding='utf-8')
    (folder / 'values.json').write_text(json.dumps(values, indent=1) + '\n')


class GrowingTable:
    """Writes the table again whenever a run has finished.

    Args:
        benchmark (Benchmark): What it shows.
        runs (Sequence[Run]): All runs, in order.
        new (Sequence[Run]): Those that are run now; the others are finished.
        folder (Path): Where the raw numbers go.
        out (Path): Where the table goes.
    """

    def __init__(self, benchmark: Benchmark, runs: Sequence[Run],
                 new: Sequence[Run], folder: Path, out: Path) -> None:
        self.benchmark = benchmark
        self.runs = runs
        self.finished = [run for run in runs if run not in new]
        self.folder = folder
        self.out = out
        self.write()

    def update(self, progress: dict) -> None:
        """Take in the runs that are done."""
        done = {run for run, state in progress.items() if state.phase == 'done'}
        if not done <= set(self.finished):
            self.finished = [
                run for run in self.runs if run in done or run in self.finished
            ]
            self.write()

    def write(self) -> None:
        write_table(self.benchmark, self.finished, self.folder, self.out)


def run_benchmark(benchmark: Benchmark, args: argparse.Namespace) -> int:
    """Run what has not been run yet and print the table."""
    began = time.time()
    folder = args.work_dir.absolute()
    out = (args.out or folder / 'table.md').absolute()
    os.chdir(ROOT)  # the configs name their data from here
    runs = make_plan(benchmark, args, folder)
    for run in runs:
        check_folder(run)
    fingerprints = quickstart.find_fingerprints(runs, args.cfg_options)
    quickstart.prepare_data([benchmark.task])
    new = [run for run in runs if run.result(fingerprints[run]) is None]
    print(f'{len(new)} runs, {len(runs) - len(new)} are finished; logs in '
          f'{folder}', flush=True)
    table = GrowingTable(benchmark, runs, new, folder, out)
    run_all(new, args, fingerprints, table)
    print(out.read_text(encoding='utf-8'))
    failed = [run for run in new if run not in table.finished]
    for run in failed:
        print(f'{run.name} failed; its log is {run.log}', file=sys.stderr)
    print(f'{out}\n{clock(time.time() - began)} in all')
    return 1 if failed else 0


def run_all(runs: Sequence[Run], args: argparse.Namespace, fingerprints: dict,
            table: GrowingTable) -> None:
    """Run ``runs`` in processes of their own."""
    threads = max(len(os.sched_getaffinity(0)) // args.jobs, 1)
    threads = int(os.environ.get('OMP_NUM_THREADS', threads))
    display = Display(args.jobs)

    def show(progress: dict) -> None:
        display.show(progress)
        table.update(progress)

    Pool(runs, args.jobs, threads, args.cfg_options, fingerprints).run(show)


def command(main: Callable[[], int], name: str) -> None:
    """Run ``main`` as a program."""
    # As after Ctrl-C, the runs are ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit('\ninterrupted; the next call keeps the finished runs.')
    except (FileExistsError, FileNotFoundError) as error:
        sys.exit(f'{name}: {error}')
