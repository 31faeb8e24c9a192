# Copyright (c) mic_mm authors. All rights reserved.
import re

import numpy as np
import pytest
from PIL import Image

from mic_mm.testing.browser import open_page

UDA = 'analysis_tools/browse_uda.py'
MASKS = 'analysis_tools/browse_masks.py'


def message_of(capsys, run_tool, *arguments):
    with pytest.raises(SystemExit) as error:
        run_tool(*arguments)
    assert error.value.code == 2
    return ' '.join(capsys.readouterr().err.split())


def test_picture_and_page_show_what_training_sees(config, run_tool, tmp_path,
                                                  capsys):
    run_tool(UDA, config, '--num', '3', '--iteration', '4', '--out-dir',
             tmp_path / 'out')
    picture, page = capsys.readouterr().out.split()[-2:]
    assert picture == str(tmp_path / 'out' / f'{config.stem}.png')
    assert np.asarray(Image.open(picture)).std() > 10
    opened = open_page(page, 'hide=source')
    assert opened.console == []
    # Two images an iteration, so the third is of the next one.
    assert re.findall('<h3>(.*?)</h3>', opened.dom) == [
        'iteration 4, image 0', 'iteration 4, image 1', 'iteration 5, image 0']
    assert opened.dom.count('<figure data-kind="source" hidden') == 3
    assert opened.dom.count('<figure data-kind="masked">') == 3
    assert 'untrained teacher' in opened.dom
    assert f'{tmp_path}/data/source/' in opened.dom
    assert f'{tmp_path}/data/target/' in opened.dom


def test_begin_of_an_objective_decides_what_is_shown(config, run_tool,
                                                     tmp_path):
    begin = 'model.objectives.mic.begin=3'
    run_tool(UDA, config, '--num', '1', '--out-dir', tmp_path, '--cfg-options',
             begin)
    page = tmp_path / f'{config.stem}.html'
    assert 'iteration 3, image 0' in page.read_text()
    assert 'Not active yet' not in page.read_text()
    run_tool(UDA, config, '--num', '1', '--iteration', '2', '--out-dir',
             tmp_path, '--cfg-options', begin)
    assert 'mic (from iteration 3 on)' in page.read_text()
    assert 'data-kind="masked"' not in page.read_text()


@pytest.mark.parametrize('threshold, is_said', [(0., False), (1., True)])
def test_pseudo_labels_without_weight_are_told(config, run_tool, tmp_path,
                                               threshold, is_said):
    run_tool('train.py', config, '--work-dir', tmp_path / 'run')
    run_tool(UDA, config, '--num', '1', '--out-dir', tmp_path, '--checkpoint',
             tmp_path / 'run' / 'iter_2.pth', '--cfg-options',
             'model.labeller.type=mic_mm.ClassLabeller',
             f'model.labeller.threshold={threshold}')
    page = (tmp_path / f'{config.stem}.html').read_text()
    assert ('nowhere confident enough' in page) == is_said


@pytest.mark.parametrize('arguments, message', [
    (['--num', '0'], '--num has to be at least 1'),
    (['--iteration', '-1'], '--iteration counts from 0'),
    (['--checkpoint', 'no.pth'], "'no.pth' does not exist"),
    (['--cfg-options', 'train_dataloader=None'], 'no train_dataloader'),
    (['--cfg-options', 'train_dataloader.dataset.source.data_root=nowhere'],
     'nowhere'),
])
def test_mistakes_are_told_in_a_line(config, run_tool, capsys, arguments,
                                     message):
    assert message in message_of(capsys, run_tool, UDA, config, *arguments)


def test_masks_of_a_config_are_those_of_its_training(config, run_tool,
                                                     tmp_path):
    run_tool(UDA, config, '--num', '1', '--iteration', '2', '--out-dir',
             tmp_path, '--tile-size', '16')
    run_tool(MASKS, config, '--num', '1', '--iteration', '2', '--out-dir',
             tmp_path, '--tile-size', '16', '--ratios', '0.3')
    trained = pictures(tmp_path / f'{config.stem}.html', 'masked')
    swept = pictures(tmp_path / 'masks.html', 'blocks of 4 px')
    # The ratio of the config, 0.5, is shown too, after 0.3.
    assert len(swept) == 2 and swept[1] == trained[0] != swept[0]
    assert '← config' in (tmp_path / 'masks.html').read_text()


def pictures(page, kind):
    return re.findall(rf'<img alt="{kind}" src="([^"]*)"', page.read_text())


def test_masks_of_images_of_different_sizes(run_tool, tmp_path, capsys):
    paths = [tmp_path / 'wide.png', tmp_path / 'high.jpg']
    Image.new('RGB', (64, 32), 'white').save(paths[0])
    Image.new('RGB', (32, 64), 'white').save(paths[1])
    run_tool(MASKS, *paths, '--ratios', '0', '0.5', '--block-sizes', '8', '16',
             '--out-dir', tmp_path)
    page = (tmp_path / 'masks.html').read_text()
    assert page.count('4×8 blocks') == page.count('8×4 blocks') == 2
    assert page.count(', 0 % hidden') == 4
    assert 'wide.png' in page and 'high.jpg' in page
    Image.open(tmp_path / 'masks.png').verify()


@pytest.mark.parametrize('arguments, message', [
    (['missing.png'], "'missing.png' does not exist"),
    (['tiny.png', '--block-sizes', '64'], 'block_size=64 is too large'),
    (['tiny.png', '--ratios', '1.5'], 'ratio=1.5'),
    (['text.png'], 'is no image'),
    (['tiny.png', 'config.py'], 'one config, or images'),
])
def test_mistakes_with_masks_are_told_in_a_line(run_tool, tmp_path, capsys,
                                                arguments, message):
    Image.new('RGB', (8, 8)).save(tmp_path / 'tiny.png')
    (tmp_path / 'text.png').write_text('text')
    (tmp_path / 'config.py').write_text('')
    assert message in message_of(capsys, run_tool, MASKS, *arguments)
