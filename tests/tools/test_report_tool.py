# Copyright (c) mic_mm authors. All rights reserved.
import re

import pytest

from mic_mm.testing.browser import open_page

TOOL = 'analysis_tools/report.py'


def test_report_of_two_real_runs(config, run_tool, tmp_path, capsys):
    for name, ratio in dict(low=0.3, high=0.7).items():
        run_tool('train.py', config, '--work-dir', tmp_path / 'runs' / name,
                 '--cfg-options', f'model.objectives.mic.mask.ratio={ratio}',
                 f'experiment_name={tmp_path.name}_{name}',
                 'default_hooks.logger.type=LoggerHook',
                 'default_hooks.logger.interval=1',
                 'default_hooks.uda_visualization.type='
                 'mic_mm.UDAVisualizationHook')
    out = tmp_path / 'new' / 'report.html'
    run_tool(TOOL, tmp_path / 'runs', '--out', out, '--title', 'Two runs')
    assert capsys.readouterr().out.split()[-1] == str(out)
    page = open_page(out)
    assert page.console == []
    assert '<h1>Two runs</h1>' in page.dom
    cells = [re.sub('<[^>]*>', '|', row)
             for row in re.findall('<tr>(.*?)</tr>', page.dom)]
    assert any('|model.objectives.mic.mask.ratio|' in c and '|0.7|' in c
               and '|0.3|' in c for c in cells)
    assert sum('2 of 2' in c for c in cells) == 2
    for name in ('source.loss', 'mic.loss', 'mic.pseudo_confidence'):
        assert f'aria-label="{name}"' in page.dom
    assert 'low, iteration 1' in page.dom and 'high, iteration 1' in page.dom
    assert 'No validation was logged.' in page.dom


def test_a_folder_without_runs_is_told_in_a_line(run_tool, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run_tool(TOOL, tmp_path)
    assert 'no work directory of MMEngine' in ' '.join(
        capsys.readouterr().err.split())
