# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from typing import Optional

from torch import nn

from mic_mm.core import LabelledImages, UDAModel
from mic_mm.registry import MODELS

from .loaded_checks import check_labels, check_target_size
from .pixel_loss import losses_on_device
from .pixel_weights import check_weightable, loss_heads, pixel_weighted, stack_pixel_weights


@MODELS.register_module()
class UDASegmentor(UDAModel):
    """Unsupervised domain adaptation of any segmentor of MMSegmentation.

    .. code-block:: python

        model = dict(
            type='mic_mm.UDASegmentor',
            segmentor={{_base_.model}},
            teacher=dict(type='mic_mm.EMATeacher', alpha=0.999),
            objectives=dict(
                source=dict(type='mic_mm.SourceSupervision'),
                self_training=dict(type='mic_mm.ClassMixSelfTraining'),
                mic=dict(
                    type='mic_mm.MaskedConsistency',
                    mask=dict(type='mic_mm.BlockMask', ratio=0.7,
                              block_size=64))))

    Args:
        segmentor (dict | nn.Module): The segmentor.
        objectives (dict): See :class:`UDAModel`.
        pretrained (None): Accepted because ``mmseg.apis.init_model`` sets it.
        train_cfg (None): Likewise.
        **kwargs: See :class:`UDAModel`.

    Raises:
        TypeError: If objectives weight pixels and a head cannot.
        ValueError: If ``pretrained`` or ``train_cfg`` is given; they belong
            into ``segmentor``.
    """

    task_scope = 'mmseg'
    default_labeller = dict(type='mic_mm.PixelLabeller')

    def __init__(self,
                 segmentor: dict | nn.Module,
                 objectives: dict,
                 pretrained: Optional[str] = None,
                 train_cfg: Optional[dict] = None,
                 **kwargs) -> None:
        if pretrained is not None or train_cfg is not None:
            raise ValueError('model.pretrained and model.train_cfg belong '
                             'into model.segmentor.')
        super().__init__(segmentor, objectives, **kwargs)
        if self.uses_pseudo_labels:
            for head in loss_heads(self.student):
                check_weightable(head)

    def check_loaded(self, data: dict) -> None:
        """Refuse labels and target images that do not fit, by their file.

        Raises:
            ValueError: See :func:`check_labels`, :func:`check_target_size`.
        """
        for head in loss_heads(self.student)[:1]:
            check_labels(
                data.get('source', data), head.num_classes, head.ignore_index)
        if 'target' in data:
            preprocessor = self.student.data_preprocessor
            check_target_size(data['target'],
                              getattr(preprocessor, 'size', None))

    def weighted_loss(self, student: nn.Module,
                      images: LabelledImages) -> dict:
        weights = stack_pixel_weights(images.data_samples)
        with pixel_weighted(student, weights), losses_on_device(student):
            return student.loss(images.inputs, images.data_samples)
