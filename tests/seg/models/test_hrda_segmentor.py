# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mic_mm.core import EMATeacher
from mic_mm.core.drawing import drawing_from
from mic_mm.core.draws import SeededDraws
from mic_mm.seg.objectives.observe import LogitKeeper, observed_backbone
from mic_mm.seg.pixel_weights import check_weightable, pixel_weighted, sampling
from mic_mm.testing.models_seg_da import build_segmentor, tiny_hrda

IMAGE = (64, 96)


def segmentor(head=None, **options):
    torch.manual_seed(0)
    cfg = {**tiny_hrda(), **options}
    cfg['decode_head'].update(head or {})
    return build_segmentor(cfg)


def batch(size=IMAGE, seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 4, (2, 1, *size), generator=generator)
    return torch.randn(2, 3, *size, generator=generator), [
        SegDataSample(gt_sem_seg=PixelData(data=label)) for label in labels
    ]


def losses_of(model, images, samples, iteration=0):
    with drawing_from(model, SeededDraws(0, iteration)):
        return model.loss(images, samples)


def test_losses_add_up_and_reach_every_parameter():
    model = segmentor().train()
    images, samples = batch()
    losses = losses_of(model, images, samples)
    assert set(losses) == {
        'decode.loss_ce', 'decode.acc_seg', 'decode.hr.loss_ce',
        'decode.hr.acc_seg'
    }
    sum(v for n, v in losses.items() if 'loss' in n).backward()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []


def test_shares_of_the_losses():
    images, samples = batch()
    plain = losses_of(
        segmentor(dict(hr_loss_weight=0.)).train(), images, samples)
    shared = losses_of(
        segmentor(dict(hr_loss_weight=0.3, lr_loss_weight=0.2)).train(),
        images, samples)
    assert 'decode.hr.loss_ce' not in plain
    torch.testing.assert_close(shared['decode.loss_ce'],
                               0.5 * plain['decode.loss_ce'])
    full = losses_of(
        segmentor(dict(hr_loss_weight=0.6, lr_loss_weight=0.4)).train(),
        images, samples)
    for scale in ('hr', 'lr'):
        torch.testing.assert_close(full[f'decode.{scale}.loss_ce'],
                                   2 * shared[f'decode.{scale}.loss_ce'])


def test_context_loss_with_and_without_the_attention():
    images, samples = batch()
    losses = [
        losses_of(
            segmentor(
                dict(
                    fixed_attention=attention,
                    lr_loss_weight=0.1,
                    lr_loss_unscaled=unscaled)).train(), images,
            samples)['decode.lr.loss_ce']
        for attention, unscaled in ((0., False), (0.9, True), (0.9, False))
    ]
    torch.testing.assert_close(losses[0], losses[1])
    assert not torch.isclose(losses[0], losses[2])


def test_the_box_follows_the_draws_and_the_backbone_sees_context_first():
    model = segmentor().train()
    images, samples = batch()
    seen = []
    model.backbone.register_forward_hook(
        lambda module, args, output: seen.append(args[0]))
    boxes = set()
    for iteration in (0, 1, 2, 0):
        losses_of(model, images, samples, iteration)
        boxes.add(model.detail_box)
    assert 1 < len(boxes) <= 3
    assert len(seen) == 8
    half = images.unfold(2, 2, 2).unfold(3, 2, 2).mean((-1, -2))
    torch.testing.assert_close(seen[0], half)
    torch.testing.assert_close(seen[-1], model.detail_box.crop(images))
    torch.testing.assert_close(seen[1], seen[-1])
    assert model.draws is None


def test_weights_are_cropped_with_the_labels():
    model = segmentor().train()
    images, samples = batch()
    losses_of(model, images, samples)
    weights = torch.zeros(2, *IMAGE)
    model.detail_box.crop(weights).fill_(2.)
    with pixel_weighted(model, weights):
        weighted = losses_of(model, images, samples)
    plain = losses_of(model, images, samples)
    torch.testing.assert_close(weighted['decode.hr.loss_ce'],
                               2 * plain['decode.hr.loss_ce'])
    check_weightable(model.decode_head)
    assert model.decode_head.head.sampler is None


