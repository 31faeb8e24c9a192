# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest
import torch
from torch import nn

from mic_mm.core import EMATeacher
from mic_mm.testing.golden import load_golden


class Weights(nn.Module):
    """A module whose parameters are given arrays."""

    def __init__(self, arrays):
        super().__init__()
        self.weights = nn.ParameterList(
            nn.Parameter(torch.tensor(array)) for array in arrays)

    def assign(self, arrays):
        for parameter, array in zip(self.weights, arrays):
            parameter.data = torch.tensor(array)


def _parameter_names(case):
    return sorted(
        name.removeprefix('student_') for name in case.names('student_p*'))


@pytest.mark.golden
def test_seg_recorded_teacher_is_reproduced():
    case = load_golden('seg', 'case02')
    names = _parameter_names(case)
    alphas = case['alphas']
    assert len(names) and len(alphas)
    for index, alpha in enumerate(alphas):
        student = Weights([case[f'teacher_init_{name}'] for name in names])
        teacher = EMATeacher(student, alpha=float(alpha))
        for t in range(len(case[f'student_{names[0]}'])):
            student.assign([case[f'student_{name}'][t] for name in names])
            teacher.update(student)
            for name, parameter in zip(names, teacher.model.weights):
                recorded = f'teacher_a{index}_{name}'
                case.assert_within(recorded, parameter.numpy(),
                                   case[recorded][t])
            if alpha == 0:
                for mine, theirs in zip(teacher.model.weights,
                                        student.weights):
                    assert torch.equal(mine, theirs)


@pytest.mark.golden
def test_seg_recorded_schedule_is_reproduced():
    case = load_golden('seg', 'case02')
    for row, alpha in zip(case['a_schedule'], case['alphas']):
        teacher = EMATeacher(nn.Linear(1, 1), alpha=float(alpha))
        ours = [teacher.old_weight(int(t)) for t in case['schedule_t']]
        case.assert_within('a_schedule', np.array(ours), row)


def _filled(value):
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    for tensor in [*net.parameters(), *net.buffers()]:
        tensor.data.fill_(value)
    return net


def test_first_update_copies_parameters_and_buffers():
    teacher = EMATeacher(_filled(0))
    assert not teacher.initialized
    teacher.update(_filled(3))
    assert teacher.initialized
    for value in teacher.model.state_dict().values():
        assert (value == 3).all()


def test_parameters_average_leaves_buffers_to_the_teacher():
    teacher = EMATeacher(_filled(0), alpha=0.9)
    teacher.update(_filled(0))
    teacher.update(_filled(4))  # weight of the old teacher: 1 - 1/2
    assert (teacher.model[0].weight == 2).all()
    assert (teacher.model[1].running_mean == 0).all()


def test_state_average_covers_buffers_and_copies_integers():
    teacher = EMATeacher(
        _filled(0), alpha=0.75, warmup=False, average='state')
    teacher.update(_filled(0))
    teacher.update(_filled(4))  # 0.75 * 0 + 0.25 * 4
    assert (teacher.model[0].weight == 1).all()
    assert (teacher.model[1].running_mean == 1).all()
    assert teacher.model[1].num_batches_tracked == 4


class Unusual(nn.Module):
    """Tied, frozen and complex weights, and an integer one."""

    def __init__(self, value):
        super().__init__()
        self.a = nn.Linear(2, 2, bias=False)
        self.b = nn.Linear(2, 2, bias=False)
        self.b.weight = self.a.weight
        self.frozen = nn.Parameter(torch.zeros(2), requires_grad=False)
        self.phase = nn.Parameter(torch.zeros(2, dtype=torch.complex64))
        self.index = nn.Parameter(torch.zeros(2, dtype=torch.long), requires_grad=False)
        for parameter in self.parameters():
            parameter.data.fill_(value)


