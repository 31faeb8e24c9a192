# Copyright (c) mic_mm authors. All rights reserved.
import math

import pytest
import torch

from mic_mm.core.class_mix import ClassMix, choose_half
from mic_mm.core.draws import SeededDraws
from mic_mm.testing.golden import load_golden
from mic_mm.testing.processes import run_processes


def _keys_choosing(chosen_classes):
    """Keys by which the recorded classes are chosen."""
    keys = torch.ones(len(chosen_classes), 256)
    chosen = torch.as_tensor(chosen_classes).long()
    return keys.scatter_(1, chosen, 0.)


def _normalised(case, name):
    mean, std = (
        torch.from_numpy(case[key]).view(-1, 1, 1) for key in ('mean', 'std'))
    return (torch.from_numpy(case[name]).float() - mean) / std


def _batch(batch_size=4, size=(24, 16), seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = [
        torch.randn(batch_size, 3, *size, generator=generator)
        for _ in range(2)
    ]
    labels = [
        torch.randint(0, 6, (batch_size, *size), generator=generator)
        for _ in range(2)
    ]
    labels[0][0, :8] = 255
    labels[0][1] = 5  # a single class
    weights = torch.rand(batch_size, *size, generator=generator)
    return images[0], labels[0], images[1], labels[1], weights


@pytest.mark.golden
def test_mixing_equals_the_original__seg_case04():
    case = load_golden('seg', 'case04')
    source_labels = torch.from_numpy(case['source_label']).long().squeeze(1)
    target_labels = torch.from_numpy(case['pseudo_label']).long()
    class_mix = ClassMix()
    present = class_mix.present_classes(source_labels)
    for row in present:
        case.assert_within('batch_classes', row.nonzero().squeeze(1))
    keys = _keys_choosing(case['chosen_classes'])
    assert (choose_half(present, keys).sum(1) == math.ceil(
        len(case['batch_classes']) / 2)).all()
    mixed = class_mix.apply(
        _normalised(case, 'source_rgb'), source_labels,
        _normalised(case, 'target_rgb'), target_labels,
        torch.from_numpy(case['pseudo_weight']), keys)
    case.assert_within('mixed_image', mixed.images)
    case.assert_within('mix_mask', mixed.mask.unsqueeze(1))
    case.assert_within('mixed_label', mixed.labels.unsqueeze(1))
    case.assert_within('mixed_weight', mixed.weights.unsqueeze(1))


def test_every_pixel_comes_from_one_of_the_two_images():
    xs, ys, xt, yt, wt = _batch()
    mixed = ClassMix()(xs, ys, xt, yt, wt, SeededDraws(0, 0))
    for b in range(len(xs)):
        for row in range(ys.size(1)):
            for col in range(ys.size(2)):
                at = (b, row, col)
                pixel = mixed.images[b, :, row, col]
                if mixed.mask[at]:
                    assert torch.equal(pixel, xs[b, :, row, col])
                    assert mixed.labels[at] == ys[at]
                    assert mixed.weights[at] == 1
                else:
                    assert torch.equal(pixel, xt[b, :, row, col])
                    assert mixed.labels[at] == yt[at]
                    assert mixed.weights[at] == wt[at]
    assert mixed.labels.dtype == torch.int64


def test_whole_classes_are_pasted():
    xs, ys, xt, yt, wt = _batch()
    mixed = ClassMix()(xs, ys, xt, yt, wt, SeededDraws(0, 0))
    for labels, mask in zip(ys, mixed.mask):
        pasted = set(labels[mask].tolist())
        assert not pasted & set(labels[~mask].tolist())


@pytest.mark.parametrize('num_classes, expected', [(1, 1), (2, 1), (3, 2),
                                                   (4, 2), (7, 4)])
def test_half_of_the_classes_rounded_up_is_chosen(num_classes, expected):
    present = torch.zeros(5, 256, dtype=torch.bool)
    present[:, torch.arange(num_classes) * 20] = True
    present[:, 255] = present[:, 0]
    present[:, 0] = False
    chosen = choose_half(present, torch.rand(5, 256))
    assert (chosen.sum(1) == expected).all()
    assert not (chosen & ~present).any()


def test_each_class_is_chosen_equally_often():
    present = torch.zeros(4000, 256, dtype=torch.bool)
    present[:, [0, 3, 77, 254, 255]] = True
    keys = SeededDraws(0, 0).uniform('keys', 4000, 256)
    share = choose_half(present, keys).float().mean(0)
    # Three of five; the standard error is 0.008.
    assert torch.allclose(
        share[present[0]], torch.tensor(0.6), atol=0.033)


def test_scope_batch_takes_classes_of_all_images_and_image_its_own():
    labels = torch.tensor([[[0, 1], [1, 1]], [[2, 255], [2, 2]]])
    batch = ClassMix('batch').present_classes(labels)
    image = ClassMix('image').present_classes(labels)
    assert [row.nonzero().flatten().tolist() for row in batch] \
        == [[0, 1, 2, 255]] * 2
    assert [row.nonzero().flatten().tolist() for row in image] \
        == [[0, 1], [2, 255]]


def test_scope_image_pastes_half_of_the_own_classes():
    xs, ys, xt, yt, wt = _batch()
    mixed = ClassMix('image')(xs, ys, xt, yt, wt, SeededDraws(0, 0))
    for labels, mask in zip(ys, mixed.mask):
        own = len(labels.unique())
        assert len(labels[mask].unique()) == math.ceil(own / 2)


def test_inputs_are_left_unchanged():
    batch = _batch()
    before = [tensor.clone() for tensor in batch]
    ClassMix()(*batch, SeededDraws(0, 0))
    assert all(map(torch.equal, batch, before))


def test_unknown_scope_is_refused():
    with pytest.raises(ValueError, match="classmix_scope='pixel'.*batch"):
        ClassMix('pixel')


def test_images_of_different_size_are_refused():
    xs, ys, xt, yt, wt = _batch()
    with pytest.raises(ValueError, match='same crop size'):
        ClassMix()(xs, ys, xt[..., :-2], yt[..., :-2], wt[..., :-2],
                   SeededDraws(0, 0))


def _mix_on_rank(rank, batch, expected):
    own = [tensor[rank::2] for tensor in batch]
    mixed = ClassMix()(*own, SeededDraws(5, 2, rank, 2))
    for got, want in zip(mixed, expected):
        assert torch.equal(got, want[rank::2])


def test_two_ranks_mix_what_one_rank_mixes():
    batch = _batch()
    present = ClassMix('image').present_classes(batch[1])
    # The ranks hold different classes: without communication it would fail.
    assert not torch.equal(present[0::2].any(0), present[1::2].any(0))
    expected = ClassMix()(*batch, SeededDraws(5, 2))
    run_processes(_mix_on_rank, 2, batch, tuple(expected))
