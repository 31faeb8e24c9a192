# Copyright (c) mic_mm authors. All rights reserved.
import copy

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from mic_mm.core import LabelledImages
from mic_mm.core.data_preprocessor import UDADataPreprocessor
from mic_mm.engine.data import PairIndex
from mic_mm.registry import DATASETS, MODELS
from mic_mm.seg.pixel_labeller import PixelLabeller
from mic_mm.seg.transforms import PseudoLabelMargins
from mic_mm.testing.golden import load_golden
from mic_mm.testing.scenes import write_image, write_labels

MARGINS = dict(top=4, bottom=10, left=2, right=6)


@pytest.mark.golden
def test_the_map_at_native_size_equals_the_original__seg_case03():
    case = load_golden('seg', 'case03')
    names = ('top', 'bottom', 'left', 'right')
    margins = dict(zip(names, case['native_margins'].tolist()))
    size = tuple(case['native_size'].tolist())
    valid = PseudoLabelMargins(**margins).valid_map(size)
    assert valid.shape == size and set(np.unique(valid)) == {0, 1}
    rows, columns = (np.flatnonzero(valid.any(axis)) for axis in (1, 0))
    box = [rows[0], rows[-1] + 1, columns[0], columns[-1] + 1]
    case.assert_within('native_valid_box', np.array(box))
    # and it is a rectangle
    assert valid.sum() == (box[1] - box[0]) * (box[3] - box[2])


def test_defaults_are_those_of_cityscapes():
    valid = PseudoLabelMargins().valid_map((1024, 2048))
    assert valid[30:784, 30:2018].all()
    assert valid.sum() == (1024 - 30 - 240) * (2048 - 60)


def run(tmp_path, *transforms, size=(48, 96)):
    """Load an image of noise, add margins, apply transforms and pack."""
    init_default_scope('mmseg')
    path = write_image(tmp_path / 'image.png', size)
    pipeline = Compose([
        dict(type='LoadImageFromFile'),
        dict(type='mic_mm.PseudoLabelMargins', **MARGINS), *transforms,
        dict(type='mic_mm.PackUDASegInputs')
    ])
    return pipeline(dict(img_path=str(path), seg_fields=[]))


def expected_map(size):
    """The map of the loaded image, pixel by pixel."""
    height, width = size
    return torch.tensor([[
        int(MARGINS['top'] <= y < height - MARGINS['bottom']
            and MARGINS['left'] <= x < width - MARGINS['right'])
        for x in range(width)
    ] for y in range(height)])


def place_of(crop, image):
    """Where a crop (C, h, w) of an image of noise (C, H, W) was taken."""
    height, width = crop.shape[1:]
    windows = image.unfold(1, height, 1).unfold(2, width, 1)
    match = (windows == crop[:, None, None]).flatten(3).all(-1).all(0)
    (place, ) = match.nonzero().tolist()
    return place


@pytest.mark.parametrize('seed', range(6))
def test_the_map_follows_crop_and_flip(tmp_path, seed):
    np.random.seed(seed)
    packed = run(tmp_path, dict(type='RandomCrop', crop_size=(24, 40)),
                 dict(type='RandomFlip', prob=0.5))
    sample = packed['data_samples']
    stored = cv2.imread(str(tmp_path / 'image.png')).transpose(2, 0, 1)
    crop = packed['inputs'].flip(-1) if sample.flip else packed['inputs']
    y, x = place_of(crop, torch.from_numpy(stored))
    expected = expected_map((48, 96))[y:y + 24, x:x + 40]
    if sample.flip:
        expected = expected.flip(-1)
    assert sample.pseudo_label_valid.shape == (24, 40)
    assert torch.equal(sample.pseudo_label_valid.data[0].long(), expected)


def test_seeds_cover_both_orientations(tmp_path):
    flips = set()
    for seed in range(6):
        np.random.seed(seed)
        packed = run(tmp_path, dict(type='RandomCrop', crop_size=(24, 40)),
                     dict(type='RandomFlip', prob=0.5))
        flips.add(packed['data_samples'].flip)
    assert flips == {True, False}


def test_the_map_is_resized_to_nearest_neighbours(tmp_path):
    packed = run(tmp_path,
                 dict(type='Resize', scale=(192, 96), keep_ratio=True))
    valid = packed['data_samples'].pseudo_label_valid.data[0]
    doubled = expected_map((48, 96)).repeat_interleave(2, 0)
    assert torch.equal(valid.long(), doubled.repeat_interleave(2, 1))


