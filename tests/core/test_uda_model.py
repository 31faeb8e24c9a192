# Copyright (c) mic_mm authors. All rights reserved.
import copy

import pytest
import torch
from mmengine.optim import OptimWrapper

from mic_mm.registry import MODELS
from mic_mm.testing.batches import seg_batch, without_labels
from mic_mm.testing.models import tiny_segmentor

SOURCE = dict(type='mic_mm.SourceSupervision')
SELF_TRAINING = dict(type='mic_mm.SelfTraining')
MIC = dict(
    type='mic_mm.MaskedConsistency',
    mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8))


def config(objectives=None, **kwargs):
    cfg = dict(
        type='mic_mm.UDASegmentor',
        segmentor=tiny_segmentor(),
        teacher=dict(type='mic_mm.EMATeacher'),
        objectives=objectives or dict(source=SOURCE, mic=MIC))
    cfg.update(kwargs)
    return cfg


def build(*args, **kwargs):
    return MODELS.build(config(*args, **kwargs))


def test_student_may_be_a_model_instead_of_its_config():
    segmentor = MODELS.build(dict(tiny_segmentor(), _scope_='mmseg'))
    model = build(segmentor=segmentor)
    assert model.student is segmentor
    assert model.data_preprocessor.preprocessor is segmentor.data_preprocessor


def test_objective_set_to_none_is_off():
    model = build(dict(source=SOURCE, self_training=None, mic=MIC))
    assert list(model.objectives) == ['source', 'mic']


def test_first_given_threshold_is_shared():
    model = build(
        dict(
            source=SOURCE,
            self_training=dict(SELF_TRAINING, pseudo_threshold=0.7),
            mic=MIC))
    assert model.objectives['mic'].pseudo_threshold == 0.7


def test_threshold_of_the_masks_does_not_reach_the_host():
    model = build(
        dict(
            source=SOURCE,
            self_training=SELF_TRAINING,
            mic=dict(MIC, pseudo_threshold=None)))
    assert model.objectives['mic'].pseudo_threshold is None
    assert model.objectives['self_training'].pseudo_threshold == 0.968


def test_threshold_of_the_labeller_is_the_default():
    model = build(labeller=dict(type='mic_mm.PixelLabeller', threshold=0.4))
    assert model.objectives['mic'].pseudo_threshold == 0.4
    assert build().objectives['mic'].pseudo_threshold == 0.968


def test_own_threshold_is_kept():
    model = build(
        dict(
            source=SOURCE,
            self_training=dict(SELF_TRAINING, pseudo_threshold=0.7),
            mic=dict(MIC, pseudo_threshold=None)))
    assert model.objectives['mic'].pseudo_threshold is None


def test_own_teacher_leaves_the_shared_one_alone():
    model = build(
        dict(
            source=SOURCE,
            self_training=SELF_TRAINING,
            mic=dict(MIC, teacher=dict(type='mic_mm.EMATeacher', alpha=0.))))
    model.update_teachers()
    with torch.no_grad():
        for parameter in model.student.parameters():
            parameter.add_(1.)
    model.update_teachers()
    student, shared, own = (
        next(m.parameters()) for m in (model.student, model.teacher,
                                       model.teacher_of('mic')))
    assert torch.equal(own, student)
    assert torch.allclose(shared, student - 0.5)
    assert model.teacher_of('self_training') is model.teacher
    assert not own.requires_grad


def test_own_teacher_needs_no_shared_one():
    model = build(
        dict(
            source=SOURCE,
            mic=dict(MIC, teacher=dict(type='mic_mm.EMATeacher'))),
        teacher=None)
    assert model.teacher is None
    assert list(model.own_teachers) == ['mic']


def test_threshold_of_an_own_teacher_is_not_shared():
    own = dict(MIC, teacher=dict(type='mic_mm.EMATeacher'))
    model = build(
        dict(
            source=SOURCE,
            self_training=dict(SELF_TRAINING, pseudo_threshold=0.7),
            mic=own))
    assert model.objectives['mic'].pseudo_threshold == 0.968


def test_objective_begins_at_its_iteration():
    model = build(dict(source=SOURCE, mic=dict(MIC, begin=2)))
    model.train()
    optim_wrapper = OptimWrapper(
        torch.optim.SGD(model.student.parameters(), lr=0.01))
    active = []
    for _ in range(4):
        model.update_teachers()
        logs = model.train_step(
            dict(source=seg_batch(0), target=without_labels(seg_batch(1))),
            optim_wrapper)
        active.append(any(key.startswith('mic.') for key in logs))
    assert active == [False, False, True, True]


