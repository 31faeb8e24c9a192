# Copyright (c) mic_mm authors. All rights reserved.
"""The six mask modes of the original as options of the masked objective."""
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import nn

from mic_mm.core import (
    DomainBatch,
    LabelledImages,
    MaskedConsistency,
    PixelStatistics,
    PseudoLabels,
)
from mic_mm.testing.draws import RecordedDraws
from mic_mm.testing.golden import load_golden
from mic_mm.testing.original_seg_uda import mask_options, recorded_mask_numbers

MODES = [f'separate{part}{aug}' for part in ('', 'src', 'trg') for aug in ('', 'aug')]


def case11b():
    return load_golden('seg', 'case11b')


def samples(labels, weights=None):
    result = []
    for i, label in enumerate(torch.from_numpy(labels).long()):
        sample = SegDataSample()
        sample.gt_sem_seg = PixelData(data=label.view(1, *label.shape[-2:]))
        if weights is not None:
            sample.loss_weight = PixelData(data=torch.from_numpy(weights[i])[None])
        result.append(sample)
    return result


def masked_batch(case, mode):
    """What the objective trains the student on."""
    received = []

    def weighted_loss(student, images):
        received.append(images)
        return {'decode.loss_ce': images.inputs.sum() * 0}

    mean, std = (torch.from_numpy(case[key]) for key in ('mean', 'std'))
    source, target = ((torch.from_numpy(case[key]).float() - mean.view(-1, 1, 1)) /
                      std.view(-1, 1, 1) for key in ('source_rgb', 'target_rgb'))
    pseudo = samples(case['pseudo_label'], case['pseudo_weight'])
    block, ratio = case['block_ratio']
    objective = MaskedConsistency(
        mask=dict(type='mic_mm.BlockMask', ratio=float(ratio), block_size=int(block)),
        pseudo_threshold=0.5,
        **mask_options(mode))
    draws = RecordedDraws(recorded_mask_numbers(case, mode, objective.name))
    objective(
        DomainBatch(
            iteration=0,
            source=LabelledImages(source, samples(case['source_label'])),
            target=LabelledImages(target, samples(case['pseudo_label'])),
            draws=draws,
            statistics=PixelStatistics(mean, std, 'rgb'),
            weighted_loss=weighted_loss,
            label_target=lambda teacher, threshold: PseudoLabels(pseudo)), nn.Identity(), None)
    return received[0]


@pytest.mark.golden
@pytest.mark.parametrize('mode', MODES)
def test_seg_masked_batch_equals_the_original(mode):
    case = case11b()
    images = masked_batch(case, mode)
    case.assert_within(f'{mode}/masked_image', images.inputs)
    labels = torch.stack([s.gt_sem_seg.data for s in images.data_samples])
    case.assert_within(f'{mode}/masked_label', labels)
    weighted = [s for s in images.data_samples if 'loss_weight' in s]
    assert bool(weighted) == (f'{mode}/masked_weight' in case)
    if weighted:
        weights = torch.cat([
            s.loss_weight.data if 'loss_weight' in s else torch.ones_like(
                s.gt_sem_seg.data, dtype=torch.float32) for s in images.data_samples
        ])
        case.assert_within(f'{mode}/masked_weight', weights)


@pytest.mark.golden
def test_seg_weight_halves_the_decode_loss_and_unlike_the_original_every_other():
    case = case11b()
    decode, detail, accuracy = case['lambda_losses_in'].tolist()

    def weighted_loss(student, images):
        return {
            'decode.loss_ce': torch.tensor(decode, dtype=torch.float64),
            'decode.hr.loss_ce': torch.tensor(detail, dtype=torch.float64),
            'decode.acc_seg': torch.tensor(accuracy, dtype=torch.float64)
        }

    objective = MaskedConsistency(mask=dict(type='mic_mm.BlockMask'), on='source', weight=0.5)
    batch = DomainBatch(
        iteration=0,
        source=LabelledImages(torch.zeros(1, 3, 64, 64), [SegDataSample()]),
        target=None,
        draws=RecordedDraws({'MaskedConsistency.mask.noise': torch.rand(1, 1, 1, 1)}),
        statistics=PixelStatistics(torch.zeros(3), torch.ones(3)),
        weighted_loss=weighted_loss,
        label_target=None)
    losses = objective(batch, nn.Identity(), None)
    ours = np.array([
        losses['decode.loss_ce'], losses['decode.hr.loss_ce'] * 2, losses['decode.acc_seg']
    ])
    case.assert_within('lambda_losses_out', ours)
