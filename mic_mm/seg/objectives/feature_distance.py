# Copyright (c) mic_mm authors. All rights reserved.
"""Keeps the features of things close to those of a frozen network."""
from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Optional

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.model import initialize
from torch import Tensor, nn

from mic_mm.registry import MODELS

from .observe import BackboneCall, stages

IGNORE = 255
# Relative to the features.  Equal networks agree up to rounding, since the
# kernels for frozen parameters differ; that distance has no direction, which
# its gradient would follow nonetheless.
_ROUNDING = 1e-5
# Traffic light, traffic sign, person, rider, car, truck, bus, train,
# motorcycle, bicycle.
CITYSCAPES_THINGS = (6, 7, 11, 12, 13, 14, 15, 16, 17, 18)


@MODELS.register_module()
class FeatureDistance(nn.Module):
    r"""Distance of the student's features to those of an ImageNet network.

    .. math::
        L_{FD} = \lambda\, \frac{\sum_j m_j\, \lVert F_j - F^0_j \rVert_2}
        {\sum_j m_j}

    over the cells :math:`j` of the backbone's last stage and the whole batch.
    :math:`m_j = 1` where at least ``min_ratio`` of the cell's pixels have the
    same thing class (DAFormer, Hoyer et al. 2022, eq. 9 to 12).  Without such
    a cell the loss and its gradient are 0.

    The frozen network is a copy of the student's backbone in evaluation mode.
    Its weights are those the student has when its first iteration begins,
    that is its pretrained ones.

    Args:
        classes (Sequence[int]): Train ids that count. Defaults to the thing
            classes of Cityscapes, as in DAFormer: their features are what
            synthetic training forgets.
        weight (float): :math:`\lambda`. Defaults to 0.005, as in DAFormer.
        min_ratio (float): Smallest share of a cell, in (0, 1]. Defaults to
            0.75, as in DAFormer.
        init_cfg (dict, optional): Weights of the frozen network, e.g.
            ``dict(type='Pretrained', checkpoint=...)``; needed where the
            student starts from a checkpoint that has left ImageNet behind.
            Defaults to None, the student's first weights.

    Raises:
        ValueError: If ``min_ratio``, ``weight`` or one of ``classes`` is out
            of range, or ``classes`` is empty.
    """

    copied: Tensor

    def __init__(self,
                 classes: Sequence[int] = CITYSCAPES_THINGS,
                 weight: float = 0.005,
                 min_ratio: float = 0.75,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__()
        if not classes:
            raise ValueError('FeatureDistance: classes is empty. Give train '
                             'ids, or set feature_distance=None.')
        outside = [c for c in classes if not 0 <= c < IGNORE]
        if outside:
            raise ValueError(f'FeatureDistance: classes={outside} are no '
                             f'train ids, which are 0 to {IGNORE - 1}.')
        if not 0 < min_ratio <= 1:
            raise ValueError(f'FeatureDistance: min_ratio={min_ratio} lies '
                             'outside (0, 1]. DAFormer uses 0.75.')
        if weight < 0:
            raise ValueError(f'FeatureDistance: weight={weight} is negative. '
                             'Set feature_distance=None to switch it off.')
        is_counted = torch.zeros(IGNORE + 1, dtype=torch.bool)
        is_counted[list(classes)] = True
        self.register_buffer('is_counted', is_counted, persistent=False)
        self.weight = weight
        self.min_ratio = min_ratio
        self.init_cfg = init_cfg
        self.backbone: Optional[nn.Module] = None
        # The buffer survives a resume; the flag spares a synchronisation.
        self.register_buffer('copied', torch.zeros((), dtype=torch.bool))
        self._is_copied = False

    def attach(self, backbone: nn.Module) -> None:
        """Take the shape of the student's backbone."""
        self.backbone = copy.deepcopy(backbone).requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> FeatureDistance:
        """The frozen network stays in evaluation mode."""
        super().train(mode)
        if self.backbone is not None:
            self.backbone.eval()
        return self

    def forward(self, call: BackboneCall, labels: Tensor,
                student_backbone: nn.Module) -> Tensor:
        """The weighted loss (0-dim).

        Args:
            call (BackboneCall): The student's pass on source images.
            labels (Tensor): Train ids, 255 is ignored, (B, H, W).
            student_backbone (nn.Module): Copied by the first call.
        """
        if not self._is_copied:
            self._copy(student_backbone)
        # Autograd saves neither the frozen features nor what is computed from
        # them alone, so they may come without its bookkeeping.
        with torch.inference_mode():
            frozen = stages(self.backbone(call.inputs))[-1]
        with torch.no_grad():
            cell = cell_size(labels.shape[-2:], frozen.shape[-2:])
            majority = majority_labels(labels, cell, self.min_ratio)
            counts = self.is_counted[majority]
        return self.weight * masked_feature_distance(call.features[-1], frozen,
                                                     counts)

    @torch.no_grad()
    def _copy(self, student_backbone: nn.Module) -> None:
        self.backbone.load_state_dict(student_backbone.state_dict())
        if self.init_cfg is not None:
            initialize(self.backbone, self.init_cfg)
        self.copied.fill_(True)
        self._is_copied = True

    def _load_from_state_dict(self, state_dict, prefix, *args) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        self._is_copied = bool(self.copied)


def majority_labels(labels: Tensor, cell: int, min_ratio: float) -> Tensor:
    """The label of most pixels of each square cell.

    Args:
        labels (Tensor): int64 in 0..255, (B, H, W).
        cell (int): Side of a cell in pixels. What is left over at the lower
            and right border is cut off.
        min_ratio (float): A cell in which fewer of its pixels agree gets 255,
            as does one of ignored pixels.

    Returns:
        Tensor: int64, (B, H // cell, W // cell).
    """
    rows, columns = (side // cell for side in labels.shape[-2:])
    pixels = labels[:, :rows * cell, :columns * cell]
    pixels = pixels.reshape(-1, rows, cell, columns, cell).transpose(2, 3)
    pixels = pixels.reshape(-1, rows, columns, cell * cell)
    counts = pixels.new_zeros((*pixels.shape[:3], IGNORE + 1),
                              dtype=torch.int32)
    counts.scatter_add_(3, pixels, torch.ones_like(pixels, dtype=torch.int32))
    majority = counts.argmax(dim=3)
    share = counts.amax(dim=3)
    return majority.masked_fill(share < min_ratio * cell * cell, IGNORE)


def cell_size(image: tuple[int, int], features: tuple[int, int]) -> int:
    """Side of the square of pixels that belongs to one feature.

    Raises:
        ValueError: If an image of that size has no such square.
    """
    cell = image[1] // features[1]
    if not cell or tuple(side // cell for side in image) != tuple(features):
        raise ValueError(
            f'FeatureDistance: images of {tuple(image)} pixels do not divide '
            f'into {tuple(features)} square cells, one for each feature of '
            'the last stage. Use a crop_size that is a multiple of the '
            "backbone's stride.")
    return cell


def masked_feature_distance(features: Tensor, frozen: Tensor,
                            counts: Tensor) -> Tensor:
    """Mean distance over the cells that count, on all processes.

    Args:
        features (Tensor): (B, C, h, w).
        frozen (Tensor): (B, C, h, w), without gradient.
        counts (Tensor): Which cells count, bool, (B, h, w).

    Returns:
        Tensor: 0-dim; 0 without gradient if no cell counts.
    """
    dtype = torch.promote_types(features.dtype, torch.float32)
    distance = torch.linalg.vector_norm(features - frozen, dim=1, dtype=dtype)
    size = torch.linalg.vector_norm(frozen, dim=1, dtype=dtype)
    counted = counts & (distance > _ROUNDING * size)
    number = counts.sum().float()
    all_reduce(number)
    # Averaged over the processes it is the mean over the cells of all.
    mean_number = number.clamp_(min=1) / get_world_size()
    return torch.where(counted, distance, 0.).sum() / mean_number
