# Copyright (c) mic_mm authors. All rights reserved.
"""The quickstart with a worker that pretends to train."""
import importlib
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Reaches the accuracy in its config's name; one of 0 fails.
FAKE_WORKER = '''
import json, sys, time
from pathlib import Path
config, folder, seed = sys.argv[1], Path(sys.argv[2]), sys.argv[4]
accuracy = float(Path(config).stem.split('_')[2])
print('seed', seed, 'options', sys.argv[9:])
state = dict(phase='train', done=1, total=2)
(folder / 'progress.json').write_text(json.dumps(state))
logs = folder / '1' / 'vis_data'
logs.mkdir(parents=True)
(logs / 'scalars.json').write_text(
    json.dumps({'accuracy/top1': accuracy, 'step': 2}))
if accuracy == 0:
    raise SystemExit('it broke')
(folder / 'result.json').write_text(json.dumps(dict(
    fingerprint=sys.argv[6], seconds=1.5,
    metrics={'accuracy/top1': accuracy + int(seed)})))
'''


@pytest.fixture
def parts(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    names = ('plan', 'pool', 'display', 'results')
    return {
        name: importlib.import_module(f'quickstart_parts.{name}')
        for name in names
    }


@pytest.fixture
def quickstart(parts, monkeypatch, tmp_path):
    """Runs tools/quickstart.py on configs that only have a name."""
    worker = tmp_path / 'worker.py'
    worker.write_text(FAKE_WORKER)
    monkeypatch.setattr(parts['pool'], '_WORKER', worker)
    tool = importlib.import_module('quickstart')
    monkeypatch.setattr(tool, 'ROOT', tmp_path)
    monkeypatch.setattr(tool, 'prepare_data', lambda tasks: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'configs/cls/digits').mkdir(parents=True)

    def run(*arguments, **accuracies):
        for path in (tmp_path / 'configs/cls/digits').glob('*.py'):
            path.unlink()
        for method, accuracy in accuracies.items():
            name = f'{method.replace("_", "-")}_tiny-resnet_{accuracy}_mnist5k.py'
            (tmp_path / 'configs/cls/digits' / name).write_text('a = 1')
        monkeypatch.setattr(
            sys, 'argv', ['quickstart.py', '--task', 'cls', *arguments])
        return tool.main()

    run.folder = tmp_path / 'work_dirs' / 'quickstart'
    return run


GOOD = dict(source_only=50, self_training=70, mic=80)


def summary(quickstart):
    return json.loads((quickstart.folder / 'summary.json').read_text())


def test_summary_and_table_hold_each_seed(quickstart, capsys):
    assert quickstart('--seeds', '2', **GOOD) == 0
    assert summary(quickstart) == {
        'cls': {
            'source-only': {'0': 50., '1': 51.},
            'self-training': {'0': 70., '1': 71.},
            'mic': {'0': 80., '1': 81.},
            'metric': 'accuracy/top1',
            'seconds': 9.0,
        }
    }
    out = capsys.readouterr().out
    assert '80.5 ± 0.7' in out  # sqrt(0.5)
    html = (quickstart.folder / 'report.html').read_text()
    assert '80.5 ± 0.7' in html and '<svg' in html


def test_failed_run_is_told_and_the_others_are_kept(quickstart, capsys):
    assert quickstart(source_only=50, self_training=0, mic=80) == 1
    log = quickstart.folder / 'cls/self-training/seed0/output.log'
    assert str(log) in capsys.readouterr().err
    assert 'it broke' in log.read_text()
    assert set(summary(quickstart)['cls']) == {
        'source-only', 'mic', 'metric', 'seconds'
    }


def test_nothing_of_an_earlier_quickstart_is_left(quickstart):
    quickstart('--seeds', '2', **GOOD)
    old = quickstart.folder / 'cls/mic/seed0/1/vis_data/old.txt'
    old.write_text('')
    quickstart(**dict(GOOD, mic=0))
    assert not old.exists()
    assert 'mic' not in summary(quickstart)['cls']
    assert summary(quickstart)['cls']['source-only'] == {'0': 50.}


def test_reuse_keeps_finished_runs_with_the_same_settings(
        quickstart, capsys):
    quickstart(**dict(GOOD, self_training=0))
    kept = quickstart.folder / 'cls/mic/seed0/result.json'
    before = kept.stat().st_mtime_ns
    assert quickstart('--reuse', **GOOD) == 0
    assert kept.stat().st_mtime_ns == before
    assert summary(quickstart)['cls']['self-training'] == {'0': 70.}
    quickstart('--reuse', '--cfg-options', 'a=2', **GOOD)
    assert kept.stat().st_mtime_ns != before


def test_options_and_threads_reach_the_runs(quickstart):
    quickstart('--cfg-options', 'a=2', 'b=3', '--methods', 'mic', **GOOD)
    log = (quickstart.folder / 'cls/mic/seed0/output.log').read_text()
    assert "options ['--cfg-options', 'a=2', 'b=3']" in log


def test_folder_with_other_files_is_refused(quickstart):
    folder = quickstart.folder / 'cls/mic/seed0'
    folder.mkdir(parents=True)
    (folder / 'thesis.tex').write_text('')
    with pytest.raises(FileExistsError, match='Choose another --work-dir'):
        quickstart(**GOOD)
    assert (folder / 'thesis.tex').exists()


def test_missing_config_is_told(quickstart):
    with pytest.raises(FileNotFoundError, match='source-only_tiny-resnet_'):
        quickstart(mic=1)


def test_numbers_of_runs_have_to_be_positive(quickstart, capsys):
    with pytest.raises(SystemExit):
        quickstart('--seeds', '0', **GOOD)
    assert '--seeds has to be at least 1' in capsys.readouterr().err


@pytest.fixture
def runs(parts, tmp_path):
    (tmp_path / 'configs/cls/digits').mkdir(parents=True)
    for name in ('source-only_tiny-resnet_1', 'mic_tiny-resnet_2'):
        (tmp_path / f'configs/cls/digits/{name}_mnist5k.py').write_text('')
    return parts['plan'].make_plan(tmp_path, tmp_path / 'out', ['cls'],
                                   ['source-only', 'mic'], seeds=2)


def test_plan_has_a_run_for_each_method_and_seed(runs, tmp_path):
    assert [run.name for run in runs] == [
        'cls source-only seed 0', 'cls mic seed 0', 'cls source-only seed 1',
        'cls mic seed 1'
    ]
    assert runs[1].folder == tmp_path / 'out/cls/mic/seed0'


def test_each_method_of_each_task_has_its_config(parts):
    plan = parts['plan']
    methods = (*plan.METHODS, plan.ORACLE)
    runs = plan.make_plan(ROOT, ROOT, plan.TASKS, methods, seeds=1)
    assert all(run.config.is_file() for run in runs)
    assert len({run.config for run in runs}) == 12


def test_no_more_runs_at_a_time_than_jobs(parts, runs, monkeypatch, tmp_path):
    worker = tmp_path / 'worker.py'
    worker.write_text('import time; time.sleep(0.5)')
    monkeypatch.setattr(parts['pool'], '_WORKER', worker)
    pool = parts['pool'].Pool(runs, 2, 1, [], dict.fromkeys(runs, 'f'))
    active = []
    pool.run(lambda progress: active.append(
        sum(p.phase == 'starting' for p in progress.values())))
    assert max(active) == 2
    # Exited with 0, but wrote no result.
    assert {p.phase for p in pool.progress.values()} == {'failed'}


def test_interruption_ends_the_processes(parts, runs, monkeypatch, tmp_path):
    worker = tmp_path / 'worker.py'
    worker.write_text('import os, sys, time\nprint(os.getpid())\n'
                      'time.sleep(600)')
    monkeypatch.setattr(parts['pool'], '_WORKER', worker)
    pool = parts['pool'].Pool(runs[:1], 1, 1, [], {runs[0]: 'f'})

    def interrupt(progress):
        if runs[0].log.read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pool.run(interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int(runs[0].log.read_text()), 0)


def training(parts, done, total, pace):
    """A run that has trained ``done`` iterations, ``pace`` seconds each."""
    now = time.time()
    return parts['pool'].Progress(
        phase='train', done=done, total=total, began=now - done * pace,
        marks=[(now - (done - i) * pace, i) for i in range(1, done + 1)])


def test_time_left_follows_the_latest_speed(parts):
    progress = training(parts, 40, 100, pace=0.1)
    progress.marks = [(time.time() - 90 + i, i) for i in range(30)]
    progress.marks += [(time.time() - 5 + 0.5 * i, 30 + i) for i in range(11)]
    assert progress.seconds_left == pytest.approx(60 * 0.5, rel=0.05)


def test_time_left_of_all_runs_counts_waiting_ones(parts, runs):
    Progress = parts['pool'].Progress
    source_only, mic, *_ = runs
    # 10 of 40 iterations in 10 s: 30 s to go, 40 s in all.
    state = {source_only: training(parts, 10, 40, 1.), mic: Progress()}
    left = parts['display'].total_left(state, jobs=1)
    cost = parts['display']._COST['mic']
    assert left == pytest.approx(30 + 40 * cost, rel=0.05)
    assert parts['display'].total_left(
        state, jobs=2) == pytest.approx(left / 2, rel=0.05)


def test_nothing_is_guessed_before_anything_is_known(parts, runs):
    state = {run: parts['pool'].Progress() for run in runs}
    assert parts['display'].total_left(state, jobs=1) is None


class Terminal(io.StringIO):

    def isatty(self):
        return True


def test_terminal_shows_an_updating_line_per_run(parts, runs):
    stream = Terminal()
    display = parts['display'].Display(2, stream)
    state = {runs[0]: training(parts, 10, 40, 1.)}
    display.show(state)
    assert '10/40, ETA 0:30' in stream.getvalue()
    display.show(state)
    # Two lines up, the run's and the total, and cleared from there.
    assert '\x1b[2A\r\x1b[J' in stream.getvalue()


def test_file_gets_whole_lines_only_every_few_seconds(parts, runs):
    stream = io.StringIO()
    display = parts['display'].Display(2, stream)
    state = {runs[0]: training(parts, 10, 40, 1.)}
    for _ in range(5):
        display.show(state)
    assert '\x1b' not in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 1


@pytest.mark.slow
def test_quickstart_trains_evaluates_and_reports(tmp_path):
    done = subprocess.run(
        [sys.executable, str(ROOT / 'tools/quickstart.py'), '--task', 'cls',
         '--methods', 'mic', '--work-dir', str(tmp_path), '--cfg-options',
         'train_cfg.max_iters=4', 'train_cfg.val_interval=2',
         'default_hooks.logger.interval=1',
         'model.objectives.self_training.begin=1',
         'model.objectives.mic.begin=1'],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((tmp_path / 'summary.json').read_text())
    assert 0 <= result['cls']['mic']['0'] <= 100
    html = (tmp_path / 'report.html').read_text()
    assert 'data:image/png;base64' in html and html.count('<svg') == 3


def test_metrics_of_any_number_type_are_kept(parts):
    import numpy as np
    worker = importlib.import_module('quickstart_parts.worker')
    metrics = dict(a=1, b=2.5, c=np.float32(0.5), d='-1', e=[1.])
    assert worker.numbers_in(metrics) == dict(a=1., b=2.5, c=0.5)


def test_source_loss_of_a_chart_adds_up_what_the_heads_lose(parts):
    steps = [50, 100]
    scalars = {
        'source.loss_cls': (steps, [1., 2.]),
        'source.loss_bbox': (steps, [.5, .25]),
        'source.acc': (steps, [90., 91.]),
        'mic.loss_cls': (steps, [7., 7.]),
    }
    assert parts['results']._source_loss(scalars) == (steps, [1.5, 2.25])
    assert parts['results']._source_loss({}) == ([], [])
