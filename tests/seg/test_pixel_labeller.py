# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import nn

from mic_mm.core import LabelledImages
from mic_mm.seg.pixel_labeller import PixelLabeller, most_probable
from mic_mm.testing.golden import load_golden


class FixedLogits(nn.Module):
    """A segmentor that predicts what it is told."""

    def __init__(self, logits):
        super().__init__()
        self.logits = logits

    def encode_decode(self, inputs, batch_img_metas):
        return self.logits


def label(logits, size=None, valid=None, **options):
    count = len(logits)
    samples = [SegDataSample(metainfo=dict(index=i)) for i in range(count)]
    if valid is not None:
        for sample, mask in zip(samples, valid):
            sample.pseudo_label_valid = PixelData(data=mask)
    images = LabelledImages(
        torch.zeros(count, 3, *(size or logits.shape[2:])), samples)
    labeller = PixelLabeller(**options)
    pseudo = labeller(FixedLogits(logits), images, labeller.threshold)
    labels = torch.cat([s.gt_sem_seg.data for s in pseudo.data_samples])
    weights = torch.cat([s.loss_weight.data for s in pseudo.data_samples])
    return labels, weights, pseudo


@pytest.fixture(scope='module')
def case():
    return load_golden('seg', 'case03')


@pytest.mark.golden
def test_seg_recorded_pseudo_label_and_weight(case):
    labels, weights, _ = label(
        torch.tensor(case['logits']), threshold=float(case['threshold']))
    case.assert_within('pseudo_label', labels.numpy())
    case.assert_within('weight_threshold', weights.numpy())


@pytest.mark.golden
def test_seg_recorded_weight_without_threshold(case):
    _, weights, _ = label(torch.tensor(case['logits']), threshold=None)
    case.assert_within('weight_none', weights.numpy())


@pytest.mark.golden
@pytest.mark.parametrize('name, rows', [('weight_margins', (1, 1)),
                                        ('weight_top_only', (1, 0))])
def test_seg_recorded_margins(case, name, rows):
    top, bottom = (int(m) * use for m, use in zip(case['margins'], rows))
    _, weights, _ = label(
        torch.tensor(case['logits']),
        threshold=float(case['threshold']),
        ignore_top=top,
        ignore_bottom=bottom)
    case.assert_within(name, weights.numpy())


@pytest.mark.golden
def test_seg_recorded_valid_mask(case):
    _, weights, _ = label(
        torch.tensor(case['logits']),
        threshold=float(case['threshold']),
        valid=torch.tensor(case['valid_mask']))
    case.assert_within('weight_valid_mask', weights.numpy())


def test_weight_is_the_share_of_confident_pixels_of_the_whole_batch():
    # image 0: three of four pixels certain; image 1: none
    logits = torch.zeros(2, 2, 2, 2)
    logits[0, 1] = 100.
    logits[0, 1, 0, 0] = 0.
    labels, weights, pseudo = label(logits, threshold=0.9)
    assert torch.equal(weights, torch.full((2, 2, 2), 3 / 8))
    assert labels[0].tolist() == [[0, 1], [1, 1]]
    assert float(pseudo.metrics['confident_share']) == 3 / 8
    assert float(pseudo.metrics['pseudo_confidence']) == (3 + 0.5 * 5) / 8


def test_threshold_counts_equality_as_confident():
    logits = torch.tensor([0.5, 0.5]).log().view(1, 2, 1, 1)
    confidence, _ = most_probable(logits)
    _, weights, _ = label(logits, threshold=float(confidence))
    assert float(weights) == 1


def test_margins_larger_than_the_image_leave_no_weight():
    _, weights, _ = label(
        torch.zeros(1, 2, 4, 4), threshold=None, ignore_bottom=9)
    assert float(weights.sum()) == 0


def test_logits_of_a_lower_resolution_are_enlarged_to_the_images():
    labels, _, _ = label(torch.randn(1, 3, 4, 4), size=(16, 16))
    assert labels.shape == (1, 16, 16)


def test_binary_logit_is_a_choice_between_two_classes():
    logit = torch.tensor([[[[2., -3.]]]])
    confidence, labels = most_probable(logit)
    assert labels.tolist() == [[[1, 0]]]
    np.testing.assert_allclose(confidence,
                               [[[1 / (1 + np.exp(-2)), 1 / (1 + np.exp(-3))]]],
                               rtol=1e-6)


def test_confidence_of_half_precision_logits_is_computed_in_float32():
    logits = torch.randn(1, 19, 4, 4, dtype=torch.bfloat16)
    confidence, _ = most_probable(logits)
    assert confidence.dtype == torch.float32
    np.testing.assert_allclose(
        confidence, logits.double().softmax(1).amax(1), rtol=1e-5)


def test_meta_information_travels_with_the_pseudo_label():
    _, _, pseudo = label(torch.zeros(2, 2, 2, 2))
    assert [s.metainfo['index'] for s in pseudo.data_samples] == [0, 1]


@pytest.mark.parametrize('options, match', [
    (dict(threshold=1.5), 'threshold=1.5'),
    (dict(ignore_top=-1), 'ignore_top=-1'),
])
def test_impossible_options_are_refused(options, match):
    with pytest.raises(ValueError, match=match):
        PixelLabeller(**options)
