# Copyright (c) mic_mm authors. All rights reserved.
"""Weights of the original detector in MMDetection's Faster R-CNN."""
import pytest
import torch

from mic_mm.det.checkpoints import convert_domain_heads, convert_weights, select_network
from mic_mm.testing.golden import load_golden
from mic_mm.testing.original_detector import (
    build_detector,
    image,
    network_input,
    slim_detector,
    weights_of,
)
from mic_mm.utils.checkpoint_file import read_checkpoint
from mic_mm.utils.strict_loading import load_strictly

pytestmark = pytest.mark.golden


@pytest.fixture(scope='module')
def case():
    return load_golden('det', 'train_iterations')


@pytest.fixture(scope='module')
def original(case):
    return weights_of(case, 'init/')


@pytest.fixture(scope='module')
def detector(case):
    return build_detector(slim_detector(case)).eval()


def anchors(detector):
    return detector.rpn_head.prior_generator.base_anchors


def test_converted_detector_detects_what_the_original_does__det(
        case, original, detector):
    """The teacher of iteration 0 is the network of the recorded weights."""
    load_strictly(detector, convert_weights(original, anchors(detector)))
    sizes = case.config['target_hw']
    samples = [image(size) for size in sizes]
    with torch.no_grad():
        found = detector.predict(
            network_input(case, 'iter0/target_images', sizes),
            samples,
            rescale=False)
    for i, sample in enumerate(found):
        boxes = sample.pred_instances
        prefix = f'iter0/teacher/img{i}'
        case.assert_within(f'{prefix}/labels', boxes.labels + 1)
        case.assert_within(f'{prefix}/scores', boxes.scores)
        case.assert_within(f'{prefix}/boxes', boxes.bboxes)


def test_background_becomes_the_last_class(original, detector):
    head = 'roi_head.bbox_head'
    converted = convert_weights(original, anchors(detector))
    theirs = original['roi_heads.box.predictor.cls_score.weight']
    torch.testing.assert_close(converted[f'{head}.fc_cls.weight'][-1],
                               theirs[0])
    torch.testing.assert_close(converted[f'{head}.fc_cls.weight'][0],
                               theirs[1])
    boxes = original['roi_heads.box.predictor.bbox_pred.bias']
    torch.testing.assert_close(converted[f'{head}.fc_reg.bias'], boxes[4:])


def test_batch_norm_equals_one_without_epsilon(original, detector):
    converted = convert_weights(original, anchors(detector))
    theirs = 'backbone.body.layer2.0.bn1.'
    ours = 'backbone.layer2.0.bn1.'
    values = {
        name: original[theirs + name].double()
        for name in ('weight', 'bias', 'running_mean', 'running_var')
    }
    x = torch.randn(2, len(values['bias']), 3, 3).double()
    shape = (1, -1, 1, 1)
    expected = ((x - values['running_mean'].view(shape)) /
                values['running_var'].sqrt().view(shape) *
                values['weight'].view(shape) + values['bias'].view(shape))
    actual = torch.nn.functional.batch_norm(
        x, *(converted[ours + name].double() for name in
             ('running_mean', 'running_var', 'weight', 'bias')))
    torch.testing.assert_close(actual, expected, rtol=1e-6, atol=1e-6)


def test_domain_heads_are_renamed_and_nothing_is_lost(original):
    heads = convert_domain_heads(original)
    theirs = [name for name in original if name.startswith('da_heads.')]
    assert theirs and len(heads) == len(theirs)
    assert heads['image_head.levels.4.conv2.weight'] is original[
        'da_heads.imghead.da_img_conv2_level4.weight']
    assert heads['instance_head.levels.0.fc3.bias'] is original[
        'da_heads.inshead.da_ins_fc3_level0.bias']
    with pytest.raises(ValueError, match='no weight of a domain classifier'):
        convert_domain_heads({'da_heads.other.weight': torch.zeros(1)})


@pytest.mark.parametrize('prefix', ['', 'module.', 'ema_model.',
                                    'ema_model.module.', 'module.ema_model.'])
def test_student_and_teacher_files_have_one_network(prefix, original):
    prefixed = {prefix + name: value for name, value in original.items()}
    assert select_network(prefixed).keys() == original.keys()


@pytest.mark.parametrize('zipped', [True, False])
def test_training_files_of_the_original_are_read(zipped, original, tmp_path):
    """With optimizer and scheduler, in the format of old and new PyTorch."""
    path = tmp_path / 'model_final.pth'
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([parameter], lr=.1, momentum=.9)
    torch.save(
        dict(
            model=original,
            optimizer=optimizer.state_dict(),
            scheduler=dict(last_epoch=3),
            iteration=3),
        path,
        _use_new_zipfile_serialization=zipped)
    content = read_checkpoint(path, key='model')
    assert content['state_dict'].keys() == original.keys()
    assert content['iteration'] == 3
    with pytest.raises(ValueError, match='has a state_dict of tensors'):
        read_checkpoint(path)


def test_other_anchors_are_refused(original, detector):
    name = 'rpn.anchor_generator.cell_anchors.2'
    moved = dict(original, **{name: original[name] + 1})
    with pytest.raises(ValueError, match='cell_anchors.2 of the checkpoint'):
        convert_weights(moved, anchors(detector))
    with pytest.raises(ValueError, match='has no level'):
        convert_weights(original, anchors(detector)[:2])


def test_unknown_weights_are_refused(original, detector):
    with pytest.raises(ValueError, match='roi_heads.mask.conv.weight'):
        convert_weights(
            dict(original, **{'roi_heads.mask.conv.weight': torch.zeros(1)}),
            anchors(detector))
