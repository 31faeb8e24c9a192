# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
from torch import nn

from mic_mm.core import (
    DomainBatch,
    LabelledImages,
    MaskedConsistency,
    Objective,
    PixelStatistics,
    PseudoLabels,
    SeededDraws,
    SelfTraining,
    SourceSupervision,
)

MASK = dict(type='mic_mm.BlockMask', ratio=0.5, block_size=4)


class Recorder:
    """Stands for the task: remembers what the student is trained on."""

    def __init__(self, batch_size=2):
        torch.manual_seed(0)
        self.trained_on = []
        self.asked = []
        self.source = LabelledImages(
            torch.rand(batch_size, 3, 8, 8) + 1,
            [f's{i}' for i in range(batch_size)])
        self.target = LabelledImages(
            torch.rand(batch_size, 3, 8, 8) + 3,
            [f't{i}' for i in range(batch_size)])

    def weighted_loss(self, student, images):
        self.trained_on.append(images)
        return {
            'loss_cls': images.inputs.mean(),
            'loss_bbox': [images.inputs.sum(), images.inputs.sum()],
            'acc': torch.tensor(50.)
        }

    def label_target(self, teacher, threshold):
        self.asked.append(threshold)
        return PseudoLabels(
            [f'pseudo_{name}' for name in self.target.data_samples],
            {'pseudo_confidence': torch.tensor(0.7)})

    def batch(self, panels=None):
        return DomainBatch(
            iteration=0,
            source=self.source,
            target=self.target,
            draws=SeededDraws(0, 0),
            statistics=PixelStatistics(torch.zeros(3), torch.ones(3), 'rgb'),
            weighted_loss=self.weighted_loss,
            label_target=self.label_target,
            panels=panels)


def run(objective, recorder=None, panels=None):
    recorder = recorder or Recorder()
    losses = objective(recorder.batch(panels), nn.Identity(), None)
    return losses, recorder


def test_source_supervision_trains_on_the_source():
    _, recorder = run(SourceSupervision())
    assert recorder.trained_on == [recorder.source]


def test_self_training_trains_on_whole_target_images():
    losses, recorder = run(SelfTraining(pseudo_threshold=0.5))
    images = recorder.trained_on[0]
    assert torch.equal(images.inputs, recorder.target.inputs)
    assert images.data_samples == ['pseudo_t0', 'pseudo_t1']
    assert recorder.asked == [0.5]
    assert float(losses['pseudo_confidence']) == pytest.approx(0.7)


@pytest.mark.parametrize('on, samples, parts', [
    ('target', ['pseudo_t0', 'pseudo_t1'], [('target', 0), ('target', 1)]),
    ('source', ['s0', 's1'], [('source', 0), ('source', 1)]),
    ('both', ['s0', 'pseudo_t0'], [('source', 0), ('target', 0)]),
])
def test_masked_consistency_masks_the_chosen_domain(on, samples, parts):
    objective = MaskedConsistency(mask=MASK, on=on, pseudo_threshold=0.5)
    losses, recorder = run(objective)
    images = recorder.trained_on[0]
    assert images.data_samples == samples
    whole = torch.stack(
        [getattr(recorder, domain).inputs[i] for domain, i in parts])
    visible = images.inputs != 0
    assert torch.equal(images.inputs[visible], whole[visible])
    assert 0 < visible.float().mean() < 1
    assert ('pseudo_confidence' in losses) == (on != 'source')
    assert bool(recorder.asked) == (on != 'source')


def test_both_takes_half_of_each_domain_of_larger_batches():
    objective = MaskedConsistency(mask=MASK, on='both', pseudo_threshold=0.5)
    _, recorder = run(objective, Recorder(batch_size=4))
    assert recorder.trained_on[0].data_samples == [
        's0', 's1', 'pseudo_t0', 'pseudo_t1'
    ]


def test_both_domains_need_one_image_size():
    recorder = Recorder()
    recorder.target = LabelledImages(
        torch.rand(2, 3, 16, 8), recorder.target.data_samples)
    objective = MaskedConsistency(mask=MASK, on='both', pseudo_threshold=0.5)
    with pytest.raises(ValueError, match='same crop size'):
        run(objective, recorder)


