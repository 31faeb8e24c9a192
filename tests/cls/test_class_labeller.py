# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from mmpretrain.structures import DataSample
from torch import nn

from mic_mm.cls.class_labeller import ClassLabeller
from mic_mm.cls.uda_classifier import stack_image_weights
from mic_mm.core import LabelledImages


class FixedProbabilities(nn.Module):
    """A classifier that predicts what it is told."""

    def __init__(self, probabilities):
        super().__init__()
        self.logits = torch.tensor(probabilities).log()

    def extract_feat(self, inputs):
        return inputs

    def head(self, features):
        return self.logits


PROBABILITIES = [[0.75, 0.25], [0.125, 0.875]]


def label(**options):
    labeller = ClassLabeller(**options)
    images = LabelledImages(
        torch.zeros(2, 3, 4, 4), [DataSample(metainfo=dict(index=i))
                                  for i in range(2)])
    pseudo = labeller(
        FixedProbabilities(PROBABILITIES), images, labeller.threshold)
    return pseudo


def test_label_is_the_most_probable_class():
    samples = label().data_samples
    assert [s.gt_label.tolist() for s in samples] == [[0], [1]]
    assert [s.metainfo['index'] for s in samples] == [0, 1]


@pytest.mark.parametrize('options, expected', [
    (dict(), [0.75, 0.875]),
    (dict(weight=None), [1., 1.]),
    (dict(threshold=0.8), [0., 0.875]),
    (dict(weight=None, threshold=0.8), [0., 1.]),
])
def test_weight_of_an_image(options, expected):
    pseudo = label(**options)
    weights = stack_image_weights(pseudo.data_samples)
    torch.testing.assert_close(weights, torch.tensor(expected))
    torch.testing.assert_close(pseudo.metrics['pseudo_confidence'],
                               torch.tensor((0.75 + 0.875) / 2))
    torch.testing.assert_close(pseudo.metrics['mean_weight'],
                               torch.tensor(expected).mean())


@pytest.mark.parametrize('threshold, share', [(None, 1.), (0.8, 0.5),
                                              (0.9, 0.)])
def test_share_of_confident_images(threshold, share):
    metrics = label(threshold=threshold).metrics
    assert float(metrics['confident_share']) == share


def test_unknown_weight_is_refused():
    with pytest.raises(ValueError, match="weight='confidence'"):
        ClassLabeller(weight='confidence')


def test_heads_with_several_predictions_are_refused():
    class TwoHeads(FixedProbabilities):

        def head(self, features):
            return self.logits, self.logits

    images = LabelledImages(torch.zeros(2, 3, 4, 4), [])
    with pytest.raises(TypeError, match='gives a tuple'):
        ClassLabeller().predict(TwoHeads(PROBABILITIES), images)