def test_another_sampler_sees_the_fused_logits_only():
    model = segmentor().train()
    images, samples = batch()
    keeper = LogitKeeper()
    with sampling(model.decode_head, keeper):
        losses_of(model, images, samples)
    assert keeper.logits.shape == (2, 4, *IMAGE)


def test_windows_cover_the_image_and_chunks_change_nothing():
    images, _ = batch()
    whole = segmentor().eval()
    chunked = segmentor(window_batch=3).eval()
    chunked.load_state_dict(whole.state_dict())
    seen = []
    chunked.backbone.register_forward_hook(
        lambda module, args, output: seen.append(len(args[0])))
    with torch.no_grad():
        torch.testing.assert_close(
            chunked.encode_decode(images),
            whole.encode_decode(images),
            rtol=1e-4,
            atol=1e-5)
    # 3 by 5 windows of 2 images
    assert seen == [2] + 10 * [3]


def test_a_teacher_keeps_the_batch_statistics_of_all_windows():
    images, _ = batch()
    logits = []
    for window_batch in (None, 4):
        teacher = EMATeacher(segmentor(window_batch=window_batch))
        teacher.train()
        logits.append(teacher.model.encode_decode(images))
    torch.testing.assert_close(*logits, rtol=1e-4, atol=1e-5)
    assert not logits[0].requires_grad


@pytest.mark.parametrize('options, windows', [
    (dict(hr_slide_overlapping=False), 2 * 3),
    (dict(hr_slide_inference=False), 1),
    (dict(hr_crop_size=None), 1),
])
def test_options_of_the_windows(options, windows):
    model = segmentor(**options).eval()
    images, _ = batch()
    with torch.no_grad():
        features = model.window_features(images)
        assert model(images).shape == (2, 4, 16, 24)
    assert len(features.boxes) == windows


def test_same_scale_and_blurred_detail():
    images, _ = batch()
    same = segmentor(scales=(1, 1)).eval()
    blurred = segmentor(blur_hr_crop=True).eval()
    inputs = {}
    for name, model in (('same', same), ('blurred', blurred)):
        calls = inputs[name] = []
        model.backbone.register_forward_hook(
            lambda module, args, output, calls=calls: calls.append(args[0]))
        with torch.no_grad():
            model.training_features(images)
    torch.testing.assert_close(inputs['same'][0], images)
    detail = blurred.detail_box.crop(images)
    assert inputs['blurred'][1].var() < 0.5 * detail.var()


@pytest.mark.parametrize('scale', [0.25, 0.75])
def test_other_scales_of_the_context(scale):
    model = segmentor(scales=(scale, 1)).train()
    images, samples = batch(size=(128, 192))
    with drawing_from(model, SeededDraws(0, 0)):
        features = model.training_features(images)
    logits = model.decode_head(features)
    cells = (round(32 * scale), round(48 * scale))
    assert logits.context.shape[-2:] == cells
    assert logits.fused.shape[-2:] == (32, 48)
    top, _, left, _ = model.detail_box
    # HRDA: int(offset / (stride / scale))
    assert model.detail_box.scaled((128, 192), cells)[::2] == (
        int(top / (4 / scale)), int(left / (4 / scale)))
    assert model.loss(images, samples)['decode.loss_ce'].isfinite()


def test_context_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match=r'low-resolution images of \(38'):
        segmentor().loss(*batch(size=(76, 96)))


def test_one_attention_for_all_classes():
    model = segmentor(dict(attention_classwise=False)).train()
    assert model.decode_head.scale_attention.conv_seg.out_channels == 1
    assert losses_of(model, *batch())['decode.loss_ce'].isfinite()


@pytest.mark.parametrize('output, channels', [('fused', 4), ('lr', 4),
                                              ('hr', 4), ('attention', 2)])
@pytest.mark.parametrize('mode', ['whole', 'slide'])
def test_predictions_of_each_output(output, channels, mode):
    model = segmentor().eval()
    model.test_cfg.update(
        mode=mode, crop_size=(64, 64), stride=(32, 32), hrda_output=output)
    images, _ = batch()
    metainfo = dict(ori_shape=(32, 48), img_shape=IMAGE)
    with torch.no_grad():
        predictions = model.predict(
            images, [SegDataSample(metainfo=metainfo) for _ in images])
    for prediction in predictions:
        assert prediction.seg_logits.data.shape == (channels, 32, 48)
        assert prediction.metainfo['img_shape'] == IMAGE
        assert torch.equal(prediction.pred_sem_seg.data[0],
                           prediction.seg_logits.data.argmax(0))