def test_masking_leaves_the_batch_unchanged():
    recorder = Recorder()
    before = recorder.target.inputs.clone()
    run(
        MaskedConsistency(
            mask=MASK,
            pseudo_threshold=0.5,
            color_aug=dict(type='mic_mm.ColorAugmentation')), recorder)
    assert torch.equal(recorder.target.inputs, before)


def test_color_augmentation_comes_before_the_mask():
    # Hidden pixels are exactly 0, whatever the augmentation.
    plain, augmented = (run(
        MaskedConsistency(mask=MASK, pseudo_threshold=0.5,
                          color_aug=aug))[1].trained_on[0].inputs
                        for aug in (None,
                                    dict(
                                        type='mic_mm.ColorAugmentation',
                                        jitter_probability=1.,
                                        blur_probability=0.)))
    assert torch.equal(plain == 0, augmented == 0) or (
        (augmented[plain == 0] == 0).all())
    assert not torch.equal(plain, augmented)


def test_pseudo_labels_are_computed_once_per_threshold():
    recorder = Recorder()
    batch = recorder.batch()
    for threshold in (0.5, 0.5, 0.9):
        SelfTraining(pseudo_threshold=threshold)(batch, nn.Identity(), None)
    assert recorder.asked == [0.5, 0.9]


def test_each_teacher_labels_for_its_own_objectives():
    recorder = Recorder()
    batch = recorder.batch()
    for teacher in ('shared', 'own', 'shared'):
        SelfTraining(pseudo_threshold=0.5)(batch, nn.Identity(), teacher)
    assert recorder.asked == [0.5, 0.5]


def test_weight_scales_losses_and_not_metrics():
    once, _ = run(SourceSupervision())
    half, _ = run(SourceSupervision(weight=0.5))
    torch.testing.assert_close(half['loss_cls'], once['loss_cls'] / 2)
    torch.testing.assert_close(half['loss_bbox'],
                               [v / 2 for v in once['loss_bbox']])
    assert half['acc'] == once['acc']


def test_excluded_losses_are_left_out():
    losses, _ = run(SourceSupervision(exclude=('bbox', )))
    assert set(losses) == {'loss_cls', 'acc'}


def test_name_that_excludes_nothing_is_refused_when_there_are_losses():
    objective = SourceSupervision(exclude=('bbox', 'bbx'))
    recorder = Recorder()
    losses, recorder.weighted_loss = recorder.weighted_loss, lambda *_: {}
    assert run(objective, recorder)[0] == {}  # e.g. no image has a pseudo-box
    recorder.weighted_loss = losses
    with pytest.raises(ValueError, match=r"\['bbx'\].*\['loss_cls', 'loss_bbox'\]"):
        run(objective, recorder)


def test_panels_are_recorded_on_demand_only():
    panels = {}
    run(SourceSupervision(), panels=panels)
    run(MaskedConsistency(mask=MASK, pseudo_threshold=0.5), panels=panels)
    assert set(panels) == {'source', 'target', 'masked'}
    run(SourceSupervision())  # without panels nothing is kept


@pytest.mark.parametrize('make, error, match', [
    (lambda: MaskedConsistency(mask=MASK, on='all'), ValueError, "on='all'"),
    (lambda: SelfTraining(pseudo_threshold=2.), ValueError, '2.0'),
    (lambda: SelfTraining(pseudo_threshold='own'), ValueError, "'own'"),
    (lambda: SourceSupervision(weight=-1.), ValueError, 'weight=-1.0'),
    (lambda: SourceSupervision(begin=-1), ValueError, 'begin=-1'),
    (lambda: SourceSupervision(exclude='bbox'), TypeError, "'bbox'"),
    (lambda: MaskedConsistency(mask=dict(MASK, ratio=1.)), ValueError,
     'ratio=1.0'),
])
def test_impossible_options_are_refused(make, error, match):
    with pytest.raises(error, match=match):
        make()


def test_objective_without_loss_method_cannot_be_built():
    with pytest.raises(TypeError):
        Objective()
