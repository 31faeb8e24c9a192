# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

SHARES = ('batch', 'sample')


def check_share(owner: str, share: str) -> None:
    """Refuse an unknown rule of sharing random numbers between images.

    Raises:
        ValueError: If ``share`` is unknown.
    """
    if share not in SHARES:
        raise ValueError(f'{owner}: share={share!r} is unknown; choose one '
                         f'of {SHARES}.')
