# Copyright (c) mic_mm authors. All rights reserved.
"""Source supervision and domain classifiers on stock detectors."""
import copy

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mic_mm.core.scope import pin_scope
from mic_mm.det.objectives.joint_pass import fixed_features, join_domains
from mic_mm.registry import MODELS
from mic_mm.testing.batches import det_batch, without_labels
from mic_mm.testing.models import tiny_detector
from mic_mm.testing.models_det import DETECTORS

IMAGE = dict(hidden_dim=8, gradient_scale=0.5)
INSTANCE = dict(hidden_dim=8, gradient_scale=0.5)
CONSISTENCY = dict(gradient_scale=0.1)


def build(detector, joint, **others):
    torch.manual_seed(0)
    objectives = dict(joint=dict(type='mic_mm.DomainAdversarialDetection', **joint), **others)
    model = MODELS.build(
        dict(type='mic_mm.UDADetector', detector=detector, objectives=objectives))
    model.init_weights()
    return model.train()


def plain_detector():
    return MODELS.build(pin_scope(tiny_detector(), 'mmdet'))


def all_heads(**options):
    return dict(dict(image_head=IMAGE, instance_head=INSTANCE, consistency=CONSISTENCY), **options)


def paired(count=2, seed=0):
    return dict(source=det_batch(seed, count), target=without_labels(det_batch(seed + 50, count)))


def prepared(model, data=None):
    return model.prepare(model.data_preprocessor(data or paired(), True))


def step(model, data=None, lr=0.01):
    parameters = [p for p in model.parameters() if p.requires_grad]
    optim_wrapper = OptimWrapper(torch.optim.SGD(parameters, lr=lr))
    return model.train_step(data or paired(), optim_wrapper)


def total(losses):
    return sum(
        float(sum(v) if isinstance(v, list) else v) for n, v in losses.items() if 'loss' in n)


@pytest.mark.parametrize('name', sorted(DETECTORS))
@pytest.mark.parametrize('features', ['neck', 'backbone'])
def test_image_head_works_on_any_detector(name, features):
    model = build(DETECTORS[name](), dict(image_head=IMAGE, features=features))
    before = copy.deepcopy(model.objectives['joint'].heads.state_dict())
    logs = step(model, lr=1.)
    assert 0 < float(logs['joint.image.loss']) < 2
    assert 0 <= float(logs['joint.image.accuracy']) <= 100
    assert any(key.startswith('joint.source.') and 'loss' in key for key in logs)
    after = model.objectives['joint'].heads.state_dict()
    assert all(not torch.equal(before[key], after[key]) for key in before)


@pytest.mark.parametrize('name', sorted(DETECTORS))
def test_supervised_losses_are_those_of_the_source_images(name):
    """Without batch norm a joint pass changes nothing for an image."""
    model = build(DETECTORS[name](), dict(image_head=IMAGE))
    if name == 'faster_rcnn':
        model = build(tiny_detector(norm='GN'), dict(image_head=IMAGE))
    batch = prepared(model)
    samples = copy.deepcopy(batch.source.data_samples)
    torch.manual_seed(3)
    losses = model.objectives['joint'](batch, model.student, None)
    torch.manual_seed(3)
    expected = model.student.loss(batch.source.inputs, samples)
    ours = {k.removeprefix('source.'): v for k, v in losses.items() if k.startswith('source.')}
    assert set(ours) == set(expected)
    assert total(ours) == pytest.approx(total(expected), rel=1e-4)


def test_batch_norm_sees_both_domains_together():
    model = build(tiny_detector(norm='BN'), dict(image_head=IMAGE))
    expected = copy.deepcopy(model.student)
    batch = prepared(model)
    model.objectives['joint'](batch, model.student, None)
    expected.extract_feat(torch.cat([batch.source.inputs, batch.target.inputs]))
    ours, theirs = dict(model.student.named_buffers()), dict(expected.named_buffers())
    name = 'backbone.bn1.running_mean'
    assert torch.allclose(ours[name], theirs[name])
    assert int(ours['backbone.bn1.num_batches_tracked']) == 1


