# Copyright (c) mic_mm authors. All rights reserved.
import copy
from collections import Counter

import pytest
import torch
from mmengine.registry import DefaultScope
from torch import nn

from mic_mm.registry import MODELS
from mic_mm.seg.objectives import FeatureDistance
from mic_mm.seg.objectives.feature_distance import (
    CITYSCAPES_THINGS,
    IGNORE,
    cell_size,
    majority_labels,
    masked_feature_distance,
)
from mic_mm.seg.objectives.observe import BackboneCall
from mic_mm.testing.batches import seg_batch
from mic_mm.testing.golden import load_golden
from mic_mm.testing.models import tiny_segmentor
from mic_mm.testing.models_seg_da import tiny_daformer

golden = pytest.mark.golden


def case06():
    return load_golden('seg', 'case06')


@golden
def test_seg_majority_labels_equal_the_original():
    case = case06()
    assert len(case['combos'])
    for i, (_, _, cell) in enumerate(case['combos'].tolist()):
        labels = torch.from_numpy(case[f'label{i}']).long()[:, 0]
        small = majority_labels(labels, cell, float(case['min_ratio']))
        case.assert_within(f'label_small{i}', small[:, None])
        things = torch.isin(small, torch.tensor(CITYSCAPES_THINGS))
        case.assert_within(f'thing_mask{i}', things[:, None].to(torch.uint8))


@golden
def test_seg_distance_and_its_gradient_equal_the_original():
    case = case06()
    masks = case.names('mask_*')
    assert any(case[name].any() for name in masks)
    for name in masks:
        cells = name.removeprefix('mask_')
        counts = torch.from_numpy(case[name])[:, 0].bool()
        features = torch.from_numpy(case['feat_student']).requires_grad_()
        frozen = torch.from_numpy(case['feat_imagenet'])
        distance = masked_feature_distance(features, frozen, counts)
        if counts.any():
            case.assert_within(f'distance_{cells}', distance)
        (float(case['lambda_fd']) * distance).backward()
        case.assert_within(f'grad_{cells}', features.grad)


@golden
def test_seg_distance_of_all_cells_equals_the_original():
    case = case06()
    features, frozen = (torch.from_numpy(case[f'feat_{name}'])
                        for name in ('student', 'imagenet'))
    every = torch.ones_like(features[:, 0], dtype=torch.bool)
    case.assert_within('distance_nomask', masked_feature_distance(features, frozen, every))


def test_empty_mask_gives_zero_and_not_nan():
    features = torch.rand(1, 4, 2, 2, requires_grad=True)
    distance = masked_feature_distance(features, torch.rand(1, 4, 2, 2),
                                       torch.zeros(1, 2, 2, dtype=torch.bool))
    distance.backward()
    assert distance.item() == 0
    assert torch.equal(features.grad, torch.zeros_like(features))


def test_equal_features_have_a_finite_gradient():
    features = torch.rand(1, 4, 2, 2, requires_grad=True)
    masked_feature_distance(features, features.detach().clone(),
                            torch.ones(1, 2, 2, dtype=torch.bool)).backward()
    assert features.grad.isfinite().all()


def test_majority_is_counted_cell_by_cell():
    torch.manual_seed(0)
    labels = torch.randint(0, 3, (2, 8, 12))
    labels[labels == 2] = IGNORE
    small = majority_labels(labels, 4, 0.5)
    for b in range(2):
        for row in range(2):
            for column in range(3):
                cell = labels[b, 4 * row:4 * row + 4, 4 * column:4 * column + 4]
                (label, count), *rest = Counter(cell.flatten().tolist()).most_common()
                if rest and rest[0][1] == count:
                    continue  # a tie
                expected = label if count >= 8 else IGNORE
                assert small[b, row, column] == expected


def test_labels_that_do_not_divide_are_an_error_with_the_remedy():
    with pytest.raises(ValueError, match='crop_size'):
        cell_size((8, 64), (4, 4))


