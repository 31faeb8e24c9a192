# Copyright (c) mic_mm authors. All rights reserved.
"""Models as functions of tensors, for formats that know nothing else.

A model of OpenMMLab takes data samples and gives data samples.  What a graph
can hold is the network in between.
"""
from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from mic_mm.core.data_preprocessor import UDADataPreprocessor


class TensorModel(nn.Module):
    """A model of images that gives tensors.

    Args:
        model (nn.Module): A plain model, in evaluation mode.
        normalize (bool): Whether images are given as OpenCV reads them, BGR
            in [0, 255], and normalised here. Defaults to True: forgotten
            normalisation is not seen in any shape. If False, they are given
            as the network wants them.

    Attributes:
        output_names (list[str]): Names of the tensors of :meth:`forward`;
            known to :class:`DetectorMaps` after a pass.
    """

    output_names: list[str]

    def __init__(self, model: nn.Module, normalize: bool = True) -> None:
        super().__init__()
        self.model = model
        self.normalize = normalize
        statistics = UDADataPreprocessor(model.data_preprocessor).statistics
        self.to_rgb = statistics.channel_order == 'rgb'
        for name in ('mean', 'std'):
            value = getattr(statistics, name).clone().view(1, -1, 1, 1)
            self.register_buffer(f'pixel_{name}', value, persistent=False)
        # Itself as well: an exporter puts back the mode that it finds here.
        self.eval()

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Outputs for images (B, 3, H, W)."""
        if self.normalize:
            if self.to_rgb:
                images = images.flip(1)
            images = (images - self.pixel_mean) / self.pixel_std
        return self.outputs(images)

    @abstractmethod
    def outputs(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Outputs for normalised images."""


class SegmentorLogits(TensorModel):
    """Logits (B, classes, H, W) of the size of the images.

    Of the whole image; sliding over a larger one
    (``test_cfg.mode='slide'``) is the caller's.
    """

    output_names = ['logits']

    def outputs(self, images: Tensor) -> Tensor:
        shape = images.shape[2:]
        # A torch.Size: MMSegmentation takes it as it is, so that it may be
        # symbolic.
        meta = dict(img_shape=shape, ori_shape=shape, pad_shape=shape)
        return self.model.encode_decode(images, [meta])


class ClassifierLogits(TensorModel):
    """Logits (B, classes); their softmax is what MMPretrain predicts."""

    output_names = ['logits']

    def outputs(self, images: Tensor) -> Tensor:
        return self.model(images, mode='tensor')


class DetectorMaps(TensorModel):
    """Maps of a detector up to its dense head, finest level first.

    Features of backbone and neck, then what RPN or a one-stage head gives
    for each level.  Anchors, non-maximum suppression and regions depend on
    the boxes found and remain in Python.
    """

    def outputs(self, images: Tensor) -> tuple[Tensor, ...]:
        head = _dense_head(self.model)
        features = self.model.extract_feat(images)
        maps = [list(features), *map(list, head(features))]
        names = ['feature', 'cls_score', 'bbox_pred', *_EXTRA][:len(maps)]
        self.output_names = [
            f'{name}_{level}' for name, levels in zip(names, maps)
            for level in range(len(levels))
        ]
        return tuple(level for levels in maps for level in levels)


# What one-stage heads give beyond scores and boxes, such as FCOS' centerness.
_EXTRA = [f'extra{index}' for index in range(4)]


def as_tensor_model(model: nn.Module, normalize: bool = True) -> TensorModel:
    """Wrap a plain model of MMSegmentation, MMPretrain or MMDetection.

    Args:
        model (nn.Module): The model.
        normalize (bool): See :class:`TensorModel`. Defaults to True.

    Raises:
        ValueError: If it is none of them, or a detector without a dense head.
    """
    if hasattr(model, 'encode_decode'):
        return SegmentorLogits(model, normalize)
    if _is_one_of(model, 'ImageClassifier'):
        return ClassifierLogits(model, normalize)
    if _is_one_of(model, 'BaseDetector'):
        _dense_head(model)
        return DetectorMaps(model, normalize)
    raise ValueError(
        f'A {type(model).__name__} is no EncoderDecoder of MMSegmentation, '
        'ImageClassifier of MMPretrain or detector of MMDetection.')


def writes_in_place(model: nn.Module) -> bool:
    """Whether a model assembles its output in place, as HRDA its windows.

    TorchScript's tracing loses such writes without a word.
    """
    return hasattr(model, 'window_features')


def _is_one_of(model: nn.Module, name: str) -> bool:
    # By name: this room imports no library.
    return name in _names(type(model).__mro__)


def _names(types: Iterable[type]) -> set[str]:
    return {kind.__name__ for kind in types}


def _dense_head(model: nn.Module) -> nn.Module:
    if _is_one_of(model, 'DetectionTransformer'):
        raise ValueError(
            f'A {type(model).__name__} has queries rather than maps of a '
            'dense head; its export is not supported. MMDeploy exports some '
            'detectors of this family.')
    for name in ('rpn_head', 'bbox_head'):
        head = getattr(model, name, None)
        if head is not None:
            return head
    raise ValueError(f'A {type(model).__name__} has neither rpn_head nor '
                     'bbox_head.')


@torch.no_grad()
def run(model: TensorModel, images: Tensor) -> dict[str, Tensor]:
    """The outputs of a pass by name."""
    outputs = model(images)
    if isinstance(outputs, Tensor):
        outputs = (outputs, )
    return dict(zip(model.output_names, outputs))
