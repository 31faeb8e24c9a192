# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch

from mic_mm.utils.weight_names import unwrapped_names


@pytest.mark.parametrize('wrapped', [
    'student.a.weight',
    'module.student.a.weight',
    '_orig_mod.student.a.weight',
    'module._orig_mod.student.a.weight',
    '_orig_mod.module.student.a.weight',
    'student._orig_mod.a._orig_mod.weight',
])
def test_names_are_those_of_the_model(wrapped):
    value = torch.ones(1)
    (name, found), = unwrapped_names({wrapped: value}).items()
    assert name == 'student.a.weight' and found is value


def test_other_names_stay():
    names = ['a.module.weight', 'module', 'modules.a', '_orig.a']
    assert list(unwrapped_names(dict.fromkeys(names))) == names


def test_what_torch_compile_names_is_found():
    model = torch.nn.Sequential(torch.nn.Linear(1, 1))
    expected = list(model.state_dict())
    model[0] = torch.compile(model[0])
    found = torch.compile(model).state_dict()
    assert list(found) != expected
    assert list(unwrapped_names(found)) == expected
