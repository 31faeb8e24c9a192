# Copyright (c) mic_mm authors. All rights reserved.
"""HRDA against the original: training, pseudo-labels, whole and slide."""
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from mmseg.utils import add_prefix

from mic_mm.core.drawing import drawing_from
from mic_mm.seg.checkpoints import convert_model_config
from mic_mm.seg.pixel_labeller import most_probable
from mic_mm.seg.pixel_weights import pixel_weighted
from mic_mm.testing.draws import RecordedDraws
from mic_mm.testing.golden import load_golden
from mic_mm.testing.models_seg_da import (
    build_golden_segmentor,
    build_segmentor,
    golden_segmentor,
    golden_weights,
    in_original_names,
    load_golden_weights,
    original_arrays,
)
from mic_mm.utils.strict_loading import load_strictly

pytestmark = pytest.mark.golden


def normalised(case, name='rgb'):
    mean, std = (
        torch.from_numpy(case[key]).view(-1, 1, 1) for key in ('mean', 'std'))
    return (torch.from_numpy(case[name]).float() - mean) / std


def samples(case):
    labels = torch.from_numpy(case['label']).long()
    return [
        SegDataSample(gt_sem_seg=PixelData(data=label)) for label in labels
    ]


def drawing_box(model, box, image):
    """Draws by which the detail crop is the recorded one."""
    top, _, left, _ = (int(side) for side in box)
    numbers = {}
    for axis, offset, side, crop in zip('yx', (top, left), image,
                                        model.detail_crop.size):
        offsets = model.detail_crop.offsets(side - crop)
        numbers[f'detail_crop.{axis}'] = np.float32(
            (offsets.index(offset) + 0.5) / len(offsets))
    return drawing_from(model, RecordedDraws(numbers))


def assert_losses(case, prefix, losses, box, labels_of=None):
    labels = torch.from_numpy((labels_of or case)['label'])
    valid = {
        'decode': (labels != 255).float().mean(),
        'decode.hr': (box.crop(labels) != 255).float().mean(),
        'decode.lr': (labels != 255).float().mean(),
    }
    names = case.names(f'{prefix}decode.*_seg')
    assert {n.rpartition('.')[0].removeprefix(prefix)
            for n in names} == {n.rpartition('.')[0]
                                for n in losses}
    for name in names:
        part = name.rpartition('.')[0].removeprefix(prefix)
        if name.endswith('acc_seg'):  # here: percent of the valid pixels
            case.assert_within(
                name, (losses[f'{part}.acc_seg'] * valid[part]).reshape(()))
        else:
            case.assert_within(name, losses[f'{part}.loss_ce'])
    total = sum(v for n, v in losses.items() if 'loss' in n)
    case.assert_within(f'{prefix}loss', total)
    return total


def test_training_pass__seg_case10():
    case = load_golden('seg', 'case10_')
    model = golden_segmentor(case).train()
    images = normalised(case)
    with drawing_box(model, case['train_hr_box'], images.shape[-2:]):
        features = model.training_features(images)
    case.assert_within('train_hr_box', model.detail_box)
    for name in case.names('train_feature*'):
        index = int(name.removeprefix('train_feature'))
        case.assert_within(name, features.context[index])
    logits = model.decode_head(features)
    case.assert_within('train_lr_logits', logits.context)
    case.assert_within('train_hr_logits', logits.windows)
    case.assert_within('train_lr_logits_scaled', logits.scaled_context)
    case.assert_within('train_fused_logits', logits.fused)
    with pixel_weighted(model, torch.from_numpy(case['pixel_weight'])):
        losses = model.decode_head.loss_by_feat(logits, samples(case))
    assert_losses(case, 'train_', add_prefix(losses, 'decode'),
                  model.detail_box).backward()
    gradients = in_original_names(
        {name: p.grad
         for name, p in model.named_parameters()})
    assert set(gradients) == set(original_arrays(case, 'grad/'))
    for name, gradient in gradients.items():
        case.assert_within(f'grad/{name}', gradient)
    buffers = dict(model.named_buffers())
    for name in case.names('bn_after_train/*'):
        case.assert_within(name, buffers[name.removeprefix('bn_after_train/')])


def test_training_pass_without_weights__seg_case10():
    case = load_golden('seg', 'case10_')
    model = golden_segmentor(case).train()
    images = normalised(case)
    box = case['train_noweight_hr_box']
    with drawing_box(model, box, images.shape[-2:]):
        losses = model.loss(images, samples(case))
    case.assert_within('train_noweight_hr_box', model.detail_box)
    assert_losses(case, 'train_noweight_', losses, model.detail_box)


