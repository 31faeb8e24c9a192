# Copyright (c) mic_mm authors. All rights reserved.
import json
import re

import pytest
from mmengine.config import Config
from PIL import Image

from mic_mm.testing.browser import open_page
from mic_mm.visualization.report import read_run, read_runs, run_report, split_scalars
from mic_mm.visualization.report.class_values import class_metric
from mic_mm.visualization.report.config_diff import config_diff

TABLE = '''2026/01/01 00:00:00 - mmengine - INFO - per class results:
2026/01/01 00:00:00 - mmengine - INFO -
+-------+-------+------+
| Class |  IoU  | Acc  |
+-------+-------+------+
|  road | {road:.2f} | 90.0 |
|  car  | 20.5  | nan  |
+-------+-------+------+
'''


def start(folder, timestamp, *entries, config=None, log='', panels=()):
    """Write what one start of a run leaves."""
    data = folder / timestamp / 'vis_data'
    (data / 'uda_panels').mkdir(parents=True)
    if entries:
        lines = [json.dumps(entry) for entry in entries]
        (data / 'scalars.json').write_text('\n'.join(lines))
    if config is not None:
        Config(config).dump(data / 'config.py')
    (folder / timestamp / f'{timestamp}.log').write_text(log)
    for step in panels:
        Image.new('RGB', (8, 8), 'red').save(
            data / 'uda_panels' / f'{step:06d}.png')


def train(step, **values):
    return dict(values, iter=step, step=step)


def val(step, **values):
    return dict(values, step=step, time=1.)


def test_a_resumed_run_continues_where_its_checkpoint_was(tmp_path):
    # Resumed at 20: what happened at 30, and the validation there, is lost.
    start(tmp_path, '20260101_000000', train(10, loss=4.), train(20, loss=3.),
          val(20, mIoU=5.), train(30, loss=9.), val(30, mIoU=99.),
          panels=[10, 30])
    start(tmp_path, '20260101_000100', train(25, loss=2.), val(25, mIoU=7.),
          panels=[20])
    scalars = split_scalars(tmp_path)
    assert scalars.training['loss'] == ([10, 20, 25], [4., 3., 2.])
    assert scalars.validation == {'mIoU': ([20, 25], [5., 7.])}
    panels = read_run(tmp_path).panels
    assert [(p.parts[-4], p.stem) for p in panels] == [
        ('20260101_000000', '000010'), ('20260101_000100', '000020')]


def test_settings_are_those_of_the_start_that_trained(tmp_path):
    start(tmp_path, '20260101_000000', train(10, loss=4.), config=dict(a=1))
    # A mistake on the command line, and an evaluation.
    start(tmp_path, '20260101_000100', config=dict(a=2))
    start(tmp_path, '20260101_000200', train(20, loss=4.), config=dict(a=3))
    start(tmp_path, '20260101_000300', config=dict(a=4))
    run = read_run(tmp_path)
    assert run.config == dict(a=3)
    assert run.starts == ['20260101_000000', '20260101_000200']


def test_what_coco_could_not_measure_is_no_value(tmp_path):
    start(tmp_path, '20260101_000000', train(10, loss=-1.), val(
        10, **{'coco/bbox_mAP': 0.1, 'coco/bbox_mAP_s': -1., 'coco/AP50.car': -1.,
               'coco/AP50.bus': 0., 'score': -1.}))
    run = read_run(tmp_path)
    assert run.scalars.validation == {
        'coco/bbox_mAP': ([10], [0.1]), 'coco/AP50.bus': ([10], [0.]),
        'score': ([10], [-1.])}
    assert run.scalars.training['loss'] == ([10], [-1.])
    assert list(run.classes['coco/AP50']) == ['bus']


def test_an_evaluation_later_on_takes_nothing_away(tmp_path):
    start(tmp_path, '20260101_000000', train(10, loss=4.), val(10, mIoU=5.))
    start(tmp_path, '20260101_000100', val(0, mIoU=6.))
    scalars = split_scalars(tmp_path)
    assert scalars.training['loss'] == ([10], [4.])
    assert scalars.validation['mIoU'] == ([0, 10], [6., 5.])


