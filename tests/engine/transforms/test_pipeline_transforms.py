# Copyright (c) mic_mm authors. All rights reserved.
import cv2
import numpy as np
import pytest
import torch
from mmcv.transforms.utils import cache_random_params
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

from mic_mm.core.color_jitter import ColorJitter
from mic_mm.core.gaussian_blur import GaussianBlur
from mic_mm.core.pixel_statistics import PixelStatistics
from mic_mm.engine.transforms import BlockMasking, UDAColorJitter, UDAGaussianBlur
from mic_mm.engine.transforms.numpy_draws import NumpyDraws

PACK = dict(mmseg='PackSegInputs', mmdet='PackDetInputs',
            mmpretrain='PackInputs')  # yapf: disable
MEAN_BGR = (103.53, 116.28, 123.675)
STD_BGR = (57.375, 57.12, 58.395)


@pytest.fixture
def img():
    return np.random.RandomState(0).randint(1, 255, (64, 96, 3), np.uint8)


@pytest.mark.parametrize('scope', PACK)
@pytest.mark.parametrize('transform', [
    dict(type='mic_mm.BlockMasking', ratio=0.5, block_size=16),
    dict(type='mic_mm.UDAColorJitter', prob=1),
    dict(type='mic_mm.UDAGaussianBlur', prob=1, sigma=(0.9, 1)),
])
def test_works_in_a_pipeline_of_every_library(scope, transform, img, tmp_path):
    pytest.importorskip(scope)
    path = str(tmp_path / 'img.png')
    cv2.imwrite(path, img)
    with DefaultScope.overwrite_default_scope(scope):
        # As the datasets do: nothing of mic_mm is imported in the config.
        pipeline = Compose([
            dict(type='LoadImageFromFile'), transform,
            dict(type=PACK[scope])
        ])
    results = pipeline(
        dict(img_path=path, img_id=0, height=64, width=96, seg_fields=[]))
    inputs = results['inputs'].numpy().transpose(1, 2, 0)
    assert inputs.dtype == np.uint8 and inputs.shape == img.shape
    assert (inputs != img).any()


def test_block_masking__fills_blocks_and_keeps_the_rest(img):
    masked = BlockMasking(0.5, 16)(dict(img=img.copy()))['img']
    fill = np.array([104, 116, 124], np.uint8)
    hidden = (masked == fill).all(-1)
    visible = (masked == img).all(-1)
    assert (hidden | visible).all() and masked.dtype == img.dtype
    blocks = hidden.reshape(4, 16, 6, 16).mean((1, 3))
    assert set(np.unique(blocks.round(2))) == {0., 1.}


def test_block_masking__mean_is_what_is_0_after_normalisation(img):
    img = img.astype(np.float32)
    np.random.seed(0)
    masked = BlockMasking(0.5, 16, fill=MEAN_BGR)(dict(img=img))['img']
    np.random.seed(0)
    transform = BlockMasking(0.5, 16)
    noise = transform.mask.draw(NumpyDraws(), 1, (64, 96))

    def normalise(image):
        return torch.from_numpy(
            ((image - MEAN_BGR) / STD_BGR).transpose(2, 0, 1))[None].float()

    expected = transform.mask.apply(normalise(img), noise)
    assert torch.allclose(normalise(masked), expected, atol=1e-6)


def test_block_masking__share_of_hidden_blocks_is_the_ratio():
    img = np.full((320, 320, 3), 200, np.uint8)
    transform = BlockMasking(0.7, 32, fill=0)
    masked = [transform(dict(img=img))['img'] for _ in range(32)]
    # 3200 blocks: the standard error of their mean is 0.008.
    assert abs(np.mean([m == 0 for m in masked]) - 0.7) < 0.033


@pytest.mark.parametrize('shape, fill', [((32, 32), 7), ((32, 32, 1), 7),
                                         ((32, 32, 4), (1, 2, 3, 4)),
                                         ((32, 32), (7, ))])