def test_prediction_is_that_of_the_chosen_branch():
    model = build(predict_on='teacher').eval()
    model.update_teachers()
    with torch.no_grad():
        for parameter in model.teacher.model.parameters():
            parameter.mul_(2)
    batch = seg_batch(0)
    teacher = model.val_step(copy.deepcopy(batch))[0].seg_logits.data
    model.predict_on = 'student'
    student = model.val_step(copy.deepcopy(batch))[0].seg_logits.data
    stock = model.student.val_step(copy.deepcopy(batch))[0].seg_logits.data
    assert torch.equal(student, stock)
    assert not torch.equal(student, teacher)


def test_teacher_without_weights_predicts_nothing():
    model = build(predict_on='teacher').eval()
    with pytest.raises(RuntimeError, match='no weights of a teacher'):
        model.val_step(seg_batch(0))


def test_source_batch_without_target_is_enough_for_source_only():
    model = build(dict(source=SOURCE), teacher=None).train()
    optim_wrapper = OptimWrapper(
        torch.optim.SGD(model.student.parameters(), lr=0.01))
    logs = model.train_step(seg_batch(0), optim_wrapper)
    assert float(logs['loss']) > 0


def test_plain_checkpoint_goes_to_the_student():
    plain = MODELS.build(dict(tiny_segmentor(), _scope_='mmseg'))
    model = build()
    missing, unexpected = model.load_state_dict(
        plain.state_dict(), strict=False)
    assert unexpected == []
    assert missing and all(key.startswith('teacher.') for key in missing)
    for name, value in plain.state_dict().items():
        assert torch.equal(model.student.state_dict()[name], value)


def test_own_checkpoint_round_trip_is_strict():
    model = build()
    model.update_teachers()
    other = build()
    other.load_state_dict(model.state_dict())
    assert other.teacher.initialized
    for name, value in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)


def test_config_of_the_caller_is_left_unchanged():
    cfg = config()
    before = copy.deepcopy(cfg)
    MODELS.build(cfg)
    assert cfg == before


def test_top_level_data_preprocessor_reaches_the_wrapped_model():
    segmentor = tiny_segmentor()
    preprocessor = segmentor.pop('data_preprocessor')
    model = build(
        segmentor=segmentor, data_preprocessor=dict(preprocessor))
    assert type(model.student.data_preprocessor).__name__ == (
        'SegDataPreProcessor')
    assert model.data_preprocessor.preprocessor is (
        model.student.data_preprocessor)


def test_statistics_are_those_of_the_preprocessor():
    statistics = build().data_preprocessor.statistics
    assert statistics.channel_order == 'rgb'
    torch.testing.assert_close(statistics.mean,
                               torch.tensor([123.675, 116.28, 103.53]))


def test_teacher_that_was_never_updated_is_an_error_with_the_remedy():
    model = build().train()
    data = dict(source=seg_batch(0), target=without_labels(seg_batch(1)))
    with pytest.raises(RuntimeError, match='EMATeacherHook'):
        model.prepare(model.data_preprocessor(data, True))


def test_batch_without_target_names_the_objectives_that_need_it():
    model = build().train()
    with pytest.raises(ValueError, match="'mic'.*DomainPairDataset"):
        model.prepare(model.data_preprocessor(seg_batch(0), True))


@pytest.mark.parametrize('kwargs, error, match', [
    (dict(teacher=None), ValueError, "'mic'.*teacher=dict"),
    (dict(predict_on='ema'), ValueError, "predict_on='ema'"),
    (dict(objectives=dict(source=SOURCE), teacher=None, predict_on='teacher'),
     ValueError, 'needs model.teacher'),
    (dict(objectives=dict(source=dict(SOURCE, begin=3))), ValueError,
     'active from iteration 0'),
    (dict(objectives=dict(source=None)), ValueError, 'active from iteration'),
    (dict(objectives=dict(my_loss=SOURCE)), ValueError, "'my_loss'"),
    (dict(objectives=[SOURCE]), TypeError, 'dict of objectives'),
    # What `--cfg-options model.objectives.mci.begin=5` leads to.
    (dict(objectives=dict(source=SOURCE, mic=MIC, mci=dict(begin=5))), TypeError,
     r"objectives.mci={'begin': 5} .* no type.*\['source', 'mic'\]"),
    (dict(objectives=dict(source=SOURCE, mic=False)), TypeError, 'mic=False'),
    (dict(objectives=dict(
        source=dict(type='mmseg.CrossEntropyLoss'))), TypeError,
     'Derive it from Objective'),
    (dict(objectives=dict(source=dict(type='mic_mm.Unknown'))), KeyError,
     'mic_mm.Unknown'),
    (dict(pretrained='x'), ValueError, 'model.segmentor'),
    (dict(labeller=dict(type='mic_mm.PixelLabeller', threshold=2.)), ValueError,
     'labeller.threshold=2.0'),
])
def test_configs_that_cannot_work_are_refused(kwargs, error, match):
    with pytest.raises(error, match=match):
        build(**kwargs)