@pytest.mark.parametrize('average', ['parameters', 'state'])
def test_weights_of_every_kind_are_averaged_once(average):
    teacher = EMATeacher(Unusual(0), average=average)
    teacher.update(Unusual(0))
    teacher.update(Unusual(4))  # weight of the old teacher: 1 - 1/2
    model = teacher.model
    assert model.b.weight is model.a.weight
    for parameter in (model.a.weight, model.frozen, model.phase):
        assert (parameter == 2).all()
    assert (model.index == 4).all()


@pytest.mark.parametrize('after', [0, 1])
def test_student_that_was_changed_after_the_copy_is_refused(after):
    teacher, student = EMATeacher(nn.Sequential(nn.Linear(1, 1))), nn.Sequential(nn.Linear(1, 1))
    for _ in range(after):
        teacher.update(student)
    student.append(nn.Linear(1, 1))
    with pytest.raises(ValueError, match='has 2 parameters and buffers and the student 4'):
        teacher.update(student)


def test_resumed_teacher_continues_its_schedule():
    torch.manual_seed(0)
    students = [nn.Linear(3, 3) for _ in range(6)]
    straight = EMATeacher(students[0], alpha=0.9)
    for student in students[:3]:
        straight.update(student)
    resumed = EMATeacher(nn.Linear(3, 3), alpha=0.9)
    resumed.load_state_dict(straight.state_dict())
    for student in students[3:]:
        straight.update(student)
        resumed.update(student)
    for mine, theirs in zip(resumed.parameters(), straight.parameters()):
        assert torch.equal(mine, theirs)
    assert resumed.steps == 6


def test_update_reaches_a_model_whose_storage_was_replaced():
    # What `.cuda()` does to parameters, done on the CPU.
    teacher = EMATeacher(nn.Linear(1, 1)).double()
    student = nn.Linear(1, 1).double()
    teacher.update(student)
    assert torch.equal(teacher.model.weight, student.weight)


class Attentive(nn.Module):

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.attention = nn.MultiheadAttention(4, 1, dropout=0.5)
        self.dropout = nn.Dropout2d(0.5)
        self.drop_path = DropPath()


class DropPath(nn.Module):
    pass


def test_labelling_mode_trains_batch_norm_without_dropout():
    teacher = EMATeacher(Attentive())
    teacher.train()
    assert teacher.model.norm.training
    assert not teacher.model.dropout.training
    assert not teacher.model.drop_path.training
    assert not teacher.model.attention.training


def test_drop_path_of_mmcv_is_off_while_labelling():
    from mmcv.cnn.bricks import DropPath as MMCVDropPath
    teacher = EMATeacher(nn.Sequential(MMCVDropPath(0.9)))
    teacher.train()
    ones = torch.ones(64, 1)
    assert torch.equal(teacher(ones), ones)


@pytest.mark.parametrize('training', [True, False])
def test_eval_mode_survives_train(training):
    teacher = EMATeacher(Attentive(), mode='eval')
    teacher.train(training)
    assert not any(m.training for m in teacher.model.modules())


def test_batch_statistics_mode_trains_batch_norm_alone():
    teacher = EMATeacher(Attentive(), mode='batch_statistics')
    teacher.train()
    trained = [m for m in teacher.model.modules() if m.training]
    assert trained == [teacher.model.norm]
    teacher.eval()
    assert not teacher.model.norm.training


def test_evaluation_switches_everything_to_eval():
    teacher = EMATeacher(Attentive()).eval()
    assert not any(m.training for m in teacher.model.modules())


def test_teacher_has_no_trainable_parameter():
    assert not any(p.requires_grad for p in EMATeacher(Attentive()).parameters())


@pytest.mark.parametrize('options, match', [
    (dict(alpha=1.), 'alpha=1.0'),
    (dict(alpha=-0.1), 'alpha=-0.1'),
    (dict(average='buffers'), "average='buffers'"),
    (dict(mode='train'), "mode='train'"),
])
def test_unknown_options_are_refused(options, match):
    with pytest.raises(ValueError, match=match):
        EMATeacher(nn.Linear(1, 1), **options)
