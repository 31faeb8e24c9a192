# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from torch import nn

from mic_mm.core import SeededDraws
from mic_mm.core.drawing import DrawingModule, drawing_from


class RandomShift(nn.Module, DrawingModule):

    def forward(self, x):
        return x + self.draws.uniform('shift')


def test_module_draws_from_the_given_numbers_inside_the_context():
    draws = SeededDraws(0, 0)
    model = nn.Sequential(nn.Identity(), RandomShift())
    with drawing_from(model, draws):
        result = model(torch.zeros(()))
    assert result == draws.uniform('shift')
    assert model[1].draws is None


def test_contexts_nest_and_end_with_an_error():
    outer, inner = SeededDraws(0, 0), SeededDraws(1, 0)
    model = RandomShift()
    with drawing_from(model, outer):
        with pytest.raises(ZeroDivisionError):
            with drawing_from(model, inner):
                assert model.draws is inner
                _ = 1 / 0
        assert model.draws is outer
