# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from torch import nn

from mic_mm.seg.models.hrda import Box, merge_windows, window_boxes
from mic_mm.seg.models.hrda.windows import in_chunks


def test_nine_windows_of_hrda():
    boxes = window_boxes((1024, 1024), (512, 512), (256, 256))
    assert len(boxes) == 9
    assert [box.left for box in boxes[:3]] == [0, 256, 512]
    assert [box.top for box in boxes[::3]] == [0, 256, 512]


@pytest.mark.parametrize('image, number',
                         [((1024, 2048), 3), ((1080, 1920), 6)])
def test_outer_windows_of_cityscapes_and_acdc(image, number):
    boxes = window_boxes(image, (1024, 1024), (512, 512))
    assert len(boxes) == number
    assert boxes[-1] == Box(image[0] - 1024, image[0], image[1] - 1024,
                            image[1])


def test_a_small_image_is_one_window():
    assert window_boxes((20, 90), (32, 64), (16, 32)) == [
        Box(0, 20, 0, 64), Box(0, 20, 26, 90)
    ]


def test_gaps_are_refused():
    with pytest.raises(ValueError, match=r'stride \(8, 17\)'):
        window_boxes((64, 64), (16, 16), (8, 17))


def test_merging_averages_and_leaves_the_rest_zero():
    boxes = [Box(0, 2, 0, 3), Box(0, 2, 2, 5)]
    windows = torch.arange(4.).view(4, 1, 1, 1).expand(4, 1, 2, 3) + 1
    merged = merge_windows(windows, boxes, (3, 5))
    first = [1., 1., 2., 3., 3.]  # image 0 has windows 1 and 3
    second = [2., 2., 3., 4., 4.]
    assert merged[:, 0].tolist() == [[first, first, [0.] * 5],
                                     [second, second, [0.] * 5]]


def network(*norm):
    return nn.Sequential(nn.Conv2d(2, 3, 3), *norm)


def test_chunks_equal_one_pass():
    maps = torch.randn(5, 2, 6, 6)
    net = network(nn.BatchNorm2d(3)).eval()
    torch.testing.assert_close(in_chunks(net, maps, 2), net(maps))


def test_chunks_of_several_stages():
    stages = [torch.randn(5, 2, 6, 6), torch.randn(5, 4, 3, 3)]
    sizes = []

    def double(chunk):
        sizes.append(len(chunk[0]))
        return [2 * stage for stage in chunk]

    doubled = in_chunks(double, stages, 2)
    assert sizes == [2, 2, 1]
    for stage, expected in zip(doubled, stages):
        torch.testing.assert_close(stage, 2 * expected)


def test_batch_statistics_are_not_split():
    maps = torch.randn(5, 2, 6, 6)
    net = network(nn.BatchNorm2d(3)).train()
    expected = net(maps)
    torch.testing.assert_close(in_chunks(net, maps, 2), expected)