def test_all_terms_on_a_stock_two_stage_detector():
    model = build(tiny_detector(), all_heads())
    logs = step(model)
    for term in ('image', 'instance', 'consistency'):
        assert float(logs[f'joint.{term}.loss']) > 0
    parts = sum(float(v) for k, v in logs.items() if 'loss' in k and k.startswith('joint.'))
    assert float(logs['loss']) == pytest.approx(parts, rel=1e-5)


def test_regions_of_both_domains_are_as_many_as_the_box_head_samples():
    model = build(tiny_detector(norm='GN'), all_heads())
    objective, batch = model.objectives['joint'], prepared(model)
    seen = []
    objective.heads.register_forward_pre_hook(lambda module, args: seen.append(args[2]))
    objective(batch, model.student, None)
    regions = seen[0]
    images = regions.rois[:, 0]
    assert set(images.tolist()) == {0., 1., 2., 3.}
    assert torch.equal(regions.is_source, (images < 2).float())
    limit = model.student.roi_head.bbox_sampler.num
    proposals = model.student.train_cfg.rpn_proposal.max_per_img
    for index in range(4):
        count = int((images == index).sum())
        assert 0 < count <= min(limit, proposals + 2)
    assert regions.features.shape == (len(images), 16)


@pytest.mark.parametrize('head', ['image', 'instance'])
def test_features_get_the_reversed_gradient(head):
    """Reversal: the step that helps the classifier would hurt the features."""
    options = {f'{head}_head': dict(hidden_dim=8, gradient_scale=0.5, init_std=0.5)}
    if head == 'instance':
        options['instance_head']['dropout'] = 0.
    gradients = []
    for scale in (0.5, 1.):
        options[f'{head}_head']['gradient_scale'] = scale
        model = build(tiny_detector(norm='GN'), options)
        losses = model.objectives['joint'](prepared(model), model.student, None)
        weight = model.student.neck.lateral_convs[0].conv.weight
        gradients.append(torch.autograd.grad(losses[f'{head}.loss'], weight)[0])
    assert gradients[0].abs().max() > 0
    assert torch.allclose(gradients[1], 2 * gradients[0], rtol=1e-4, atol=1e-8)


def test_classifiers_learn_while_features_are_frozen():
    model = build(tiny_detector(norm='GN'), all_heads())
    model.student.requires_grad_(False)
    heads = model.objectives['joint'].heads
    optimizer = torch.optim.Adam(heads.parameters(), lr=0.05)
    bright = dict(
        source=det_batch(0, 2), target=dict(
            without_labels(det_batch(1, 2)), inputs=[torch.full((3, 64, 64), 250)] * 2))
    losses = []
    for _ in range(40):
        torch.manual_seed(0)
        batch = prepared(model, bright)
        found = model.objectives['joint'](batch, model.student, None)
        loss = found['image.loss'] + found['instance.loss']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < 0.5 * losses[0]
    assert float(found['image.accuracy']) > 75


def test_smaller_images_are_padded_to_the_larger_domain():
    model = build(tiny_detector(norm='GN'), all_heads())
    data = paired()
    size = data['target']['inputs'][0].shape[-1]
    data['source']['inputs'] = [torch.cat([i, i], dim=1) for i in data['source']['inputs']]
    for sample in data['source']['data_samples']:
        sample.set_metainfo(dict(img_shape=(2 * size, size), ori_shape=(2 * size, size)))
    batch = prepared(model, data)
    joint = join_domains(batch)
    assert joint.inputs.shape[-2:] == batch.source.inputs.shape[-2:] == (2 * size, size)
    assert joint.inputs[2:, :, :size].any() and not joint.inputs[2:, :, size:].any()
    assert {s.batch_input_shape for s in joint.data_samples} == {(2 * size, size)}
    assert [s.is_source for s in joint.data_samples] == [True, True, False, False]
    assert [len(s.gt_instances) for s in joint.data_samples] == [2, 2, 0, 0]
    assert not any('is_source' in s for s in batch.source.data_samples)
    assert batch.target.data_samples[0].batch_input_shape == (size, size)
    assert 'gt_instances' not in batch.target.data_samples[0]
    assert float(step(model, data)['joint.instance.loss']) > 0


