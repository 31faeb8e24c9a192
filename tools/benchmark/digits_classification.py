#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Train every classification method on the digits benchmark, both ways.

Writes a Markdown table with mean and spread over the seeds, the value of each
run, and the settings.  Finished runs are kept, so that the command can be
interrupted and given again, e.g. with more seeds.
"""
from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tools'))

import quickstart  # noqa: E402
from quickstart_parts.display import Display, clock  # noqa: E402
from quickstart_parts.plan import Run  # noqa: E402
from quickstart_parts.pool import Pool, check_folder  # noqa: E402

# Config name -> row of the table.  A host is followed by MIC on it.
METHODS = {
    'source-only': 'source-only',
    'self-training': 'self-training',
    'mic': 'MIC (self-training)',
    'cdan': 'CDAN',
    'mcc': 'MCC',
    'cdan-mcc': 'CDAN+MCC',
    'mic-cdan-mcc': 'MIC (CDAN+MCC)',
    'sdat': 'SDAT',
    'mic-sdat': 'MIC (SDAT)',
    'oracle': 'oracle',
}
# End of the config name -> column of the table.
DIRECTIONS = {
    'mnist5k': 'optdigits → MNIST',
    'optdigits': 'MNIST → optdigits',
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--seeds',
        type=int,
        nargs='+',
        default=[0, 1, 2],
        help='seeds of each method (default: 0 1 2)')
    parser.add_argument(
        '--methods',
        nargs='+',
        choices=list(METHODS),
        default=list(METHODS),
        help='default: all')
    parser.add_argument(
        '--targets',
        nargs='+',
        choices=list(DIRECTIONS),
        default=list(DIRECTIONS),
        help='target domains, the other one is the source (default: both)')
    parser.add_argument(
        '--work-dir',
        type=Path,
        default=ROOT / 'work_dirs' / 'benchmark' / 'digits_classification',
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


def find_config(method: str, target: str) -> Path:
    """The config of a method for a target.

    Raises:
        FileNotFoundError: If there is none, or more than one.
    """
    folder = ROOT / 'configs' / 'cls' / 'digits'
    found = sorted(folder.glob(f'{method}_tiny-resnet_*_{target}.py'))
    if len(found) != 1:
        raise FileNotFoundError(
            f'There has to be one config of {method} for {target} in '
            f'{folder}, but there are {len(found)}.')
    return found[0]


def make_plan(args: argparse.Namespace, folder: Path) -> list[Run]:
    """The runs, seed by seed, so that early tables are complete."""
    return [
        Run('cls', f'{target}/{method}', seed, find_config(method, target),
            folder / target / method / f'seed{seed}') for seed in args.seeds
        for target in args.targets for method in args.methods
    ]


def collect(runs: list[Run]) -> dict:
    """Values in percent: ``{method: {target: {seed: value}}}``."""
    values: dict = {}
    for run in runs:
        if run.result() is not None:
            target, method = run.method.split('/')
            row = values.setdefault(method, {}).setdefault(target, {})
            row[run.seed] = round(run.value, 2)
    return values


def markdown(values: dict) -> str:
    """The table: mean (standard deviation), and the seeds' values."""
    from mic_mm.visualization.report import Spread
    targets = [t for t in DIRECTIONS if any(t in r for r in values.values())]
    titles = [DIRECTIONS[t] for t in targets]
    lines = [
        '| accuracy on the target test split (%) | '
        + ' | '.join(f'{title} | seeds' for title in titles) + ' |',
        '|---' * (1 + 2 * len(titles)) + '|'
    ]
    for method in (m for m in METHODS if m in values):
        cells = [METHODS[method]]
        for target in targets:
            seeds = values[method].get(target, {})
            numbers = [seeds[seed] for seed in sorted(seeds)]
            cells += [
                str(Spread.of(numbers)) if numbers else '-',
                ' '.join(f'{number:.1f}' for number in numbers)
            ]
        lines.append('| ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines) + '\n'


def write_table(runs: list[Run], folder: Path, out: Path) -> None:
    """Write the table and the raw numbers of all finished runs."""
    values = collect(runs)
    folder.mkdir(parents=True, exist_ok=True)
    seconds = sum(run.result()['seconds'] for run in runs if run.result())
    command = 'python tools/benchmark/digits_classification.py'
    note = (f'\nMade by `{" ".join([command, *sys.argv[1:]])}`; '
            f'{seconds / 60:.1f} minutes of runs.\n')
    out.write_text(markdown(values) + note, encoding='utf-8')
    (folder / 'values.json').write_text(json.dumps(values, indent=1) + '\n')


def main() -> int:
    args = parse_args()
    began = time.time()
    folder = args.work_dir.absolute()
    out = (args.out or folder / 'table.md').absolute()
    os.chdir(ROOT)  # the configs name their data from here
    runs = make_plan(args, folder)
    for run in runs:
        check_folder(run)
    fingerprints = quickstart.find_fingerprints(runs, args.cfg_options)
    quickstart.prepare_data(['cls'])
    new = [run for run in runs if run.result(fingerprints[run]) is None]
    print(f'{len(new)} runs, {len(runs) - len(new)} are finished; logs in '
          f'{folder}', flush=True)
    threads = max(len(os.sched_getaffinity(0)) // args.jobs, 1)
    threads = int(os.environ.get('OMP_NUM_THREADS', threads))
    display = Display(args.jobs)
    pool = Pool(new, args.jobs, threads, args.cfg_options, fingerprints)
    try:
        pool.run(display.show)
    finally:  # also after Ctrl-C
        failed = [run for run in new if pool.progress[run].phase == 'failed']
        write_table([run for run in runs if run not in failed], folder, out)
    print(out.read_text(encoding='utf-8'))
    for run in failed:
        print(f'{run.name} failed; its log is {run.log}', file=sys.stderr)
    print(f'{out}\n{clock(time.time() - began)} in all')
    return 1 if failed else 0


if __name__ == '__main__':
    # As after Ctrl-C, the runs are ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit('\ninterrupted; the next call keeps the finished runs.')
    except (FileExistsError, FileNotFoundError) as error:
        sys.exit(f'digits_classification: {error}')