def test_attention_of_a_training_pass__seg_case10():
    case = load_golden('seg', 'case10_')
    model = golden_segmentor(case).train()
    context = [
        torch.from_numpy(case[name])
        for name in sorted(case.names('train_feature*'))
    ]
    case.assert_within('train_attention',
                       model.decode_head.scale_attention(context).sigmoid())


@torch.no_grad()
def test_pseudo_label_pass__seg_case10():
    case = load_golden('seg', 'case10_')
    model = golden_segmentor(case).train()
    images = normalised(case)
    logits = model.decode_head(model.window_features(images))
    case.assert_within('pseudo_fused_logits', logits.fused)
    case.assert_within('pseudo_hr_logits', logits.detail)
    buffers = dict(model.named_buffers())
    for name in case.names('bn_after_pseudo/*'):
        case.assert_within(name,
                           buffers[name.removeprefix('bn_after_pseudo/')])
    enlarged = model.encode_decode(images)
    case.assert_within(
        'pseudo_logits_checksum',
        torch.stack([enlarged.double().sum(),
                     enlarged.double().square().sum()]))
    _, labels = most_probable(enlarged)
    case.assert_within('pseudo_label', labels)


@torch.no_grad()
def test_whole_image__seg_case10():
    case = load_golden('seg', 'case10_')
    model = golden_segmentor(case).eval()
    image = normalised(case)[:1]
    features = model.window_features(image)
    logits = model.decode_head(features)
    case.assert_within('whole_lr_logits', logits.context)
    case.assert_within('whole_hr_logits', logits.detail)
    case.assert_within(
        'whole_attention',
        model.decode_head.scale_attention(features.context).sigmoid())
    case.assert_within('whole_fused_logits', logits.fused)
    size = tuple(int(side) for side in case['whole_ori_shape'])
    prediction, = model.predict(image, [
        SegDataSample(metainfo=dict(ori_shape=size, img_shape=image.shape[2:]))
    ])
    case.assert_within('whole_logits', model.encode_decode(image))
    case.assert_within('whole_pred', prediction.pred_sem_seg.data[0])


@torch.no_grad()
@pytest.mark.parametrize('batched_slide', [True, False])
def test_outer_slide__seg_case10(batched_slide):
    case = load_golden('seg', 'case10_')
    model = golden_segmentor(case).eval()
    height, width, *stride = (int(side) for side in case['slide_crop_stride'])
    model.test_cfg.update(
        mode='slide',
        crop_size=(height, width),
        stride=stride,
        batched_slide=batched_slide)
    image = normalised(case, 'slide_rgb')
    prediction, = model.predict(image)
    case.assert_within('slide_logits', prediction.seg_logits.data[None])
    case.assert_within('slide_pred', prediction.pred_sem_seg.data[0])


@torch.no_grad()
def test_fixed_attention__seg_case10():
    case = load_golden('seg', 'case10_')
    names = case.names('fixed_attention_*')
    assert names
    weights = {
        name: value
        for name, value in golden_weights(case, 'weights/').items()
        if 'scale_attention' not in name
    }
    for name in names:
        cfg = convert_model_config(case.config)
        cfg['decode_head']['fixed_attention'] = float(
            name.removeprefix('fixed_attention_'))
        model = build_segmentor(cfg).eval()
        load_strictly(model, weights)
        case.assert_within(name, model(normalised(case)[:1]))


def test_detail_that_covers_the_image__seg_case10b():
    case, base = (load_golden('seg', name)
                  for name in ('case10b', 'case10_'))
    model = build_golden_segmentor(case).train()
    load_golden_weights(model, base)
    passes = []
    model.backbone.register_forward_hook(
        lambda module, args, output: passes.append(output))
    with pixel_weighted(model, torch.from_numpy(base['pixel_weight'])):
        losses = model.loss(normalised(base), samples(base))
    assert model.feature_scale == 'all'
    case.assert_within('n_feature_scales', len(passes))
    assert_losses(case, '', losses, model.detail_box, base).backward()
    gradients = in_original_names(
        {name: p.grad
         for name, p in model.named_parameters()})
    norms = [
        gradients[str(name)].norm().item() for name in case['grad_names']
    ]
    case.assert_within('grad_norms', np.array(norms, np.float32))
