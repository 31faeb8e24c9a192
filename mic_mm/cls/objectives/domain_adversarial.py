# Copyright (c) mic_mm authors. All rights reserved.
"""Domain adversarial losses."""
from __future__ import annotations

from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mic_mm.core.gradient_reversal import GradientReversal
from mic_mm.registry import MODELS

from .domain_discriminator import DomainDiscriminator
from .domain_term import DomainOutputs, DomainTerm
from .entropy import certainty_weights
from .multilinear_map import MultilinearMap, RandomizedMultilinearMap


@MODELS.register_module()
class DomainAdversarial(DomainTerm):
    r"""Makes the features of both domains indistinguishable (DANN).

    A discriminator :math:`D` minimises

    .. math::
        L = -\frac{1}{B_s + B_t} \Big( \sum_{i \in S} \log D(R(f_i)) +
        \sum_{i \in T} \log (1 - D(R(f_i))) \Big)

    while the gradient reversal :math:`R` (see :class:`GradientReversal`)
    makes the features maximise it (Ganin et al., 2016).  Logged with it is
    the accuracy of the discriminator in percent; 50 with equal batches means
    that it cannot tell the domains apart.

    The discriminator normalises over the images of both domains together; of
    several processes each does so over its own, without ``sync_bn``.  Its
    parameters are trained by the optimizer of the student, as
    ``objectives.<objective>.terms.<term>.discriminator.…``; it is not
    perturbed by :class:`mic_mm.SAMOptimWrapper`.

    Args:
        feature_dim (int): Length D of the features, the ``out_channels`` of
            the neck.
        hidden_dim (int): Width of the discriminator. Defaults to 1024, as in
            CDAN, SDAT and MIC.
        weight (float): Factor of the loss. Defaults to 1.
        warmup_iterations (int): See :class:`GradientReversal`. Defaults to
            1000.
        batch_norm (bool): See :class:`DomainDiscriminator`. Defaults to
            True.
        dropout (float): See :class:`DomainDiscriminator`. Defaults to 0.
        input_dim (int, optional): Length of the discriminator's input, for
            subclasses. Defaults to None, ``feature_dim``.

    Raises:
        ValueError: If a size is not positive or does not fit the student.
    """

    in_ascent = False

    def __init__(self,
                 feature_dim: int,
                 hidden_dim: int = 1024,
                 weight: float = 1.,
                 warmup_iterations: int = 1000,
                 batch_norm: bool = True,
                 dropout: float = 0.,
                 input_dim: Optional[int] = None) -> None:
        super().__init__(weight)
        self._check_sizes(feature_dim=feature_dim, hidden_dim=hidden_dim)
        self.feature_dim = feature_dim
        self.reversal = GradientReversal(warmup_iterations=warmup_iterations)
        self.discriminator = DomainDiscriminator(input_dim or feature_dim,
                                                 hidden_dim, batch_norm,
                                                 dropout)

    def _check_sizes(self, **sizes: int) -> None:
        for name, size in sizes.items():
            if size < 1:
                raise ValueError(f'{type(self).__name__}: {name}={size} is '
                                 'not positive.')

    def loss(self, outputs: DomainOutputs) -> dict[str, Tensor]:
        self._check_fit(outputs)
        features, weights = self._evidence(outputs)
        logits = self.discriminator(self.reversal(features))
        labels = outputs.is_source
        loss = F.binary_cross_entropy_with_logits(logits, labels, weights)
        correct = (logits >= 0) == labels.bool()
        return {'loss': loss, 'domain_accuracy': 100 * correct.float().mean()}

    def _evidence(self,
                  outputs: DomainOutputs) -> tuple[Tensor, Optional[Tensor]]:
        """What the discriminator sees, and how much an image counts."""
        return outputs.features, None

    def _check_fit(self, outputs: DomainOutputs) -> None:
        actual = outputs.source_features.size(1)
        if actual != self.feature_dim:
            raise ValueError(
                f'{type(self).__name__}: feature_dim={self.feature_dim}, but '
                f'the last layer of the head takes {actual} features. Set '
                f'feature_dim={actual} (the out_channels of the neck).')


@MODELS.register_module()
class ConditionalAdversarial(DomainAdversarial):
    r"""Aligns features and class probabilities jointly (CDAN).

    The discriminator of :class:`DomainAdversarial` sees :math:`T(f, g)`, a
    multilinear map of the features and of the class probabilities
    :math:`g = \mathrm{softmax}(z)`, which get no gradient (Long et al.,
    "Conditional Adversarial Domain Adaptation", NeurIPS 2018).

    Args:
        num_classes (int): Number of classes C.
        feature_dim (int): Length D of the features, the ``out_channels`` of
            the neck.
        hidden_dim (int): Width of the discriminator. Defaults to 1024.
        randomized (bool): Whether to use
            :class:`RandomizedMultilinearMap`, for large C·D. Defaults to
            False, as in SDAT and MIC.
        randomized_dim (int): Its output length. Defaults to 1024, as in
            CDAN.
        entropy_conditioning (bool): Whether images of which the classifier
            is certain count more, see :func:`certainty_weights` (CDAN+E).
            Defaults to False, as in SDAT and MIC.
        weight (float): Factor of the loss. Defaults to 1.
        warmup_iterations (int): See :class:`GradientReversal`. Defaults to
            1000.
        **kwargs: See :class:`DomainAdversarial`.

    Raises:
        ValueError: If a size is not positive or does not fit the student.
    """

    def __init__(self,
                 num_classes: int,
                 feature_dim: int,
                 hidden_dim: int = 1024,
                 randomized: bool = False,
                 randomized_dim: int = 1024,
                 entropy_conditioning: bool = False,
                 weight: float = 1.,
                 warmup_iterations: int = 1000,
                 **kwargs) -> None:
        self._check_sizes(
            num_classes=num_classes,
            feature_dim=feature_dim,
            randomized_dim=randomized_dim)
        joint = (
            RandomizedMultilinearMap(feature_dim, num_classes, randomized_dim)
            if randomized else MultilinearMap(feature_dim, num_classes))
        super().__init__(
            feature_dim,
            hidden_dim,
            weight,
            warmup_iterations,
            input_dim=joint.output_dim,
            **kwargs)
        self.num_classes = num_classes
        self.entropy_conditioning = entropy_conditioning
        self.map: nn.Module = joint

    def _evidence(self,
                  outputs: DomainOutputs) -> tuple[Tensor, Optional[Tensor]]:
        with torch.no_grad():
            probabilities = outputs.logits.softmax(dim=1)
        weights = None
        if self.entropy_conditioning:
            weights = certainty_weights(probabilities)
        return self.map(outputs.features, probabilities), weights

    def _check_fit(self, outputs: DomainOutputs) -> None:
        super()._check_fit(outputs)
        actual = outputs.source_logits.size(1)
        if actual != self.num_classes:
            raise ValueError(
                f'ConditionalAdversarial: num_classes={self.num_classes}, '
                f'but the head has {actual} classes. Set num_classes='
                f'{actual}.')