def test_padding_is_not_trusted(tmp_path):
    packed = run(tmp_path, dict(type='Pad', size=(100, 60)))
    valid = packed['data_samples'].pseudo_label_valid.data[0].long()
    assert valid.shape == (60, 100) == packed['inputs'].shape[1:]
    assert torch.equal(valid[:48, :96], expected_map((48, 96)))
    assert not valid[48:].any() and not valid[:, 96:].any()


def preprocess(packed, size):
    preprocessor = UDADataPreprocessor(
        MODELS.build(
            dict(
                type='mmseg.SegDataPreProcessor',
                size=size,
                mean=[0.] * 3,
                std=[1.] * 3)))
    batch = dict(
        inputs=[packed['inputs']], data_samples=[packed['data_samples']])
    return preprocessor(dict(source=batch, target=batch), True)['target']


def test_padding_of_the_data_preprocessor_has_no_weight(tmp_path):
    batch = preprocess(run(tmp_path), size=(64, 128))
    certain = torch.zeros(1, 2, 64, 128)
    certain[:, 1] = 100.
    images = LabelledImages(batch['inputs'], batch['data_samples'])
    pseudo = PixelLabeller()(FixedLogits(certain), images, 0.968)
    weight = pseudo.data_samples[0].loss_weight.data[0]
    assert weight.shape == pseudo.data_samples[0].gt_sem_seg.shape
    assert torch.equal(weight[:48, :96].long(), expected_map((48, 96)))
    assert weight.sum() == expected_map((48, 96)).sum()


def test_padding_has_no_weight_without_margins_either(tmp_path):
    init_default_scope('mmseg')
    write_image(tmp_path / 'image.png', (48, 96))
    packed = Compose([
        dict(type='LoadImageFromFile'),
        dict(type='RandomCrop', crop_size=(64, 64)),
        dict(type='mic_mm.PackUDASegInputs')
    ])(dict(img_path=str(tmp_path / 'image.png'), seg_fields=[]))
    batch = preprocess(packed, size=(64, 64))
    assert batch['inputs'].shape == (1, 3, 64, 64)
    certain = torch.zeros(1, 2, 64, 64)
    certain[:, 1] = 100.
    images = LabelledImages(batch['inputs'], batch['data_samples'])
    pseudo = PixelLabeller()(FixedLogits(certain), images, 0.968)
    weight = pseudo.data_samples[0].loss_weight.data[0]
    assert (weight[:48] == 1).all() and not weight[48:].any()


class FixedLogits(torch.nn.Module):
    """A segmentor that predicts what it is told."""

    def __init__(self, logits):
        super().__init__()
        self.logits = logits

    def encode_decode(self, inputs, batch_img_metas):
        return self.logits


def test_the_map_reaches_the_model_but_no_labels_do(tmp_path):
    write_image(tmp_path / 'img' / '0.png', (48, 96))
    write_labels(tmp_path / 'ann' / '0.png', (48, 96), [0, 1])
    domain = dict(
        type='BaseSegDataset',
        data_root=str(tmp_path),
        data_prefix=dict(img_path='img', seg_map_path='ann'),
        img_suffix='.png',
        metainfo=dict(classes=('a', 'b'), palette=[[0] * 3, [1] * 3]),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='mic_mm.PseudoLabelMargins', **MARGINS),
            dict(type='LoadAnnotations'),
            dict(type='mic_mm.PackUDASegInputs')
        ])
    init_default_scope('mmseg')
    pairs = DATASETS.build(
        dict(
            type='mic_mm.DomainPairDataset',
            source=domain,
            target=copy.deepcopy(domain)))
    target = pairs[PairIndex(0, 0, 0, 0)]['target']['data_samples']
    assert list(target.keys()) == ['pseudo_label_valid']


@pytest.mark.parametrize('margins, message', [
    (dict(top=-1), 'top=-1 must not be negative'),
    (dict(left=-2), 'left=-2 must not be negative'),
])
def test_negative_margins_are_refused(margins, message):
    with pytest.raises(ValueError, match=message):
        PseudoLabelMargins(**margins)


@pytest.mark.parametrize('margins', [dict(top=20, bottom=28),
                                     dict(left=90, right=10)])
def test_margins_that_leave_nothing_are_refused_by_file(margins):
    transform = PseudoLabelMargins(**{**MARGINS, **margins})
    with pytest.raises(ValueError, match='no pixel of a.png.*48 rows and 96'):
        transform.valid_map((48, 96), 'a.png')


def test_a_place_behind_resizing_is_refused(tmp_path):
    with pytest.raises(ValueError, match='directly behind LoadImageFromFile'):
        init_default_scope('mmseg')
        path = write_image(tmp_path / 'image.png', (48, 96))
        Compose([
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(192, 96)),
            dict(type='mic_mm.PseudoLabelMargins', **MARGINS),
        ])(dict(img_path=str(path), seg_fields=[]))
