# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from mic_mm.core.uda_model import UDAModel
from mic_mm.engine.data import DomainPairDataset, PairIndex


def check_masks(model: UDAModel, dataloader: DataLoader) -> None:
    """Refuse masks that do not fit the images, before training starts.

    An objective may begin late, so a mask that is too large would stop a run
    in the middle.  The size is that of the first pair of the data set.

    Raises:
        ValueError: If a mask is too large for the image.
    """
    masks = {
        name: objective.mask
        for name, objective in model.objectives.items()
        if hasattr(getattr(objective, 'mask', None), 'grid')
    }
    if not masks or not isinstance(dataloader.dataset, DomainPairDataset):
        return
    pair = dataloader.dataset[PairIndex(0, 0, 0, model.seed)]
    data = model.data_preprocessor(pseudo_collate([pair]), True)
    for name, mask in masks.items():
        for domain, images in data.items():
            try:
                mask.grid(images['inputs'].shape[-2:])
            except ValueError as error:
                raise ValueError(
                    f'model.objectives.{name}.mask does not fit the {domain} '
                    f'images of the model: {error}') from error
