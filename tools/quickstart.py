#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Train source-only, self-training and MIC on the digits benchmark.

For each task the data are made, the runs trained and evaluated on the target
test split, and the results written as table, summary.json and report.html.
"""
from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from quickstart_parts import results
from quickstart_parts.display import Display, clock
from quickstart_parts.plan import METHODS, ORACLE, TASKS, Run, fingerprint, make_plan
from quickstart_parts.pool import Pool, check_folder

ROOT = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--task', choices=[*TASKS, 'all'], default='all')
    parser.add_argument(
        '--seeds', type=int, default=1, help='runs of each method (default: 1)')
    parser.add_argument(
        '--methods',
        nargs='+',
        choices=[*METHODS, ORACLE],
        default=list(METHODS),
        help=f'default: {" ".join(METHODS)}')
    parser.add_argument(
        '--work-dir',
        type=Path,
        help='where results go (default: work_dirs/quickstart); runs of an '
        'earlier quickstart there are replaced')
    parser.add_argument(
        '--reuse',
        action='store_true',
        help='keep finished runs of an earlier quickstart with the same '
        'settings, e.g. after one failed')
    parser.add_argument(
        '--jobs', type=int, help='runs at a time (default: cores, at most 4)')
    parser.add_argument(
        '--cfg-options', nargs='+', default=[], metavar='KEY=VALUE',
        help='settings for all configs, as in tools/train.py')
    args = parser.parse_args()
    for name in ('seeds', 'jobs'):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            parser.error(f'--{name} has to be at least 1.')
    return args


def prepare_data(tasks: list) -> None:
    """Write the data of the tasks, if they are not there yet."""
    script = ROOT / 'tools' / 'dataset_converters' / 'digits.py'
    for task in tasks:
        done = subprocess.run([sys.executable, str(script), '--task', task])
        if done.returncode != 0:
            sys.exit(f'quickstart: the data of {task} could not be written; '
                     f'see above. Command: {script} --task {task}')


def find_fingerprints(runs: list, options: list) -> dict:
    """Fingerprint of each run, from all its settings."""
    from mic_mm import __version__
    from mic_mm.utils.cli import ConfigOptions, read_config
    parser = argparse.ArgumentParser('quickstart.py')
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOptions)
    given = parser.parse_args(['--cfg-options', *options] if options else [])
    texts = {
        run.config: read_config(str(run.config), given.cfg_options).pretty_text
        for run in runs
    }
    return {
        run: fingerprint(texts[run.config], run.seed, __version__)
        for run in runs
    }


def slowest_first(run: Run) -> tuple:
    """Order in which two processes at a time end together."""
    order = ('mic', 'self-training', 'source-only', 'oracle')
    return run.seed, order.index(run.method)


def report(runs: list, folder: Path) -> None:
    """Print the table and write the files, of finished runs only."""
    summary = results.summarize(runs)
    command = 'bash tools/quickstart.sh ' + ' '.join(sys.argv[1:])
    results.write_summary(summary, folder / 'summary.json')
    results.write_report(runs, summary, command.strip(),
                         folder / 'report.html')
    print(f'\nTarget test split\n'
          f'{results.text_table(results.table_rows(summary))}\n'
          f'{results.seeds_note(summary)}\n\n'
          f'{folder / "summary.json"}\n{folder / "report.html"}')


def main() -> int:
    args = parse_args()
    began = time.time()
    folder = (args.work_dir or ROOT / 'work_dirs' / 'quickstart').absolute()
    os.chdir(ROOT)  # the configs name their data from here
    tasks = list(TASKS) if args.task == 'all' else [args.task]
    runs = make_plan(ROOT, folder, tasks, args.methods, args.seeds)
    for run in runs:
        check_folder(run)
    fingerprints = find_fingerprints(runs, args.cfg_options)
    for name in ('summary.json', 'report.html'):
        (folder / name).unlink(missing_ok=True)
    prepare_data(tasks)

    new = [run for run in runs
           if not (args.reuse and run.result(fingerprints[run]))]
    cores = len(os.sched_getaffinity(0))
    jobs = args.jobs or min(cores, 4)
    print(f'{len(new)} runs, {jobs} at a time; their logs are in {folder}')
    for run in runs:
        if run not in new:
            print(f'  {run.name:<25} reused')
    display = Display(jobs)
    pool = Pool(
        sorted(new, key=slowest_first), jobs, max(cores // jobs, 1),
        args.cfg_options, fingerprints)
    pool.run(display.show)

    failed = [run for run in new if pool.progress[run].phase != 'done']
    finished = [run for run in runs if run not in failed]
    if finished:
        report(finished, folder)
    for run in failed:
        print(f'quickstart: {run.name} failed; its log is {run.log}',
              file=sys.stderr)
    print(f'{clock(time.time() - began)} in all')
    return 1 if failed else 0


if __name__ == '__main__':
    # As after Ctrl-C, the runs are ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit('\nquickstart: interrupted; --reuse keeps the finished runs.')
    except (FileExistsError, FileNotFoundError) as error:
        sys.exit(f'quickstart: {error}')
