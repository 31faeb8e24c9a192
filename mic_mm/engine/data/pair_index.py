# Copyright (c) mic_mm authors. All rights reserved.
from typing import NamedTuple


class PairIndex(NamedTuple):
    """Index of a pair of a source and a target image.

    Attributes:
        source (int): Index in the source dataset.
        target (int): Index in the target dataset.
        position (int): Place of the pair in the stream of pairs of all
            processes, from 0. It does not depend on the number of processes
            or workers, nor on whether the run was resumed.
        seed (int): Seed of the run. With the position it seeds the
            augmentation of the pair.
    """

    source: int
    target: int
    position: int
    seed: int
