# Copyright (c) mic_mm authors. All rights reserved.
"""Exports of checkpoints that were written in unusual ways."""
import pytest
import torch
from mmengine.config import Config

from mic_mm.testing.hosts import batch_of, predicted, wrapped
from mic_mm.utils.plain_export import plain_config, plain_weights
from mic_mm.utils.plain_files import load_plain, write_plain
from mic_mm.utils.publish import publish


def saved(path, weights, **others):
    torch.save(dict(state_dict=weights, **others), path)
    return path


def assert_same_network(plain, expected):
    found = plain.state_dict()
    assert list(found) == list(expected.state_dict())
    for name, value in expected.state_dict().items():
        assert torch.equal(found[name], value), name


@pytest.mark.parametrize('prefix', ['module.', '_orig_mod.'])
def test_models_saved_inside_of_wrappers(prefix, tmp_path):
    cfg, model = wrapped('segmentor')
    weights = {prefix + k: v for k, v in model.state_dict().items()}
    path = saved(tmp_path / 'a.pth', weights)
    assert_same_network(load_plain(cfg, path), model.student)
    files = write_plain(cfg, path, tmp_path / 'plain.v1')
    assert files.config == tmp_path / 'plain.v1.py'
    assert_same_network(
        load_plain(Config.fromfile(files.config), files.checkpoint),
        model.student)
    published = torch.load(publish(path, tmp_path / 'p.pth'))['state_dict']
    assert all(name.startswith('student.') for name in published)


@pytest.mark.parametrize('execution', [
    dict(activation_checkpointing=['backbone.layer1', 'decode_head']),
    dict(compile=dict(modules=['backbone'], backend='eager')),
    dict(memory_format='channels_last'),
])
def test_switches_of_the_execution_leave_no_trace(execution, tmp_path):
    cfg, model = wrapped('segmentor', execution=execution)
    path = saved(tmp_path / 'a.pth', model.state_dict())
    assert 'execution' not in plain_config(cfg).model
    found = predicted(load_plain(cfg, path), batch_of('segmentor', 1))
    expected = predicted(model, batch_of('segmentor', 1))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize('predict_on', ['student', 'teacher'])
def test_the_network_that_the_run_evaluated_is_exported(predict_on, tmp_path):
    cfg, model = wrapped('segmentor', predict_on=predict_on)
    path = saved(tmp_path / 'a.pth', model.state_dict())
    networks = dict(student=model.student, teacher=model.teacher.model)
    assert_same_network(load_plain(cfg, path), networks[predict_on])
    files = write_plain(cfg, path, tmp_path / 'plain')
    assert files.branch == predict_on
    assert_same_network(
        load_plain(cfg, files.checkpoint), networks[predict_on])
    for branch, network in networks.items():
        assert_same_network(load_plain(cfg, path, branch), network)


def test_of_a_published_checkpoint_the_student_is_exported(tmp_path):
    cfg, model = wrapped('segmentor')
    run = saved(tmp_path / 'a.pth', model.state_dict(), optimizer={})
    published = publish(run, tmp_path / 'p.pth')
    assert_same_network(load_plain(cfg, published), model.student)
    with pytest.raises(ValueError, match='no teacher.*--keep teacher'):
        write_plain(cfg, published, tmp_path / 'plain', 'teacher')
    kept = publish(run, tmp_path / 'k.pth', ['teacher'])
    assert_same_network(load_plain(cfg, kept, 'teacher'), model.teacher.model)


def test_a_plain_checkpoint_is_no_run(tmp_path):
    cfg, model = wrapped('segmentor')
    path = saved(tmp_path / 'a.pth', plain_weights(model.state_dict()))
    with pytest.raises(ValueError, match='no student.*plain already'):
        write_plain(cfg, path, tmp_path / 'plain')
    with pytest.raises(ValueError, match='no teacher.*plain already'):
        load_plain(cfg, path, 'teacher')
    assert [p.name for p in tmp_path.iterdir()] == ['a.pth']


def test_what_is_known_of_the_run_is_kept(tmp_path):
    cfg, model = wrapped('segmentor')
    meta = dict(iter=7, seed=1, cfg='data_root = "/x"', dataset_meta=dict(
        classes=('a', 'b', 'c', 'd')))
    path = saved(tmp_path / 'best_mIoU_iter_7.pth', model.state_dict(),
                 meta=meta, optimizer={}, message_hub={})
    files = write_plain(cfg, path, tmp_path / 'plain')
    content = torch.load(files.checkpoint, weights_only=True)
    assert set(content) == {'state_dict', 'meta'}
    assert content['meta'] == {k: meta[k] for k in ('iter', 'seed',
                                                    'dataset_meta')}
