# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import nn

from mic_mm.core import LabelledImages
from mic_mm.det import BoxLabeller

SCORES = [[0.9, 0.8, 0.3], [0.2]]


class FixedBoxes(nn.Module):
    """A detector that predicts what it is told."""

    def predict(self, inputs, data_samples, rescale):
        assert rescale is False, 'boxes of the network input are needed'
        for sample, scores in zip(data_samples, SCORES):
            count = len(scores)
            sample.pred_instances = InstanceData(
                bboxes=torch.arange(4. * count).view(count, 4),
                scores=torch.tensor(scores),
                labels=torch.arange(count))
        return data_samples


def label(**options):
    labeller = BoxLabeller(**options)
    samples = [DetDataSample(metainfo=dict(index=i)) for i in range(2)]
    images = LabelledImages(torch.zeros(2, 3, 8, 8), samples)
    return labeller(FixedBoxes(), images, labeller.threshold), samples


def test_boxes_of_at_least_the_threshold_become_ground_truth():
    pseudo, _ = label(threshold=0.8)
    first, second = pseudo.data_samples
    assert first.gt_instances.labels.tolist() == [0, 1]
    assert first.gt_instances.bboxes.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert len(second.gt_instances) == 0
    assert first.metainfo['index'] == 0


def test_image_without_boxes_is_left_out_unless_kept():
    pseudo, _ = label(threshold=0.8)
    assert [s.loss_weight for s in pseudo.data_samples] == [1., 0.]
    pseudo, _ = label(threshold=0.8, keep_empty=True)
    assert [s.loss_weight for s in pseudo.data_samples] == [1., 1.]


def test_metrics_tell_how_much_is_labelled():
    pseudo, _ = label(threshold=0.8)
    assert float(pseudo.metrics['boxes_per_image']) == 1.
    assert float(pseudo.metrics['labelled_share']) == 0.5
    assert float(pseudo.metrics['confident_share']) == 2 / 4
    assert float(
        pseudo.metrics['pseudo_confidence']) == pytest.approx(0.85)


def test_without_threshold_every_box_is_used():
    pseudo, _ = label(threshold=None)
    assert [len(s.gt_instances) for s in pseudo.data_samples] == [3, 1]


def test_unsure_boxes_are_ignored_instances_on_demand():
    pseudo, _ = label(threshold=0.8, ignore_threshold=0.25)
    first, second = pseudo.data_samples
    assert first.ignored_instances.bboxes.tolist() == [[8, 9, 10, 11]]
    assert len(second.ignored_instances) == 0
    pseudo, _ = label(threshold=0.8)
    assert len(pseudo.data_samples[0].ignored_instances) == 0


def test_impossible_ignore_threshold_is_refused():
    with pytest.raises(ValueError, match='ignore_threshold=2.0'):
        BoxLabeller(ignore_threshold=2.)


def test_no_box_at_all_has_confidence_zero():
    pseudo, _ = label(threshold=1.)
    assert float(pseudo.metrics['pseudo_confidence']) == 0.
    assert float(pseudo.metrics['confident_share']) == 0.


def test_the_unlabelled_samples_are_left_unlabelled():
    _, samples = label()
    assert not any('pred_instances' in s for s in samples)


def test_boxes_may_enter_a_loss():
    # The detector predicts in inference mode, whose tensors may not.
    pseudo, _ = label(threshold=0.5, ignore_threshold=0.1)
    for sample in pseudo.data_samples:
        for instances in (sample.gt_instances, sample.ignored_instances):
            assert not instances.bboxes.is_inference()
            assert not instances.labels.is_inference()
    assert not any(value.is_inference() for value in pseudo.metrics.values())
