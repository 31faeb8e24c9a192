# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from mmdet.models.task_modules import AnchorGenerator, MaxIoUAssigner
from mmdet.registry import TASK_UTILS
from mmengine.structures import InstanceData

from mic_mm.det.geometry import (
    InclusiveBoxCoder,
    InclusiveOverlaps2D,
    OwnBestAssigner,
    QuantizedAnchorGenerator,
)
from mic_mm.det.geometry.inclusive_boxes import (
    box_area,
    box_overlaps,
    box_sizes,
    clip_boxes,
    full_image_box,
)


def test_a_box_of_one_pixel_has_area_one():
    assert box_area(torch.tensor([3., 5., 3., 5.])) == 1


def test_boxes_that_share_one_column_overlap():
    first, second = torch.tensor([[0., 0, 3, 3]]), torch.tensor([[3., 0, 6, 3]])
    assert box_overlaps(first, second).item() == pytest.approx(4 / 28)
    assert box_overlaps(first, second, 'iof').item() == pytest.approx(4 / 16)
    assert box_overlaps(first, second + 1).item() == 0


def test_clipping_ends_at_the_last_pixel():
    clipped = clip_boxes(torch.tensor([[-3., 2, 99, 99]]), (10, 20))
    assert clipped.tolist() == [[0, 2, 19, 9]]


def test_the_full_image_box_ends_one_pixel_early():
    assert full_image_box((10, 20)) == (0, 0, 18, 8)


def test_coder_inverts_itself():
    boxes = torch.tensor([[0., 0, 9, 19], [4, 4, 4, 4]])
    anchors = torch.tensor([[2., 1, 17, 12], [0, 0, 7, 7]])
    coder = InclusiveBoxCoder(target_stds=(.1, .1, .2, .2))
    decoded = coder.decode(anchors, coder.encode(anchors, boxes))
    torch.testing.assert_close(decoded, boxes, rtol=0, atol=1e-5)


def test_coder_limits_growth_but_not_shrinkage():
    anchors = torch.tensor([[0., 0, 9, 9], [0., 0, 9, 9]])
    deltas = torch.tensor([[0., 0, 50., -50.], [0., 0, -50., 50.]])
    sides = torch.stack(
        box_sizes(InclusiveBoxCoder().decode(anchors, deltas)), 1)
    largest = 10 * 1000 / 16
    torch.testing.assert_close(
        sides,
        torch.tensor([[largest, 0.], [0., largest]]),
        rtol=1e-5,
        atol=1e-5)


def test_coder_clips_each_of_several_boxes():
    anchors = torch.tensor([[0., 0, 9, 9]])
    boxes = InclusiveBoxCoder().decode(
        anchors, torch.tensor([[0., 0, 0, 0, 1, 1, 0, 0]]), (12, 15))
    assert boxes.tolist() == [[0, 0, 9, 9, 10, 10, 14, 11]]
    unclipped = InclusiveBoxCoder(clip_border=False)
    assert unclipped.decode(anchors, torch.ones(1, 4), (2, 2)).max() > 1


def test_anchors_are_rounded_at_the_scale_of_the_stride():
    """Sides at strides 4, 8 and 16 that were worked out by hand."""
    options = dict(strides=[4, 8, 16], ratios=[.5, 1., 2.], scales=[8])
    ours = QuantizedAnchorGenerator(**options)
    sides = [[(int(x2 - x1 + 1), int(y2 - y1 + 1))
              for x1, y1, x2, y2 in level.tolist()]
             for level in ours.base_anchors]
    assert sides == [[(48, 24), (32, 32), (24, 48)],
                     [(88, 48), (64, 64), (48, 96)],
                     [(184, 96), (128, 128), (88, 176)]]
    theirs = AnchorGenerator(**options)
    assert not torch.allclose(ours.base_anchors[0], theirs.base_anchors[0], 0,
                              0.5)


def test_a_low_quality_match_belongs_to_the_ground_truth_it_fits_best():
    # The best anchor of the second ground truth fits the first one better.
    overlaps = torch.tensor([[.9, .6, .1], [.2, .4, .0]])
    labels = torch.tensor([5, 6])
    ours = OwnBestAssigner(.7, .3).assign_wrt_overlaps(overlaps, labels)
    theirs = MaxIoUAssigner(.7, .3).assign_wrt_overlaps(overlaps, labels)
    assert ours.gt_inds.tolist() == [1, 1, 0]
    assert ours.labels.tolist() == [5, 5, -1]
    assert theirs.gt_inds.tolist() == [1, 2, 0]


def test_assigner_without_ground_truth_finds_background_only():
    priors = InstanceData(priors=torch.rand(4, 4))
    empty = InstanceData(
        bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
    result = OwnBestAssigner(.7, .3).assign(priors, empty)
    assert result.gt_inds.tolist() == [0] * 4


def test_assigner_leaves_out_ignored_regions():
    priors = InstanceData(priors=torch.tensor([[0., 0, 3, 3], [8, 8, 9, 9]]))
    truth = InstanceData(
        bboxes=torch.tensor([[0., 0, 3, 3]]), labels=torch.tensor([0]))
    ignored = InstanceData(bboxes=torch.tensor([[7., 7, 9, 9]]))
    assigner = OwnBestAssigner(
        .7, .3, match_low_quality=False, ignore_iof_thr=.5)
    assert assigner.assign(priors, truth, ignored).gt_inds.tolist() == [1, -1]


def test_components_are_built_from_a_config_of_mmdetection():
    with TASK_UTILS.switch_scope_and_registry('mmdet') as registry:
        built = registry.build(dict(type='mic_mm.InclusiveOverlaps2D'))
    assert isinstance(built, InclusiveOverlaps2D)
