# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations


def check_head(owner: str, gradient_scale: float, **sizes: int) -> None:
    """Refuse impossible options of a domain head.

    Raises:
        ValueError: If a size is not positive or ``gradient_scale`` is
            negative.
    """
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f'DomainAdversarialDetection: {owner}.{name}='
                             f'{size} is not positive.')
    if gradient_scale < 0:
        raise ValueError(
            f'DomainAdversarialDetection: {owner}.gradient_scale='
            f'{gradient_scale} is negative. Give the size of the reversed '
            'gradient; its sign is taken care of.')