def test_target_draws_are_reproducible():
    losses = []
    for _ in range(2):
        model = build(tiny_detector(norm='GN'), all_heads())
        torch.manual_seed(5)
        losses.append(model.objectives['joint'](prepared(model), model.student, None))
    for key in losses[0]:
        assert total({'loss': losses[0][key]}) == total({'loss': losses[1][key]})


def test_search_for_a_perturbation_leaves_domain_losses_out():
    model = build(tiny_detector(norm='GN'), all_heads())
    batch = prepared(model)
    batch.is_ascent = True
    losses = model.objectives['joint'](batch, model.student, None)
    assert losses and all(key.startswith('source.') for key in losses)


def test_excluded_and_weighted_losses():
    torch.manual_seed(0)
    model = build(tiny_detector(norm='GN'), all_heads(weight=2., exclude=('bbox', )))
    batch = prepared(model)
    torch.manual_seed(1)
    doubled = model.objectives['joint'](batch, model.student, None)
    assert not any('bbox' in key for key in doubled)
    model.objectives['joint'].weight = 1.
    torch.manual_seed(1)
    single = model.objectives['joint'](batch, model.student, None)
    assert float(doubled['image.loss']) == pytest.approx(2 * float(single['image.loss']))
    assert float(doubled['image.accuracy']) == float(single['image.accuracy'])


def test_names_of_parameters_are_those_of_the_heads():
    model = build(tiny_detector(), all_heads())
    names = [n for n, _ in model.objectives.named_parameters()]
    assert 'joint.heads.image_head.levels.0.conv1.weight' in names
    assert 'joint.heads.instance_head.levels.1.fc3.bias' in names


def test_probing_leaves_modes_and_statistics_alone():
    student = plain_detector().train()
    student.neck.eval()
    before = {n: b.clone() for n, b in student.named_buffers()}
    MODELS.build(
        dict(
            type='mic_mm.UDADetector', detector=student, objectives=dict(
                joint=dict(type='mic_mm.DomainAdversarialDetection', image_head=IMAGE))))
    assert student.backbone.training and not student.neck.training
    assert all(torch.equal(before[n], b) for n, b in student.named_buffers())


@pytest.mark.parametrize('options, message', [
    (dict(), 'neither image_head nor instance_head'),
    (dict(image_head=IMAGE, features='head'), "features='head'"),
    (dict(image_head=IMAGE, consistency=CONSISTENCY), 'consistency compares both'),
    (all_heads(features='backbone'), "needs features='neck'"),
    (all_heads(consistency=dict(scale=1.)), 'scale'),
    (dict(image_head=dict(gradient_scale=-0.1)), 'gradient_scale=-0.1 is negative'),
    (dict(image_head=dict(hidden_dim=0)), 'hidden_dim=0'),
    (dict(instance_head=dict(dropout=1.)), 'dropout=1.0'),
])
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        build(tiny_detector(), options)


@pytest.mark.parametrize('name', ['retinanet', 'fcos', 'dino'])
def test_instance_head_without_regions_is_refused(name):
    with pytest.raises(TypeError, match='has no roi_head.*instance_head=None'):
        build(DETECTORS[name](), dict(instance_head=INSTANCE))


def test_several_box_heads_are_refused():
    student = plain_detector()
    student.roi_head.bbox_head = nn.ModuleList([student.roi_head.bbox_head])
    with pytest.raises(TypeError, match='one box head'):
        build(student, dict(instance_head=INSTANCE))


def test_detector_without_proposals_is_refused():
    student = plain_detector()
    del student.rpn_head
    with pytest.raises(TypeError, match='no rpn_head'):
        build(student, dict(instance_head=INSTANCE))


def test_missing_neck_is_named():
    student = plain_detector()
    del student.neck
    with pytest.raises(TypeError, match="no neck.*features='backbone'"):
        build(student, dict(image_head=IMAGE))


def test_detector_that_does_not_ask_for_features_is_refused():
    detector = nn.Linear(1, 1)
    with pytest.raises(TypeError, match='Linear.loss does not call'):
        with fixed_features(detector, []):
            pass
    assert 'extract_feat' not in vars(detector)
