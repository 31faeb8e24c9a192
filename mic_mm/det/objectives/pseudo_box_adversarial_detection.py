# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from mic_mm.core import PseudoLabelObjective
from mic_mm.registry import MODELS

from .domain_adversarial_detection import DomainAdversarialDetection


@MODELS.register_module()
class PseudoBoxAdversarialDetection(PseudoLabelObjective,
                                    DomainAdversarialDetection):
    """Adversarial training whose target regions include the teacher's boxes.

    :class:`DomainAdversarialDetection` draws the target regions of the
    instance head from the proposals, most of which are background in both
    domains.  Here the teacher's boxes are candidates as well, as the ground
    truth is in the source images.  (The first release of MIC used the ground
    truth of the *target* images in their place; later ones a box as large as
    the image.)  An image without boxes contributes its proposals.

    Args:
        pseudo_threshold (float | str | None): See
            :class:`mic_mm.core.PseudoLabelObjective`.
        instance_head (dict): See :class:`DomainAdversarialDetection`; it is
            needed.
        **kwargs: See :class:`DomainAdversarialDetection`.

    Raises:
        ValueError: If there is no ``instance_head``.
    """

    def __init__(self, instance_head: dict, **kwargs) -> None:
        super().__init__(instance_head=instance_head, **kwargs)
        if instance_head is None:
            raise ValueError(
                'PseudoBoxAdversarialDetection without instance_head has no '
                'use for pseudo-boxes. Give instance_head=dict(...), or use '
                'mic_mm.DomainAdversarialDetection.')

    def loss(self, batch, student, teacher):
        losses = super().loss(batch, student, teacher)
        losses.update(self.pseudo_labels(batch, teacher).metrics)
        return losses

    def _target_boxes(self, batch, teacher):
        samples = self.pseudo_labels(batch, teacher).data_samples
        return [sample.gt_instances.bboxes for sample in samples]