def test_validations_of_training_by_epochs_are_joined_by_epoch(tmp_path):
    # 50 iterations an epoch; resumed after the first.
    start(tmp_path, '20260101_000000', train(50, loss=4., epoch=1),
          val(1, mIoU=5.), train(100, loss=3., epoch=2), val(2, mIoU=9.))
    start(tmp_path, '20260101_000100', train(60, loss=2., epoch=2))
    scalars = split_scalars(tmp_path)
    assert scalars.training['loss'] == ([50, 60], [4., 2.])
    assert scalars.validation['mIoU'] == ([1], [5.])


def test_a_log_that_is_no_log_is_survived(tmp_path):
    start(tmp_path, '20260101_000000', train(10, loss=1.))
    path = tmp_path / '20260101_000000' / 'vis_data' / 'scalars.json'
    path.write_bytes(path.read_bytes() + b'\n[1]\n7\n\xff{"step": 3')
    assert split_scalars(tmp_path).training['loss'] == ([10], [1.])


@pytest.mark.parametrize('name, expected', [
    ('IoU.traffic light', ('IoU', 'traffic light')),
    ('teacher/coco/AP50.car', ('teacher/coco/AP50', 'car')),
    ('coco/car_precision', ('AP (COCO)', 'car')),
    ('class_accuracy/car', ('class_accuracy', 'car')),
    ('class_accuracy/mean', None),
    ('pseudo_boxes/recall@0.5', None),
    ('mIoU', None),
    ('accuracy/top1', None),
])
def test_metrics_of_classes_are_told_from_others(name, expected):
    assert class_metric(name) == expected


def test_classes_come_from_the_log_of_values_and_else_from_the_last_table(
        tmp_path):
    start(tmp_path, '20260101_000000',
          val(1, **{'IoU.road': 1., 'IoU.car': 2.}), val(2, **{'IoU.road': 3.}),
          log=TABLE.format(road=50) + TABLE.format(road=60))
    assert read_run(tmp_path).classes == {
        'IoU': {'road': 3., 'car': 2.},
        'Acc': {'road': 90., 'car': pytest.approx(float('nan'), nan_ok=True)},
    }
    start(tmp_path / 'stock', '20260101_000000', val(1, mIoU=1.),
          log=TABLE.format(road=50) + TABLE.format(road=60))
    assert read_run(tmp_path / 'stock').classes['IoU'] == {
        'road': 60., 'car': 20.5}


END = '2026/01/01 00:00:00 - mmengine - INFO - Iter({}) [10/10]    {}: 1.0\n'
SHOWN = END.format('val', 'eta: 0:00:01  time')


def test_a_test_does_not_take_the_place_of_a_validation(tmp_path):
    start(tmp_path, '20260101_000000', val(1, mIoU=1.),
          log=SHOWN + TABLE.format(road=50) + END.format('val', 'mIoU'))
    tested = TABLE.format(road=60) + END.format('test', 'mIoU')
    start(tmp_path, '20260101_000001', val(0, mIoU=1.), log=SHOWN + tested)
    assert read_run(tmp_path).classes['IoU']['road'] == 50.
    start(tmp_path / 'only', '20260101_000000', val(0, mIoU=1.), log=tested)
    assert read_run(tmp_path / 'only').classes['IoU']['road'] == 60.


def test_tables_of_student_and_teacher_are_told_apart(tmp_path):
    tables = TABLE.format(road=50) + TABLE.format(road=60)
    start(tmp_path, '20260101_000000', val(1, mIoU=1.),
          log=tables + END.format('val', 'student/mIoU: 1.0 teacher/mIoU'))
    classes = read_run(tmp_path).classes
    assert classes['student/IoU']['road'] == 50.
    assert classes['teacher/IoU']['road'] == 60. and 'IoU' not in classes


def test_settings_that_differ_are_named():
    ours = dict(
        work_dir='a', lr=0.1, flag=1, both=dict(same=1, other=2),
        steps=[dict(a=1), dict(a=2)], objectives=dict(mic=dict(ratio=0.7)))
    theirs = dict(
        work_dir='b', lr=0.1, flag=True, both=dict(same=1, other=3),
        steps=[dict(a=1), dict(a=5)], objectives=dict(mic=None), new=())
    assert config_diff([ours, theirs]) == [
        ('flag', ['1', 'True']),
        ('both.other', ['2', '3']),
        ('steps.1.a', ['2', '5']),
        ('objectives.mic', ["{'ratio': 0.7}", 'None']),
        ('new', ['–', '()']),
    ]


