# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from mmengine.model import ImgDataPreprocessor

from mic_mm.core import UDADataPreprocessor
from mic_mm.registry import MODELS
from mic_mm.testing import batches, models

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


def preprocessor_of(task, rgb):
    make, library = dict(
        seg=(models.tiny_segmentor, 'mmseg'),
        cls=(models.tiny_classifier, 'mmpretrain'),
        det=(models.tiny_detector, 'mmdet'))[task]
    cfg = dict(make()['data_preprocessor'], _scope_=library)
    cfg['to_rgb' if task == 'cls' else 'bgr_to_rgb'] = rgb
    return UDADataPreprocessor(MODELS.build(cfg))


@pytest.mark.parametrize('task', ['seg', 'cls', 'det'])
@pytest.mark.parametrize('rgb', [True, False])
def test_statistics_undo_the_normalisation_of_each_library(task, rgb):
    preprocessor = preprocessor_of(task, rgb)
    data = getattr(batches, f'{task}_batch')(0)
    bgr = torch.stack(data['inputs']).float() / 255
    statistics = preprocessor.statistics
    assert statistics.channel_order == ('rgb' if rgb else 'bgr')
    inputs = preprocessor(data, True)['inputs']
    torch.testing.assert_close(
        statistics.to_unit_rgb(inputs), bgr.flip(1), atol=1e-5, rtol=0)


@pytest.mark.parametrize('task', ['seg', 'cls', 'det'])
def test_each_domain_is_preprocessed_as_by_the_library(task):
    preprocessor = preprocessor_of(task, True)
    make = getattr(batches, f'{task}_batch')
    pair = preprocessor(
        dict(source=make(0), target=batches.without_labels(make(1))), True)
    for domain, seed in (('source', 0), ('target', 1)):
        expected = preprocessor.preprocessor(make(seed), True)['inputs']
        assert torch.equal(pair[domain]['inputs'], expected)
    assert not any(
        key.startswith('gt') for sample in pair['target']['data_samples']
        for key in sample.keys())


def test_unpaired_batches_go_to_the_library_unchanged():
    preprocessor = preprocessor_of('seg', True)
    ours = preprocessor(batches.seg_batch(0), False)
    theirs = preprocessor.preprocessor(batches.seg_batch(0), False)
    assert torch.equal(ours['inputs'], theirs['inputs'])


def test_images_that_are_not_normalised_have_neutral_statistics():
    statistics = UDADataPreprocessor(ImgDataPreprocessor()).statistics
    assert statistics.mean.tolist() == [0, 0, 0]
    assert statistics.std.tolist() == [1, 1, 1]
