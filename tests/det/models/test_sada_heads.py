# Copyright (c) mic_mm authors. All rights reserved.
"""SADA's heads inside of MMDetection's Faster R-CNN."""
import copy

import pytest
import torch
from mmengine.structures import InstanceData

from mic_mm.core import SeededDraws
from mic_mm.core.drawing import drawing_from
from mic_mm.testing.hosts import tiny_sada
from mic_mm.testing.original_detector import build_detector, image

SIZE = (64, 96)
BOX = [[8., 8, 40, 40]]


def tiny_config():
    model = tiny_sada(num_classes=8)
    model.train_cfg.rpn_proposal.update(
        nms_pre=50, nms_post=50, max_per_img=60)
    model.train_cfg.rcnn.sampler.num = 16
    return model


def make(**options):
    torch.manual_seed(0)
    model = tiny_config()
    for key, value in options.items():
        head, name = key.split('__')
        model[head][name] = value
    return build_detector(model)


@pytest.fixture(scope='module')
def detector():
    return make()


def batch(*domains, boxes=BOX):
    torch.manual_seed(1)
    samples = [image(SIZE, boxes, is_source=d == 'source') for d in domains]
    return torch.randn(len(domains), 3, *SIZE), samples


def run(detector, inputs, samples, seed=3):
    """Losses and RoIs with given random numbers."""
    with drawing_from(detector, SeededDraws(seed, 0)):
        x = detector.extract_feat(inputs)
        losses, proposals = detector.rpn_head.loss_and_predict(
            x, samples, proposal_cfg=detector.train_cfg.rpn_proposal)
        roi_losses, rois = detector.roi_head.loss_and_rois(
            x, proposals, samples)
    return {**losses, **roi_losses}, rois, proposals


def test_labels_of_a_target_image_are_never_used(detector):
    inputs, samples = batch('source', 'target')
    losses, rois, _ = run(detector, inputs, samples)
    samples[1].gt_instances.bboxes = torch.tensor([[0., 0, 3, 3]])
    again, others, _ = run(detector, inputs, samples)
    del samples[1].gt_instances
    without, _, _ = run(detector, inputs, samples)
    assert losses == again == without
    assert torch.equal(rois.rois, others.rois)


def test_rois_of_both_domains_come_with_features_and_background(detector):
    inputs, samples = batch('source', 'target')
    _, rois, _ = run(detector, inputs, samples)
    target = rois.rois[:, 0] == 1
    assert torch.equal(target, ~rois.is_source)
    assert target.sum() == 16
    assert (rois.labels[target] == 8).all()
    assert (rois.labels[~target] != 8).any()
    head = detector.roi_head.bbox_head
    torch.testing.assert_close(head.fc_cls(rois.features), rois.cls_score)
    rois.features.sum().backward()
    assert detector.backbone.conv1.weight.grad is None  # frozen
    assert detector.neck.fpn_convs[0].conv.weight.grad.abs().sum() > 0


def test_a_target_image_alone_has_no_loss(detector):
    inputs, samples = batch('target')
    losses, rois, _ = run(detector, inputs, samples)
    assert all(loss == 0 for loss in losses.values())
    assert len(rois.features) == 16
    sum(losses.values()).backward()


def test_stock_training_step_equals_the_separate_calls(detector):
    inputs, samples = batch('source', 'target')
    ours, _, _ = run(detector, inputs, samples)
    with drawing_from(detector, SeededDraws(3, 0)):
        stock = detector.loss(inputs, samples)
    for name, value in ours.items():
        torch.testing.assert_close(stock[name], value)


def test_the_global_generator_is_used_outside_of_an_objective(detector):
    inputs, samples = batch('source', 'source')
    found = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        found.append(detector.loss(inputs, samples)['loss_cls'].item())
    assert found[0] == found[1] != found[2]


def test_an_image_without_objects_trains_as_background(detector):
    inputs, samples = batch('source', boxes=torch.zeros(0, 4))
    losses, rois, _ = run(detector, inputs, samples)
    assert losses['loss_rpn_bbox'] == 0 and losses['loss_bbox'] == 0
    assert losses['loss_rpn_cls'] > 0 and losses['loss_cls'] > 0
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    assert (rois.labels == 8).all()


