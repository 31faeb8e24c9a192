# Copyright (c) mic_mm authors. All rights reserved.
"""The networks of the classification recordings, on MMPretrain's parts."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .golden import GoldenCase

# Original name -> name in a classifier of MMPretrain.
_PARTS = {'bottleneck.0.': 'neck.fc.', 'bottleneck.1.': 'neck.norm.',
          'head.': 'head.fc.'}


class TinyBackbone(nn.Module):
    """Two strided convolutions with batch norm."""

    def __init__(self, c1: int, c2: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, c1, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c1)
        self.conv2 = nn.Conv2d(c1, c2, 3, stride=2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c2)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        x = F.relu(self.bn1(self.conv1(x)))
        return (F.relu(self.bn2(self.conv2(x))), )


class DropBackbone(nn.Module):
    """A residual block with dropout and stochastic depth."""

    def __init__(self, c1: int, c2: int) -> None:
        from mmcv.cnn.bricks import DropPath
        super().__init__()
        self.conv1 = nn.Conv2d(3, c1, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c1)
        self.dropout = nn.Dropout(0.5)
        self.conv2 = nn.Conv2d(c1, c1, 3, padding=1, bias=False)
        self.drop_path = DropPath(0.5)
        self.conv3 = nn.Conv2d(c1, c2, 3, stride=2, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(c2)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        x = F.relu(self.bn1(self.conv1(x)))
        x = x + self.drop_path(self.conv2(self.dropout(x)))
        return (F.relu(self.bn3(self.conv3(x))), )


def our_name(name: str) -> str:
    """Name in a classifier of MMPretrain of an original parameter."""
    for theirs, ours in _PARTS.items():
        if name.startswith(theirs):
            return ours + name.removeprefix(theirs)
    return name


def recorded_state(case: GoldenCase, prefix: str) -> dict[str, Tensor]:
    """The tensors recorded under ``prefix``, by our names."""
    return {
        our_name(name.removeprefix(prefix)): torch.tensor(case[name])
        for name in case.names(f'{prefix}*')
    }


def classifier_of(state: dict[str, Tensor]) -> dict:
    """Config of the classifier that a recorded state belongs to."""
    widths = [
        len(tensor) for name, tensor in state.items()
        if name.startswith('backbone.conv')
    ]
    kind = DropBackbone if 'backbone.conv3.weight' in state else TinyBackbone
    num_classes, features = state['head.fc.weight'].shape
    return dict(
        type='ImageClassifier',
        data_preprocessor=dict(type='ClsDataPreprocessor'),
        backbone=kind(widths[0], widths[-1]),
        neck=dict(
            type='LinearNeck',
            in_channels=widths[-1],
            out_channels=features,
            gap_dim=2,
            norm_cfg=dict(type='BN1d'),
            act_cfg=dict(type='ReLU')),
        head=dict(
            type='LinearClsHead',
            num_classes=num_classes,
            in_channels=features,
            init_cfg=None))
