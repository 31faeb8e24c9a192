# Copyright (c) mic_mm authors. All rights reserved.
"""What a new config is to say."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from .base_config import BaseConfig
from .domain_facts import DomainFacts

METHODS = ('mic', 'self-training', 'source-only')
# Iterations and images of each domain per batch of MIC's experiments.
ITERATIONS = {'seg': 40000, 'cls': 15000, 'det': 60000}
BATCH_SIZES = {'seg': 2, 'cls': 32, 'det': 1}
_MULTIPLE = 32
# Height and width where neither the base nor the images say them.
_SIZES = {'seg': (512, 512), 'cls': (224, 224), 'det': (800, 1333)}


@dataclass(frozen=True)
class NewConfig:
    """Everything that the text of a new config depends on.

    Attributes:
        base (BaseConfig): The stock config.
        source (DomainFacts): Labelled images.
        target (DomainFacts): Unlabelled images.
        val (DomainFacts, optional): Labelled target images to evaluate on.
        method (str): One of ``METHODS``.
        iterations (int): Length of the training.
        batch_size (int): Images of each domain.
        size (tuple): Height and width: the crop (seg, cls), or what an image
            is scaled to fit into (det).
        workers (int): Processes that load images.
        lr (float, optional): Learning rate; None: that of the base, for the
            size of the batch.
        pretrained (bool): Whether to start from the weights of the base.
        flip (bool): Whether to flip images.
        target_annotations (str, optional): COCO file that lists the target
            images (det).
    """

    base: BaseConfig
    source: DomainFacts
    target: DomainFacts
    val: Optional[DomainFacts]
    method: str
    iterations: int
    batch_size: int
    size: tuple[int, int]
    workers: int = 2
    lr: Optional[float] = None
    pretrained: bool = True
    flip: bool = True
    target_annotations: Optional[str] = None

    @property
    def task(self) -> str:
        return self.base.task

    @property
    def classes(self) -> tuple[str, ...]:
        return self.source.classes


def default_size(base: BaseConfig, source: DomainFacts,
                 target: DomainFacts) -> tuple[int, int]:
    """Height and width for a base and the images at hand.

    Crops of segmentation are those of the base, or what the smallest image
    allows; images of the other tasks are scaled to the size of the base.
    """
    stock = _size_of(base) or _SIZES[base.task]
    if base.task != 'seg':
        return stock
    smallest = (min(s, t) for s, t in zip(source.smallest, target.smallest))
    return tuple(
        min(side, image - image % _MULTIPLE or image)
        for side, image in zip(stock, smallest))


def _size_of(base: BaseConfig) -> Optional[tuple[int, int]]:
    if base.task == 'seg':
        size = base.get('model.data_preprocessor.size')
        return tuple(size) if size is not None else None
    key = 'scale' if base.task == 'det' else 'crop_size'
    for transform in base.get('test_pipeline') or ():
        if key in transform:
            size = transform[key]
            # Width and height; of two numbers the order does not matter.
            return (size, size) if isinstance(size, int) else (min(size),
                                                               max(size))
    return None


def check_crop(size: tuple[int, int], *domains: DomainFacts) -> None:
    """Refuse crops of segmentation that are larger than an image.

    Raises:
        ValueError: If there is a smaller image.
    """
    for facts in domains:
        if any(s < c for s, c in zip(facts.smallest, size)):
            raise ValueError(
                f'--size {size[0]} {size[1]}: images of {facts.images} have '
                f'{facts.sizes} (height x width), and a crop has to fit '
                'into each. Give a smaller --size, or scale the images.')
