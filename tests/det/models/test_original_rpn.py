# Copyright (c) mic_mm authors. All rights reserved.
"""Losses and proposals of the RPN as recorded."""
import pytest
import torch
from mmdet.registry import MODELS

from mic_mm.testing.draws import RecordedDraws
from mic_mm.testing.golden import load_golden
from mic_mm.testing.original_detector import image, keys_of, published_detector

pytestmark = pytest.mark.golden
LEVELS = [f'P{level}' for level in range(2, 7)]


def rpn_head(train=None, proposals=None, test=None, **options):
    model = published_detector()
    train_cfg, test_cfg = model.train_cfg, model.test_cfg
    for key, value in (train or {}).items():
        section, name = key.split('.')
        train_cfg.rpn[section][name] = value
    train_cfg.rpn_proposal.update(proposals or {})
    test_cfg.rpn.update(test or {})
    head = MODELS.build(
        dict(
            model.rpn_head,
            in_channels=4,
            train_cfg=train_cfg.rpn,
            test_cfg=test_cfg.rpn,
            **options))
    return head, train_cfg.rpn_proposal


class RecordedMaps(torch.nn.Module):
    """Stands in for the network: the maps of the recording."""

    def __init__(self, case):
        super().__init__()
        self.objectness, self.deltas = (
            [leaf(case[f'{kind}_{level}']) for level in LEVELS]
            for kind in ('objectness', 'bbox_reg'))

    def forward(self, x):
        return self.objectness, self.deltas


def leaf(array):
    return torch.from_numpy(array).requires_grad_()


def with_recorded_maps(head, case):
    maps = RecordedMaps(case)
    head.forward = maps.forward
    return maps


def sampled(case, variant, number):
    """Recorded anchors of each image; none of images without."""
    chosen = []
    for i in range(number):
        names = case.names(f'{variant}/sampled_*_img{i}')
        chosen.append(
            torch.cat([torch.from_numpy(case[name])
                       for name in names] or [torch.zeros(0).long()]))
    return chosen


@pytest.mark.parametrize('variant, mode', [('da', 'none'), ('pseudo', 'none'),
                                           ('pseudo', 'prob')])
def test_losses_equal_the_original__det_rpn_loss(variant, mode):
    case = load_golden('det', 'rpn_loss')
    config = case.config
    head, proposal_cfg = rpn_head({
        'assigner.pos_iou_thr': config['fg_iou'],
        'assigner.neg_iou_thr': config['bg_iou'],
        'sampler.num': config['batch_size_per_image'],
        'sampler.pos_fraction': config['positive_fraction']
    }, pseudo_weight=None if mode == 'none' else mode)
    maps = with_recorded_maps(head, case)
    sizes = case['image_sizes_hw']
    samples = [
        image(
            size,
            case[f'gt_boxes_img{i}'],
            is_source=f'{variant}/anchor_labels_img{i}' in case,
            is_pseudo=variant == 'pseudo') for i, size in enumerate(sizes)
    ]
    count = sum(level[0].numel() for level in maps.objectness)
    head.draws = RecordedDraws({
        'rpn.sample_keys': keys_of(
            sampled(case, variant, len(samples)), count)
    })
    losses, _ = head.loss_and_predict((torch.zeros(1), ), samples,
                                      proposal_cfg)
    head.draws.assert_all_used()

    prefix = f'{variant}/{mode}'
    for ours, theirs, inputs, kind in (
        ('loss_rpn_cls', 'loss_objectness', maps.objectness, 'objectness'),
        ('loss_rpn_bbox', 'loss_rpn_box_reg', maps.deltas, 'bbox_reg')):
        case.assert_within(f'{prefix}/{theirs}', losses[ours])
        gradients = torch.autograd.grad(losses[ours], inputs)
        for level, gradient in zip(LEVELS, gradients):
            name = f'{prefix}/grad_{kind}_{level}'
            if name in case:
                case.assert_within(name, gradient)


@pytest.mark.parametrize('variant', ['da', 'pseudo'])
def test_anchor_labels_equal_the_original__det_rpn_loss(variant):
    case = load_golden('det', 'rpn_loss')
    head, _ = rpn_head({
        'assigner.pos_iou_thr': case.config['fg_iou'],
        'assigner.neg_iou_thr': case.config['bg_iou'],
        'sampler.num': 10**6,
        'sampler.pos_fraction': 1.
    })
    names = case.names(f'{variant}/anchor_labels_img*')
    assert names
    sizes = [case[f'objectness_{level}'].shape[-2:] for level in LEVELS]
    anchors = torch.cat(head.prior_generator.grid_priors(sizes, device='cpu'))
    for name in names:
        i = int(name.removeprefix(f'{variant}/anchor_labels_img'))
        sample = image(case['image_sizes_hw'][i], case[f'gt_boxes_img{i}'])
        every = head.sample_anchors(anchors, sample.gt_instances,
                                    sample.metainfo, None,
                                    torch.rand(len(anchors)))
        labels = torch.full((len(anchors), ), -1)
        labels[every.neg_inds], labels[every.pos_inds] = 0, 1
        case.assert_within(name, labels)


def assert_proposals(case, prefix, boxes, scores):
    """As sets: sorted by score."""
    for name, values in ((f'{prefix[0]}/boxes_{prefix[1]}', boxes),
                         (f'{prefix[0]}/objectness_{prefix[1]}', scores)):
        recorded_order = case[f'{prefix[0]}/objectness_{prefix[1]}'].argsort(
            kind='stable')
        case.assert_within(name, values[scores.argsort(stable=True)],
                           case[name][recorded_order])


def proposal_numbers(config, mode):
    numbers = config[mode]
    return dict(
        nms_pre=numbers['pre_nms'],
        nms_post=numbers['post_nms'],
        max_per_img=numbers['fpn_post_nms'],
        nms=dict(type='nms', iou_threshold=config['nms'], offset=1),
        min_bbox_size=config['min_size'])


def test_training_proposals_equal_the_original__det_rpn_proposals():
    """Over the batch; what is appended in the original, is in the RoI head."""
    case = load_golden('det', 'rpn_proposals')
    head, proposal_cfg = rpn_head(
        proposals=proposal_numbers(case.config, 'train'))
    with_recorded_maps(head, case)
    samples = [
        image(case['image_sizes_hw'][0], case['gt_boxes']),
        image(case['image_sizes_hw'][1], is_source=False)
    ]
    _, proposals = head.loss_and_predict((torch.zeros(1), ), samples,
                                         proposal_cfg)
    appended = [case['gt_boxes'], case['dummy_box']]
    for i, (found, extra) in enumerate(zip(proposals, appended)):
        boxes = torch.cat([found.bboxes, torch.from_numpy(extra)])
        scores = torch.cat([found.scores, torch.ones(len(extra))])
        assert_proposals(case, ('train', f'img{i}'), boxes, scores)


def test_test_proposals_equal_the_original__det_rpn_proposals():
    case = load_golden('det', 'rpn_proposals')
    head, _ = rpn_head(test=proposal_numbers(case.config, 'test'))
    with_recorded_maps(head, case)
    samples = [image(size) for size in case['image_sizes_hw']]
    for i, found in enumerate(head.predict((torch.zeros(1), ), samples)):
        assert_proposals(case, ('test', f'img{i}'), found.bboxes, found.scores)