def test_limit_of_proposals_over_the_batch_or_of_each_image():
    inputs, samples = batch('source', 'target')
    counts = {}
    for scope in ('batch', 'image'):
        _, _, proposals = run(
            make(rpn_head__proposal_topk_scope=scope), inputs, samples)
        counts[scope] = [len(found) for found in proposals]
    assert sum(counts['batch']) == 60
    assert counts['image'] == [60, 60]


def test_pseudo_labels_are_weighted_by_the_student():
    inputs, samples = batch('source')
    pseudo = copy.deepcopy(samples)
    pseudo[0].set_field(True, 'is_pseudo')
    weighted, plain = make(), make(
        rpn_head__pseudo_weight=None, roi_head__pseudo_weight=None)
    unweighted, _, _ = run(weighted, inputs, samples)
    smaller, _, _ = run(weighted, inputs, pseudo)
    same, _, _ = run(plain, inputs, pseudo)
    for name in ('loss_rpn_cls', 'loss_cls'):
        assert smaller[name] < unweighted[name]
        torch.testing.assert_close(same[name], unweighted[name])
    for name in ('loss_rpn_bbox', 'loss_bbox'):
        torch.testing.assert_close(smaller[name], unweighted[name])


def test_the_full_image_box_is_optional():
    proposals = [InstanceData(bboxes=torch.tensor([[1., 1, 5, 5]]))]
    samples = [image(SIZE, is_source=False)]
    head = make().roi_head
    assert head.sample_rois(proposals, samples).rois.tolist() == [
        [0, 1, 1, 5, 5], [0, 0, 0, SIZE[1] - 2, SIZE[0] - 2]
    ]
    head.target_dummy_proposal = False
    assert len(head.sample_rois(proposals, samples).rois) == 1


def test_predictions_for_evaluation_have_the_convention_of_mmdetection(
        detector):
    """Scaled by 2: an inclusive box of w pixels is w / 2 wide there."""
    inputs, samples = batch('source')
    samples[0].set_metainfo(dict(scale_factor=(2., 2.)))
    detector.eval()
    inside, scaled = (
        detector.predict(inputs, copy.deepcopy(samples),
                         rescale=rescale)[0].pred_instances.bboxes
        for rescale in (False, True))
    detector.train()
    assert len(inside) and torch.equal(scaled[:, :2], inside[:, :2] / 2)
    torch.testing.assert_close(scaled[:, 2:], inside[:, 2:] / 2 + 1)


def test_mixed_precision_keeps_coordinates_exact(detector):
    inputs, samples = batch('source', 'target')
    with torch.autocast('cpu', torch.bfloat16):
        losses, rois, proposals = run(detector, inputs, samples)
        sum(v for k, v in losses.items() if 'loss' in k).backward()
    assert proposals[0].bboxes.dtype == rois.bbox_targets.dtype == torch.float
    assert rois.cls_score.dtype == torch.float
    assert all(torch.isfinite(v).all() for v in losses.values())


@pytest.mark.parametrize('option, value, error', [
    ('rpn_head__proposal_topk_scope', 'all', ValueError),
    ('rpn_head__pseudo_weight', 'score', ValueError),
    ('roi_head__pseudo_weight', 'score', ValueError),
])
def test_unknown_options_are_named(option, value, error):
    with pytest.raises(error, match=option.replace('__', '.')):
        make(**{option: value})


def test_defaults_are_the_published_options():
    """What the golden tests of the shipped config compare with."""
    options = dict(
        rpn_head=('proposal_topk_scope', 'pseudo_weight', 'detach_rpn_weight'),
        roi_head=('pseudo_weight', 'target_dummy_proposal'))
    shipped, bare = tiny_config(), tiny_config()
    for head, names in options.items():
        for name in names:
            bare[head].pop(name)
    built = build_detector(bare)
    for head, names in options.items():
        for name in names:
            assert getattr(getattr(built, head), name) == shipped[head][name]


@pytest.mark.parametrize('stage', ['rpn', 'rcnn'])
def test_other_samplers_are_refused(stage):
    model = tiny_config()
    model.train_cfg[stage].sampler.type = 'RandomSampler'
    with pytest.raises(TypeError, match=f'train_cfg.{stage}.sampler is a'):
        build_detector(model)
