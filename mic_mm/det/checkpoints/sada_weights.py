# Copyright (c) mic_mm authors. All rights reserved.
"""Weights of SADA and MIC(SADA) under the names of MMDetection 3.x."""
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

# FrozenBatchNorm has no epsilon, MMDetection's batch norm has.
BATCH_NORM_EPS = 1e-5
_LARGEST_ANCHOR_DIFFERENCE = 1e-3
_ANCHORS = re.compile(r'rpn\.anchor_generator\.cell_anchors\.(\d)$')
_CLASSES = 'roi_heads.box.predictor.cls_score.'
_BOXES = 'roi_heads.box.predictor.bbox_pred.'
_DOMAIN_HEADS = 'da_heads.'
_RENAMES = (
    (r'backbone\.body\.stem\.', 'backbone.'),
    (r'backbone\.body\.(?=layer[1-4]\.)', 'backbone.'),
    (r'backbone\.fpn\.fpn_inner([1-4])\.', 'neck.lateral_convs.{}.conv.'),
    (r'backbone\.fpn\.fpn_layer([1-4])\.', 'neck.fpn_convs.{}.conv.'),
    (r'rpn\.head\.conv\.', 'rpn_head.rpn_conv.'),
    (r'rpn\.head\.cls_logits\.', 'rpn_head.rpn_cls.'),
    (r'rpn\.head\.bbox_pred\.', 'rpn_head.rpn_reg.'),
    (r'roi_heads\.box\.feature_extractor\.fc6\.',
     'roi_head.bbox_head.shared_fcs.0.'),
    (r'roi_heads\.box\.feature_extractor\.fc7\.',
     'roi_head.bbox_head.shared_fcs.1.'),
    (re.escape(_CLASSES), 'roi_head.bbox_head.fc_cls.'),
    (re.escape(_BOXES), 'roi_head.bbox_head.fc_reg.'),
)
_DOMAIN_RENAMES = (
    (r'da_heads\.imghead\.da_img_conv(?P<layer>[12])_level(?P<level>\d)\.',
     'image_head.levels.{level}.conv{layer}.'),
    (r'da_heads\.inshead\.da_ins_fc(?P<layer>[123])_level(?P<level>\d)\.',
     'instance_head.levels.{level}.fc{layer}.'),
)


def select_network(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a checkpoint, of student or teacher, without prefix.

    ``model_final_teacher.pth`` begins all names with ``ema_model.``; training
    in parallel begins them with ``module.``.
    """
    names = {name: name for name in state_dict}
    for prefix in ('module.', 'ema_model.', 'module.'):
        names = {k: name.removeprefix(prefix) for k, name in names.items()}
    return {names[name]: value for name, value in state_dict.items()}


def convert_weights(weights: Mapping[str, Tensor],
                    base_anchors: Sequence[Tensor],
                    eps: float = BATCH_NORM_EPS) -> dict[str, Tensor]:
    r"""Rename and adapt the weights of the original detector.

    * Background is the first class there and the last one here, which has no
      box regression.
    * The original's batch norm divides by :math:`\sqrt{v}`, MMDetection's by
      :math:`\sqrt{v + \epsilon}`: the factor between both goes into the
      weight.
    * Anchors are compared with ours and left out, and so are domain
      classifiers; see :func:`convert_domain_heads`.

    Args:
        weights (Mapping[str, Tensor]): See :func:`select_network`.
        base_anchors (Sequence[Tensor]): Anchors of a cell of each level,
            ``(A, 4)``, of the detector that is to have the weights.
        eps (float): :math:`\epsilon`. Defaults to 1e-5, MMDetection's.

    Returns:
        dict[str, Tensor]: Weights for a ``FasterRCNN`` with ResNet and FPN.

    Raises:
        ValueError: If a name is unknown or the anchors are others.
    """
    converted, unknown = {}, []
    for name, value in weights.items():
        if name.startswith(_DOMAIN_HEADS):
            continue
        level = _ANCHORS.match(name)
        if level:
            _compare_anchors(name, value, base_anchors, int(level[1]))
            continue
        renamed = _renamed(name)
        if renamed is None:
            unknown.append(name)
        else:
            converted[renamed] = _adapted(name, value)
    if unknown:
        raise ValueError(
            f'{len(unknown)} weights are none of a Faster R-CNN with FPN of '
            f'maskrcnn-benchmark, e.g. {unknown[:3]}.')
    return _with_folded_epsilon(converted, eps)


def convert_domain_heads(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The domain classifiers, as ``image_head.*`` and ``instance_head.*``.

    Args:
        weights (Mapping[str, Tensor]): See :func:`select_network`.

    Raises:
        ValueError: If a name is unknown.
    """
    converted = {}
    for name, value in weights.items():
        if not name.startswith(_DOMAIN_HEADS):
            continue
        matches = [(re.match(pattern, name), target)
                   for pattern, target in _DOMAIN_RENAMES]
        found = [(m, target) for m, target in matches if m]
        if not found:
            raise ValueError(f'{name!r} is no weight of a domain classifier '
                             'of SADA.')
        match, target = found[0]
        renamed = target.format(**match.groupdict()) + name[match.end():]
        converted[renamed] = value
    return converted


def _renamed(name: str) -> str | None:
    for pattern, target in _RENAMES:
        match = re.match(pattern, name)
        if match:
            # Levels count from 1 there and from 0 here.
            level = [int(match[1]) - 1] if match.groups() else []
            return target.format(*level) + name[match.end():]
    return None


def _adapted(name: str, value: Tensor) -> Tensor:
    if name.startswith(_CLASSES):
        return torch.cat([value[1:], value[:1]])
    return value[4:] if name.startswith(_BOXES) else value


def _compare_anchors(name: str, theirs: Tensor, ours: Sequence[Tensor],
                     level: int) -> None:
    fits = (
        level < len(ours) and theirs.shape == ours[level].shape
        and (theirs - ours[level]).abs().max() < _LARGEST_ANCHOR_DIFFERENCE)
    if not fits:
        expected = ours[level].tolist() if level < len(ours) else 'no level'
        raise ValueError(
            f'{name} of the checkpoint is {theirs.tolist()}, but the detector '
            f'has {expected}. Use rpn_head.anchor_generator=dict('
            "type='mic_mm.QuantizedAnchorGenerator', ...) with the sizes, "
            'ratios and strides of the checkpoint.')


def _with_folded_epsilon(weights: dict[str, Tensor],
                         eps: float) -> dict[str, Tensor]:
    folded = dict(weights)
    for name, variance in weights.items():
        if not name.endswith('.running_var'):
            continue
        weight = name.removesuffix('running_var') + 'weight'
        factor = torch.sqrt((variance.double() + eps) / variance.double())
        folded[weight] = (weights[weight].double() * factor).to(
            weights[weight].dtype)
    return folded