def test_block_masking__works_with_any_number_of_channels(shape, fill):
    img = np.full(shape, 200, np.uint8)
    masked = BlockMasking(0.5, 8, fill=fill)(dict(img=img))['img']
    assert masked.shape == shape and masked.dtype == np.uint8
    assert (masked != 200).any() and (masked == 200).any()


def test_block_masking__fill_has_to_fit_the_channels():
    img = np.full((32, 32), 200, np.uint8)
    with pytest.raises(ValueError, match='3 values.*1 channel'):
        BlockMasking(0.5, 8)(dict(img=img))


@pytest.mark.parametrize('kwargs', [dict(ratio=1.), dict(block_size=0)])
def test_block_masking__checks_its_arguments(kwargs):
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        BlockMasking(**kwargs)


def test_color_jitter__equals_the_jitter_of_a_normalised_batch(img):
    np.random.seed(0)
    params = ColorJitter().draw(NumpyDraws(), 1)
    statistics = PixelStatistics(MEAN_BGR, STD_BGR, 'bgr')
    normalised = ((img - MEAN_BGR) / STD_BGR).transpose(2, 0, 1)[None]
    batch = ColorJitter().apply(
        torch.from_numpy(normalised).float(), statistics, params)
    expected = batch[0].numpy().transpose(1, 2, 0) * STD_BGR + MEAN_BGR
    np.random.seed(0)
    jittered = UDAColorJitter(prob=1)(dict(img=img))['img']
    assert np.abs(jittered - expected).max() < 0.5 + 1e-3  # rounding


def test_color_jitter__channel_order_matters_and_is_respected(img):

    def jitter(image, channel_order):
        np.random.seed(0)
        transform = UDAColorJitter(1, channel_order=channel_order)
        return transform(dict(img=image))['img']

    bgr, rgb = jitter(img, 'bgr'), jitter(img[..., ::-1].copy(), 'rgb')
    assert np.array_equal(bgr, rgb[..., ::-1])
    assert not np.array_equal(jitter(img, 'rgb'), bgr)


def test_color_jitter__grey_images_are_refused():
    with pytest.raises(ValueError, match='three channels'):
        UDAColorJitter(prob=1)(dict(img=np.zeros((32, 32), np.uint8)))


def test_gaussian_blur__equals_the_blur_of_a_batch(img):
    img = img.astype(np.float32)
    np.random.seed(0)
    sigma = GaussianBlur().draw(NumpyDraws(), 1)
    batch = torch.from_numpy(img.transpose(2, 0, 1))[None]
    expected = GaussianBlur().apply(batch, sigma)[0].permute(1, 2, 0)
    np.random.seed(0)
    blurred = UDAGaussianBlur(prob=1)(dict(img=img))['img']
    np.testing.assert_allclose(blurred, expected, atol=1e-3)
    assert blurred.dtype == np.float32


@pytest.mark.parametrize('transform', [
    UDAColorJitter(prob=0.3),
    UDAGaussianBlur(prob=0.3, sigma=(0.5, 1)),
])
def test_probability_is_that_of_an_image(transform, img):
    np.random.seed(0)
    changed = np.mean([
        (transform(dict(img=img.copy()))['img'] != img).any()
        for _ in range(1000)
    ])
    assert abs(changed - 0.3) < 0.06  # the standard error is 0.0145


@pytest.mark.parametrize('transform', [
    BlockMasking(0.5, 16),
    UDAColorJitter(prob=1),
    UDAGaussianBlur(prob=1, sigma=(0.5, 1)),
])
def test_random_parameters_can_be_shared_between_images(transform, img):
    with cache_random_params(transform):
        first = transform(dict(img=img.copy()))['img']
        second = transform(dict(img=img.copy()))['img']
    assert np.array_equal(first, second)
    third = transform(dict(img=img.copy()))['img']
    assert not np.array_equal(first, third)


@pytest.mark.parametrize('transform', [
    BlockMasking(0.5, 16),
    UDAColorJitter(prob=1),
    UDAGaussianBlur(prob=1, sigma=(0.5, 1)),
])
def test_input_array_is_left_unchanged(transform, img):
    before = img.copy()
    transform(dict(img=img))
    assert np.array_equal(img, before)

