# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# Share of the images on which the classifier is trained.
_TRAIN_SHARE = 0.8
# Keeps the weights finite where the domains can be separated perfectly.
_WEIGHT_DECAY = 1e-3


def a_distance(source: Tensor, target: Tensor, seed: int = 0) -> float:
    r"""How well a linear classifier tells the domains apart.

    .. math::
        d_A = 2\,(1 - 2\,\epsilon)

    with the error :math:`\epsilon` on held-out images (Ben-David et al.,
    2007): 2 where it is always right, 0 where it guesses.  The classifier is
    a logistic regression on standardised features, trained to convergence
    (the original takes ten epochs of SGD); equally many images of both
    domains are used.

    Args:
        source (Tensor): Features, (N, D).
        target (Tensor): Features, (M, D).
        seed (int): Seed of the split. Defaults to 0.

    Returns:
        float: The distance; below 0 for a classifier that is worse than
        guessing, which is chance.

    Raises:
        ValueError: If there are fewer than 10 images of a domain.
    """
    count = min(len(source), len(target))
    if count < 10:
        raise ValueError(f'The A-distance needs 10 images of each domain at '
                         f'least, but got {len(source)} and {len(target)}.')
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for features in (source, target):
        chosen = torch.randperm(len(features), generator=generator)[:count]
        parts.append(features[chosen].double())
    cut = int(_TRAIN_SHARE * count)
    train = torch.cat([part[:cut] for part in parts])
    test = torch.cat([part[cut:] for part in parts])
    mean, std = train.mean(dim=0), train.std(dim=0).clamp(min=1e-8)
    predict = _fit((train - mean) / std, _labels(cut))
    wrong = predict((test - mean) / std) != _labels(count - cut).bool()
    return 2 * (1 - 2 * float(wrong.double().mean()))


def _labels(count: int) -> Tensor:
    return torch.cat([torch.ones(count), torch.zeros(count)]).double()


def _fit(features: Tensor, labels: Tensor):
    """A logistic regression; gives its decision function."""
    weight = features.new_zeros(features.shape[1] + 1, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight],
                                  max_iter=200,
                                  line_search_fn='strong_wolfe')

    def score(x: Tensor) -> Tensor:
        return x @ weight[:-1] + weight[-1]

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(score(features), labels)
        loss = loss + _WEIGHT_DECAY * weight[:-1].square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return lambda x: score(x.detach()).detach() > 0
