# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch

from mic_mm.engine.hooks.check_checkpoint import check_checkpoint
from mic_mm.registry import MODELS
from mic_mm.testing.models import tiny_segmentor


@pytest.fixture(scope='module')
def model():
    return MODELS.build(
        dict(
            type='mic_mm.UDASegmentor',
            segmentor=tiny_segmentor(),
            teacher=dict(type='mic_mm.EMATeacher'),
            objectives=dict(source=dict(type='mic_mm.SourceSupervision'))))


def checkpoint_of(module, prefix=''):
    return dict(state_dict={
        prefix + key: value
        for key, value in module.state_dict().items()
    })


@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_own_checkpoint_fits(model, prefix):
    check_checkpoint(checkpoint_of(model, prefix), model, resume=True)


def test_plain_checkpoint_fits_to_start_from_but_not_to_resume(model):
    plain = checkpoint_of(model.student)
    check_checkpoint(plain, model)
    with pytest.raises(ValueError, match=r'(?s)plain.pth.*teacher'):
        check_checkpoint(plain, model, source='plain.pth', resume=True)


def test_backbone_alone_fits_to_start_from(model):
    check_checkpoint(checkpoint_of(model.student.backbone, 'backbone.'), model)


def test_other_number_of_classes_is_refused_with_both_shapes(model):
    other = MODELS.build(dict(tiny_segmentor(num_classes=7), _scope_='mmseg'))
    with pytest.raises(ValueError) as error:
        check_checkpoint(checkpoint_of(other), model, source='seven.pth')
    message = str(error.value)
    assert "'seven.pth'" in message and 'num_classes' in message
    assert '(7, 8, 1, 1) in the checkpoint, (4, 8, 1, 1) in the' in message


def test_foreign_checkpoint_is_refused_with_what_it_has(model):
    with pytest.raises(ValueError, match=r'(?s)foreign.pth.*student.weight'):
        check_checkpoint(
            dict(state_dict=torch.nn.Linear(2, 2).state_dict()),
            model,
            source='foreign.pth')


def test_teacher_counters_do_not_make_a_foreign_run_fit(model):
    own = checkpoint_of(model)['state_dict']
    foreign = {
        f'other.{key}' if key.startswith('student.') else key: value
        for key, value in own.items()
    }
    with pytest.raises(ValueError, match='no weight of this model'):
        check_checkpoint(dict(state_dict=foreign), model)
