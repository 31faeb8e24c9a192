# Copyright (c) mic_mm authors. All rights reserved.
"""Features of the images of a domain."""
from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Optional

import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor
from torch.utils.data import DataLoader, Subset

from mic_mm.registry import DATASETS
from mic_mm.utils.parallel import track

from ..uda_classifier import UDAClassifier


def with_pipeline(cfg: dict, pipeline: Sequence[dict]) -> dict:
    """A dataset config, also of a wrapper, with another pipeline."""
    cfg = copy.deepcopy(dict(cfg))
    if 'dataset' in cfg:
        cfg['dataset'] = with_pipeline(cfg['dataset'], pipeline)
    elif 'datasets' in cfg:
        cfg['datasets'] = [with_pipeline(c, pipeline) for c in cfg['datasets']]
    else:
        cfg['pipeline'] = list(pipeline)
    return cfg


@torch.no_grad()
def collect_features(model: UDAClassifier,
                     dataset: dict,
                     max_images: int,
                     pipeline: Optional[Sequence[dict]] = None,
                     seed: int = 0,
                     batch_size: int = 32,
                     num_workers: int = 0) -> Tensor:
    """Features in front of the classifier's last layer, in evaluation mode.

    Args:
        model (UDAClassifier): The model.
        dataset (dict): Config of the dataset.
        max_images (int): Number of images, randomly chosen.
        pipeline (Sequence[dict], optional): Replaces the dataset's. Defaults
            to None.
        seed (int): Seed of the choice. Defaults to 0.
        batch_size (int): Defaults to 32.
        num_workers (int): Processes that load images. Defaults to 0.

    Returns:
        Tensor: (N, D) float32, on the CPU.
    """
    if pipeline is not None:
        dataset = with_pipeline(dataset, pipeline)
    images = DATASETS.build(copy.deepcopy(dict(dataset)))
    order = torch.randperm(
        len(images), generator=torch.Generator().manual_seed(seed))
    loader = DataLoader(
        Subset(images, order[:max_images].tolist()),
        batch_size=batch_size,
        num_workers=num_workers,
        collate_fn=pseudo_collate)
    student = model.predictor.eval()
    features = []
    for data in track(loader, len(loader), 'features'):
        inputs = model.predictor.data_preprocessor(data, False)['inputs']
        features.append(
            student.head.pre_logits(student.extract_feat(inputs)).cpu())
    return torch.cat(features).float()
