# Copyright (c) mic_mm authors. All rights reserved.
"""The average of a large teacher costs little more than to copy it."""
import pytest
import torch
from torch import nn

from mic_mm.benchmark import take_turns
from mic_mm.core import EMATeacher


@pytest.mark.slow
def test_average_of_85_million_parameters_takes_at_most_three_copies():
    # Tensors of the sizes of MiT-B5: few large ones, hundreds of small ones.
    student = nn.ModuleList([nn.Linear(1024, 1024) for _ in range(80)] +
                            [nn.LayerNorm(256) for _ in range(400)])
    assert sum(p.numel() for p in student.parameters()) > 80e6
    teacher = EMATeacher(student)
    for _ in range(2):
        teacher.update(student)
    weights = list(student.parameters())
    copies = [torch.empty_like(weight) for weight in weights]
    seconds = take_turns(
        {
            'update': lambda _: teacher.update(student),
            'copy': lambda _: torch._foreach_copy_(copies, weights)
        }, 9, lambda: None)
    assert seconds['update'].ratio_to(seconds['copy'])['cpu'] <= 3