def test_pseudo_labels_are_fused_whatever_is_predicted():
    model = segmentor().eval()
    images, _ = batch()
    with torch.no_grad():
        expected = model.encode_decode(images)
        model.test_cfg.hrda_output = 'lr'
        torch.testing.assert_close(model.encode_decode(images), expected)


def test_deeplab_v2_as_the_head():
    head = dict(
        type='mic_mm.DLV2Head',
        in_channels=32,
        in_index=3,
        num_classes=4)
    model = segmentor(
        dict(single_scale_head=head), hr_crop_size=(64, 64)).train()
    images, samples = batch(size=(128, 128))
    losses = losses_of(model, images, samples)
    assert losses['decode.hr.loss_ce'] > 0
    names = {n.removeprefix('decode_head.') for n, _ in
             model.named_parameters() if 'decode_head' in n}
    assert 'head.aspp_modules.1.conv.weight' in names
    assert 'scale_attention.aspp_modules.1.conv.weight' in names


@pytest.mark.parametrize('feature_scale, expected', [(0.5, 'context'),
                                                     (1, 'detail'),
                                                     ('all', 'both')])
def test_features_for_the_feature_distance(feature_scale, expected):
    model = segmentor(feature_scale=feature_scale).train()
    images, samples = batch()
    with observed_backbone(model) as calls:
        losses_of(model, images, samples)
    labels = torch.cat([s.gt_sem_seg.data for s in samples])
    context = ((2, 3, 32, 48), labels)
    detail = ((2, 3, 32, 32), model.detail_box.crop(labels))
    wanted = dict(
        context=[context], detail=[detail], both=[context, detail])[expected]
    passes = model.feature_passes(calls, labels)
    assert len(passes) == len(wanted)
    for (call, seen), (shape, label) in zip(passes, wanted):
        assert call.inputs.shape == shape
        assert torch.equal(seen, label)


@pytest.mark.parametrize('options, message', [
    (dict(scales=(0.5, )), r'scales=\(0.5,\)'),
    (dict(scales=(0.5, 2)), 'larger is 1'),
    (dict(feature_scale=0.25), 'feature_scale=0.25'),
    (dict(window_batch=0), 'window_batch=0'),
    (dict(hr_crop_size=(30, 30)), r'hr_crop_size=\(30, 30\)'),
])
def test_mistakes_in_the_segmentor(options, message):
    with pytest.raises(ValueError, match=message):
        segmentor(**options)


@pytest.mark.parametrize('head, message', [
    (dict(hr_loss_weight=0.7, lr_loss_weight=0.5), 'hr_loss_weight=0.7'),
    (dict(fixed_attention=1.5), 'fixed_attention=1.5'),
])
def test_mistakes_in_the_head(head, message):
    with pytest.raises(ValueError, match=message):
        segmentor(head)


def test_a_head_with_a_loss_of_its_own_is_refused():
    head = dict(
        type='PointHead',
        in_channels=[4],
        in_index=[0],
        channels=8,
        num_classes=4)
    with pytest.raises(TypeError, match='PointHead'):
        segmentor(
            dict(
                single_scale_head=head,
                scale_attention=dict(
                    type='FCNHead',
                    in_channels=4,
                    in_index=0,
                    channels=4,
                    num_classes=4)))


def test_labels_of_another_size_are_named():
    images, samples = batch()
    samples[1] = SegDataSample(
        metainfo=dict(img_path='a/b.png'),
        gt_sem_seg=PixelData(data=torch.zeros(1, 64, 64, dtype=torch.long)))
    with pytest.raises(ValueError, match=r'a/b.png has \(64, 64\) pixels'):
        segmentor().loss(images, samples)


def test_an_image_smaller_than_the_crop_is_named():
    with pytest.raises(ValueError, match=r'larger than the images of \(24'):
        segmentor().loss(*batch(size=(24, 96)))
