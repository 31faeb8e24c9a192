# Copyright (c) mic_mm authors. All rights reserved.
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import nn

from mic_mm.core import DomainBatch, LabelledImages, PixelStatistics, PseudoLabels, SeededDraws
from mic_mm.seg import ClassMixSelfTraining


def labelled(value, label, weight=None):
    sample = SegDataSample()
    sample.gt_sem_seg = PixelData(data=label[None])
    if weight is not None:
        sample.loss_weight = PixelData(data=weight[None])
    height, width = label.shape
    return LabelledImages(torch.full((1, 3, height, width), value), [sample])


def make_batch(received, panels=None):
    # source: classes 0 and 1 in two halves; target: class 2, weight 0.25
    source_label = torch.zeros(4, 4, dtype=torch.long)
    source_label[:, 2:] = 1
    source = labelled(1., source_label)
    target = labelled(-1., torch.full((4, 4), 2), torch.full((4, 4), 0.25))
    pseudo = PseudoLabels(target.data_samples,
                          dict(pseudo_confidence=torch.tensor(0.5)))

    def weighted_loss(student, images):
        received.append(images)
        return {'loss_ce': images.inputs.mean()}

    return DomainBatch(
        iteration=0,
        source=source,
        target=LabelledImages(target.inputs, [SegDataSample()]),
        draws=SeededDraws(0, 0),
        statistics=PixelStatistics(torch.zeros(3), torch.ones(3), 'rgb'),
        weighted_loss=weighted_loss,
        label_target=lambda teacher, threshold: pseudo,
        panels=panels)


def test_student_is_trained_on_the_mixture():
    received, panels = [], {}
    objective = ClassMixSelfTraining(pseudo_threshold=0.9)
    losses = objective(make_batch(received, panels), nn.Identity(), None)
    mixed = received[0]
    label = mixed.data_samples[0].gt_sem_seg.data[0]
    weight = mixed.data_samples[0].loss_weight.data[0]
    pasted = mixed.inputs[0, 0] == 1
    # one of the two source classes, i.e. one half of the image
    assert pasted.sum() == 8
    assert set(label[pasted].tolist()) <= {0, 1}
    assert len(set(label[pasted].tolist())) == 1
    assert (label[~pasted] == 2).all()
    assert (weight[pasted] == 1).all() and (weight[~pasted] == 0.25).all()
    assert float(losses['pseudo_confidence']) == 0.5
    assert set(panels) == {'pseudo_label', 'mixed'}


def test_color_augmentation_changes_images_only():
    plain, augmented = [], []
    ClassMixSelfTraining(pseudo_threshold=0.9)(
        make_batch(plain), nn.Identity(), None)
    ClassMixSelfTraining(
        pseudo_threshold=0.9,
        color_aug=dict(
            type='mic_mm.ColorAugmentation',
            jitter_probability=1.,
            blur_probability=0.))(make_batch(augmented), nn.Identity(), None)
    ours, theirs = augmented[0], plain[0]
    assert not torch.equal(ours.inputs, theirs.inputs)
    assert torch.equal(ours.data_samples[0].gt_sem_seg.data,
                       theirs.data_samples[0].gt_sem_seg.data)


def test_pseudo_labels_are_not_changed_by_mixing():
    received = []
    batch = make_batch(received)
    ClassMixSelfTraining(pseudo_threshold=0.9)(batch, nn.Identity(), None)
    sample = batch.pseudo_labels(None, 0.9).data_samples[0]
    assert (sample.gt_sem_seg.data == 2).all()
    assert (sample.loss_weight.data == 0.25).all()
