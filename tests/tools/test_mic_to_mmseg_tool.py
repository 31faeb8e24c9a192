# Copyright (c) mic_mm authors. All rights reserved.
"""Checkpoints of the original code, converted for MMSegmentation."""
import json

import pytest
import torch
from mmengine.config import Config
from mmseg.apis import init_model

from mic_mm.testing.golden import load_golden
from mic_mm.testing.models_seg_da import (
    build_segmentor,
    in_original_names,
    original_arrays,
    tiny_daformer,
)

TOOL = 'model_converters/mic_to_mmseg.py'
CLASSES = ('a', 'b', 'c', 'd')


def exit_message(run_tool, capsys, *arguments):
    with pytest.raises(SystemExit):
        run_tool(*arguments)
    return capsys.readouterr().err


def training_checkpoint(path, **branches):
    """A checkpoint like the original's, of weights by branch."""
    torch.save(
        {
            'meta': dict(
                mmseg_version='0.16.0', CLASSES=CLASSES, PALETTE=None),
            'state_dict': {
                f'{prefix}.{name}': value
                for prefix, weights in branches.items()
                for name, value in weights.items()
            },
            'optimizer': {},
        }, path)


@pytest.mark.golden
@pytest.mark.parametrize('identifier',
                         ['case11_daformer_inputs', 'case11_hrda_inputs'])
def test_recorded_checkpoint_is_converted__seg_case11(identifier, run_tool,
                                                      tmp_path):
    case = load_golden('seg', identifier)
    student = original_arrays(case, 'student/')
    training_checkpoint(
        tmp_path / 'original.pth',
        model=student,
        ema_model={n: v + 1 for n, v in student.items()},
        imnet_model=original_arrays(case, 'imnet/'))
    (tmp_path / 'original.json').write_text(
        json.dumps(dict(uda={}, model=case.config)))
    for branch in ('student', 'teacher', 'imagenet'):
        run_tool(TOOL, tmp_path / 'original.pth',
                 tmp_path / f'{branch}.pth', '--config',
                 tmp_path / 'original.json', '--branch', branch)
    weights = {
        branch: torch.load(tmp_path / f'{branch}.pth', weights_only=True)
        ['state_dict']
        for branch in ('student', 'teacher', 'imagenet')
    }
    assert {n.partition('.')[0] for n in weights['imagenet']} == {'backbone'}
    for name, value in in_original_names(weights['teacher']).items():
        torch.testing.assert_close(value, student[name] + 1, rtol=0, atol=0)
    model = init_model(
        str(tmp_path / 'student.py'),
        str(tmp_path / 'student.pth'),
        device='cpu')
    loaded = in_original_names({
        n: v
        for n, v in model.state_dict().items()
        if not n.endswith('num_batches_tracked')
    })
    assert set(loaded) == set(student)
    for name, value in student.items():
        torch.testing.assert_close(loaded[name], value, rtol=0, atol=0)
    assert model.dataset_meta['classes'] == CLASSES


def original_daformer(path):
    model = build_segmentor(tiny_daformer())
    weights = in_original_names(model.state_dict())
    training_checkpoint(path, model=weights)
    return model, weights


def test_a_config_of_mic_mm_checks_the_weights(tmp_path, run_tool, capsys):
    config = tmp_path / 'config.py'
    Config(dict(default_scope='mmseg', model=dict(
        type='mic_mm.UDASegmentor', segmentor=tiny_daformer()))).dump(config)
    _, weights = original_daformer(tmp_path / 'original.pth')
    arguments = (TOOL, tmp_path / 'original.pth', tmp_path / 'out.pth',
                 '--config', config)
    run_tool(*arguments)
    assert (tmp_path / 'out.pth').is_file()
    (tmp_path / 'out.pth').unlink()
    name = 'decode_head.conv_seg.bias'
    weights['decode_head.extra'] = weights.pop(name)
    training_checkpoint(tmp_path / 'original.pth', model=weights)
    message = exit_message(run_tool, capsys, *arguments)
    assert 'left over:\n  decode_head.extra' in message
    assert f'not set:\n  {name}' in message
    assert not (tmp_path / 'out.pth').exists()


def test_without_a_config_nothing_is_compared(tmp_path, run_tool, capsys):
    model, _ = original_daformer(tmp_path / 'original.pth')
    run_tool(TOOL, tmp_path / 'original.pth',
             tmp_path / 'out' / 'student.pth')
    assert 'not compared' in capsys.readouterr().out
    saved = torch.load(tmp_path / 'out' / 'student.pth', weights_only=True)
    model.load_state_dict(saved['state_dict'], strict=True)


@pytest.mark.parametrize('content, reason', [
    (b'no checkpoint', 'no checkpoint of PyTorch'),
    ({'a': 1}, "the entries ['a']"),
    ([1, 2], 'a list'),
    ({'state_dict': {'student.backbone.a': torch.zeros(1)}},
     "has no branch 'student'"),
])
def test_other_files_are_refused_by_name(content, reason, tmp_path, run_tool,
                                         capsys):
    path = tmp_path / 'other.pth'
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    message = exit_message(run_tool, capsys, TOOL, path,
                           tmp_path / 'out.pth')
    assert reason in message
    assert not (tmp_path / 'out.pth').exists()


def test_a_missing_file_is_named(tmp_path, run_tool, capsys):
    message = exit_message(run_tool, capsys, TOOL,
                           tmp_path / 'no.pth', tmp_path / 'out.pth')
    assert 'no.pth does not exist' in message
