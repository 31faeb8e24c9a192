# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from torch.nn import functional

from mic_mm.seg.models.hrda import Box, fuse_scales
from mic_mm.seg.models.hrda.hrda_output import select_output


def maps(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape)))


def test_fusion_equals_a_loop_over_pixels():
    context, attention = maps(1, 3, 8, 8), maps(1, 3, 8, 8).sigmoid()
    detail = maps(1, 3, 8, 8)
    box = Box(16, 48, 24, 56)  # of 64 pixels; cells of 8 and 4
    logits = fuse_scales(context, detail, attention, [box], (64, 64))
    inside = torch.zeros(1, 1, 8, 8)
    for row in range(8):
        for column in range(8):
            inside[..., row, column] = 2 <= row < 6 and 3 <= column < 7
    share = attention * inside

    def up(x):
        return functional.interpolate(x, scale_factor=2, mode='bilinear')

    weighted = up((1 - share) * context)
    share = up(share)
    for row in range(16):
        for column in range(16):
            value = weighted[..., row, column]
            if 4 <= row < 12 and 6 <= column < 14:
                value = value + (share[..., row, column] *
                                 detail[..., row - 4, column - 6])
            torch.testing.assert_close(logits.fused[..., row, column], value)


def test_fusion_computes_in_full_precision():
    half = [maps(1, 3, 4, 4).bfloat16() for _ in range(3)]
    box = Box.whole((32, 32))
    logits = fuse_scales(half[0], maps(1, 3, 8, 8).bfloat16(),
                         half[2].sigmoid(), [box], (32, 32))
    assert logits.fused.dtype == torch.float32


@pytest.mark.parametrize('image, window, box, message', [
    ((62, 64), (8, 8), Box(0, 32, 0, 32), r'images of \(62, 64\)'),
    ((64, 64), (8, 8), Box(0, 30, 0, 32), r'detail crop of \(30, 32\)'),
])
def test_sizes_that_do_not_divide_are_refused(image, window, box, message):
    with pytest.raises(ValueError, match=message):
        fuse_scales(
            maps(1, 3, 8, 8), maps(1, 3, *window), maps(1, 1, 8, 8), [box],
            image)


def outputs():
    context, windows = maps(1, 3, 4, 4), maps(1, 3, 8, 8)
    return fuse_scales(context, windows, torch.full((1, 1, 4, 4), 0.25),
                       [Box.whole((32, 32))], (32, 32))


def test_outputs():
    logits = outputs()
    assert select_output(logits, 'fused') is logits.fused
    torch.testing.assert_close(select_output(logits, 'hr'), logits.windows)
    torch.testing.assert_close(
        select_output(logits, 'lr'),
        functional.interpolate(
            logits.context, scale_factor=2, mode='bilinear'))
    attention = select_output(logits, 'attention')
    torch.testing.assert_close(attention[:, 1], torch.full((1, 8, 8), 0.25))
    torch.testing.assert_close(attention[:, 0], torch.full((1, 8, 8), 0.75))


def test_an_unknown_output_is_refused():
    with pytest.raises(ValueError, match="hrda_output='LR' is unknown"):
        select_output(outputs(), 'LR')