def backbone_and_call():
    torch.manual_seed(0)
    backbone = nn.Conv2d(3, 4, 3, stride=4, padding=1)
    images = torch.rand(1, 3, 8, 8)
    return backbone, BackboneCall(images, (backbone(images), ))


def things():
    return torch.full((1, 8, 8), CITYSCAPES_THINGS[0])


def test_frozen_network_is_the_student_of_the_first_iteration():
    backbone, call = backbone_and_call()
    objective = FeatureDistance()
    objective.attach(nn.Conv2d(3, 4, 3, stride=4, padding=1))  # before loading weights
    assert float(objective(call, things(), backbone)) == 0
    with torch.no_grad():
        backbone.bias += 2.  # distance 2 per channel, 4 channels
    moved = BackboneCall(call.inputs, (backbone(call.inputs), ))
    loss = objective(moved, things(), backbone)
    assert float(loss) == pytest.approx(0.005 * 4, rel=1e-5)


def test_frozen_network_survives_a_resume():
    backbone, call = backbone_and_call()
    objective = FeatureDistance()
    objective.attach(backbone)
    objective(call, things(), backbone)
    resumed = FeatureDistance()
    resumed.attach(nn.Conv2d(3, 4, 3, stride=4, padding=1))
    resumed.load_state_dict(objective.state_dict())
    other = nn.Conv2d(3, 4, 3, stride=4, padding=1)
    assert float(resumed(call, things(), other)) == 0


def test_frozen_network_may_load_weights_of_its_own(tmp_path):
    backbone, call = backbone_and_call()
    torch.save(dict(state_dict=backbone.state_dict()), tmp_path / 'imagenet.pth')
    objective = FeatureDistance(
        init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'imagenet.pth')))
    objective.attach(backbone)
    far = nn.Conv2d(3, 4, 3, stride=4, padding=1)
    assert float(objective(call, things(), far)) == pytest.approx(0, abs=1e-8)


def test_frozen_network_stays_in_evaluation_mode_without_gradient():
    objective = FeatureDistance()
    objective.attach(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Dropout(0.5)))
    objective.train()
    assert not any(m.training for m in objective.backbone.modules())
    assert not any(p.requires_grad for p in objective.parameters())


@pytest.mark.parametrize('kwargs, match', [
    (dict(classes=()), 'classes'),
    (dict(classes=(1, 300)), r'classes=\[300\]'),
    (dict(classes=(-1, )), r'classes=\[-1\]'),
    (dict(min_ratio=0.), 'min_ratio=0.0'),
    (dict(min_ratio=1.5), 'min_ratio=1.5'),
    (dict(weight=-1.), 'weight=-1.0'),
])
def test_wrong_options_are_named(kwargs, match):
    with pytest.raises(ValueError, match=match):
        FeatureDistance(**kwargs)


def wrapped(feature_distance):
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='mic_mm.UDASegmentor',
            segmentor=tiny_segmentor(),
            objectives=dict(
                source=dict(
                    type='mic_mm.SegSourceSupervision',
                    feature_distance=feature_distance)))).train()


def test_source_supervision_with_distance_has_the_segmentors_own_losses():
    distance = dict(type='mic_mm.FeatureDistance', classes=(0, 1, 2), min_ratio=0.1)
    plain, with_distance = wrapped(None), wrapped(distance)
    data = with_distance.data_preprocessor(seg_batch(0), True)
    expected = plain(**data, mode='loss')
    losses = with_distance(**copy.deepcopy(data), mode='loss')
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value)
    assert 'source.loss_feature_distance' in losses


def test_equal_transformers_have_no_distance_and_no_gradient():
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmseg'):
        backbone = MODELS.build(tiny_daformer()['backbone']).train()
    objective = FeatureDistance().train()
    objective.attach(backbone)
    images = torch.rand(2, 3, 64, 64)
    call = BackboneCall(images, backbone(images))
    labels = torch.full((2, 64, 64), CITYSCAPES_THINGS[0])
    loss = objective(call, labels, backbone)
    loss.backward()
    assert loss.item() == 0
    assert all(p.grad is None or not p.grad.any() for p in backbone.parameters())
