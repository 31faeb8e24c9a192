# Copyright (c) mic_mm authors. All rights reserved.
"""The tables of the digits benchmark, with a worker that pretends to train."""
import importlib
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Reaches the value in its config's name plus the seed; one of 0 fails.
FAKE_WORKER = '''
import json, sys
from pathlib import Path
config, folder, seed = sys.argv[1], Path(sys.argv[2]), int(sys.argv[4])
value = float(Path(config).stem.split('_')[2])
if value == 0:
    raise SystemExit('it broke')
(folder / 'result.json').write_text(json.dumps(dict(
    fingerprint=sys.argv[6], seconds=30., metrics={sys.argv[8]: value + seed})))
'''


@pytest.fixture
def tool(monkeypatch, tmp_path):
    """Runs digits_segmentation.py on configs that only have a name."""
    for folder in ('tools', 'tools/benchmark'):
        monkeypatch.syspath_prepend(str(ROOT / folder))
    table = importlib.import_module('digits_table')
    segmentation = importlib.import_module('digits_segmentation')
    pool = importlib.import_module('quickstart_parts.pool')
    worker = tmp_path / 'worker.py'
    worker.write_text(FAKE_WORKER)
    monkeypatch.setattr(pool, '_WORKER', worker)
    monkeypatch.setattr(table, 'ROOT', tmp_path)
    monkeypatch.setattr(table.quickstart, 'prepare_data', lambda tasks: None)
    monkeypatch.chdir(tmp_path)
    configs = tmp_path / 'configs/seg/digits'
    configs.mkdir(parents=True)

    def run(*arguments, **values):
        for path in configs.glob('*.py'):
            path.unlink()
        for method, value in values.items():
            for network in segmentation.BENCHMARK.columns:
                name = f'{method}_{network}_{value}_mnist5k.py'
                (configs / name).write_text('a = 1')
        monkeypatch.setattr(sys, 'argv', [
            'digits_segmentation.py', '--work-dir', str(run.folder), '--methods',
            *values, *arguments
        ])
        return segmentation.main()

    run.folder = tmp_path / 'runs'
    return run


def rows(tool):
    """Cells of the table by the row's title."""
    lines = (tool.folder / 'table.md').read_text().splitlines()
    cells = ([cell.strip() for cell in line.strip('|').split('|')]
             for line in lines if line.startswith('| '))
    return {first: rest for first, *rest in cells}


def test_the_table_has_mean_and_spread_of_each_network(tool):
    assert tool('--networks', 'tiny-hrda', 'tiny-daformer', mic=50, oracle=70) == 0
    assert rows(tool) == {
        'mIoU on the target test split (%)': ['DAFormer', 'seeds', 'HRDA', 'seeds'],
        # the sample standard deviation of 50, 51, 52 is 1
        'MIC on the host': ['51.0 ± 1.0', '50.0 51.0 52.0'] * 2,
        'oracle': ['71.0 ± 1.0', '70.0 71.0 72.0'] * 2,
    }
    values = json.loads((tool.folder / 'values.json').read_text())
    assert values['mic']['tiny-hrda'] == {'0': 50., '1': 51., '2': 52.}


def test_finished_runs_are_kept_and_seeds_are_added(tool, capsys):
    tool('--networks', 'tiny-unet', '--seeds', '2', mic=50)
    kept = tool.folder / 'tiny-unet/mic/seed2/result.json'
    written = kept.stat().st_mtime_ns
    tool('--networks', 'tiny-unet', '--seeds', '0', '2', mic=50)
    assert '1 runs, 1 are finished' in capsys.readouterr().out
    assert kept.stat().st_mtime_ns == written
    assert rows(tool)['MIC on the host'] == ['51.0 ± 1.4', '50.0 52.0']


def test_a_run_with_other_settings_is_run_again(tool, capsys):
    arguments = ('--networks', 'tiny-unet', '--seeds', '0')
    tool(*arguments, mic=50)
    tool(*arguments, '--cfg-options', 'a=2', mic=50)
    assert '1 runs, 0 are finished' in capsys.readouterr().out


def test_a_failed_run_is_told_and_left_out(tool, capsys):
    assert tool('--networks', 'tiny-unet', '--seeds', '0', mic=0, oracle=70) == 1
    assert 'seed0/output.log' in capsys.readouterr().err
    assert 'MIC on the host' not in rows(tool)
    assert rows(tool)['oracle'] == ['70.0', '70.0']


@pytest.mark.parametrize('name', ['digits_segmentation', 'digits_classification'])
def test_every_cell_of_the_real_tables_has_one_config(monkeypatch, name):
    for folder in ('tools', 'tools/benchmark'):
        monkeypatch.syspath_prepend(str(ROOT / folder))
    table = importlib.import_module('digits_table')
    benchmark = importlib.import_module(name).BENCHMARK
    found = {
        table.find_config(benchmark, method, column)
        for method in benchmark.methods for column in benchmark.columns
    }
    assert len(found) == len(benchmark.methods) * len(benchmark.columns)
    folder = ROOT / 'configs' / benchmark.task / 'digits'
    assert found == set(folder.glob('*.py'))