def test_folders_above_runs_are_searched_and_names_differ(tmp_path):
    for name in ('mic/seed0', 'mic/seed1', 'source/seed0'):
        start(tmp_path / name, '20260101_000000', train(10, loss=1.))
    assert [run.name for run in read_runs([tmp_path])] == [
        'mic/seed0', 'mic/seed1', 'source/seed0']
    assert [run.name for run in read_runs([tmp_path / 'mic/seed1'])] == [
        'seed1']


@pytest.mark.parametrize('name, message', [
    ('nothing', 'does not exist'),
    ('empty', 'no work directory'),
    ('run/20260101_000000', 'Give its work directory'),
])
def test_folders_without_a_run_are_refused(tmp_path, name, message):
    (tmp_path / 'empty').mkdir()
    start(tmp_path / 'run', '20260101_000000', train(10, loss=1.))
    with pytest.raises(FileNotFoundError, match=message):
        read_runs([tmp_path / name])


def test_what_is_missing_is_said(tmp_path):
    start(tmp_path, '20260101_000000')
    run = read_run(tmp_path)
    remarks = ' '.join(run.remarks)
    for word in ('No curves', 'No panels', 'No config'):
        assert word in remarks
    html = run_report([run])
    for text in [*run.remarks, 'No validation was logged.', 'No pictures.',
                 'No loss was logged.', 'No metric of single classes']:
        assert text.replace("'", '&#x27;') in html


def test_a_broken_config_is_said_and_the_rest_is_shown(tmp_path):
    start(tmp_path, '20260101_000000', train(10, loss=1.))
    path = tmp_path / '20260101_000000' / 'vis_data' / 'config.py'
    path.write_text('x = 1 +')
    run = read_run(tmp_path)
    assert run.config is None and 'cannot be read' in ' '.join(run.remarks)


@pytest.fixture
def two_runs(tmp_path):
    evil = '<script>console.error(1)</script>'
    config = dict(
        train_cfg=dict(max_iters=40), randomness=dict(seed=3),
        note=evil, model=dict(type='A', objectives=dict(mic=None)))
    start(tmp_path / 'one', '20260101_000000',
          *(train(step, loss=1. / step, time=0.25,
                  **{'mic.pseudo_confidence': 0.5}) for step in (10, 20)),
          val(20, **{'mIoU': 50., f'IoU.{evil}': 1., 'IoU.car': 2.}),
          config=config, panels=range(1, 8))
    other = dict(config, model=dict(type='A', objectives=dict(mic=evil)))
    start(tmp_path / f'two & {evil.replace("/", "")}', '20260101_000000',
          train(10, loss=3.), val(10, mIoU=60.), val(20, mIoU=55.),
          config=other)
    return read_runs([tmp_path])


def test_the_report_of_two_runs_in_a_browser(two_runs, tmp_path):
    path = tmp_path / 'report.html'
    path.write_text(run_report(two_runs, 'Two <runs>', panels=3))
    page = open_page(path)
    assert page.console == []
    assert '<h1>Two &lt;runs&gt;</h1>' in page.dom
    assert '<script>' not in page.dom
    rows = re.findall('<tr>(.*?)</tr>', page.dom)
    cells = [re.sub('<[^>]*>', '|', row) for row in rows]
    assert any('20 of 40' in c and '|3|' in c and '0.250' in c for c in cells)
    assert any('|mIoU|' in c and '|50.00|' in c and '|55.00 (60.00 at 10)|' in c
               for c in cells)
    assert any('|model.objectives.mic|' in c and '|None|' in c for c in cells)
    # Of seven pictures the first, the middle and the last.
    assert re.findall(r'<figcaption>one, iteration (\d+)', page.dom) == [
        '1', '4', '7']
    for title in ('mIoU', 'IoU', 'mic.pseudo_confidence', 'loss'):
        assert f'aria-label="{title}"' in page.dom


def test_many_classes_are_folded(tmp_path):
    values = {f'IoU.class number {i}': float(i) for i in range(60)}
    start(tmp_path, '20260101_000000', val(1, **values))
    html = run_report([read_run(tmp_path)])
    assert '<details><summary>IoU, 60 classes</summary>' in html
    assert html.count('<rect ') == 60


def test_no_run_is_an_error():
    with pytest.raises(ValueError, match='no runs'):
        run_report([])
