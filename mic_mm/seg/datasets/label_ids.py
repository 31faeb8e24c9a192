# Copyright (c) mic_mm authors. All rights reserved.
"""Label ids of the published data sets and the 19 classes of Cityscapes.

Each table maps the id of a published label map to the index of the class,
its "train id"; every other id has no class.
"""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np

IGNORE_INDEX = 255

CITYSCAPES_IDS = {
    7: 0,  # road
    8: 1,  # sidewalk
    11: 2,  # building
    12: 3,  # wall
    13: 4,  # fence
    17: 5,  # pole
    19: 6,  # traffic light
    20: 7,  # traffic sign
    21: 8,  # vegetation
    22: 9,  # terrain
    23: 10,  # sky
    24: 11,  # person
    25: 12,  # rider
    26: 13,  # car
    27: 14,  # truck
    28: 15,  # bus
    31: 16,  # train
    32: 17,  # motorcycle
    33: 18,  # bicycle
}
# GTA was published in the ids of Cityscapes.
GTA_IDS = CITYSCAPES_IDS
SYNTHIA_IDS = {
    3: 0,  # road
    4: 1,  # sidewalk
    2: 2,  # building
    21: 3,  # wall
    5: 4,  # fence
    7: 5,  # pole
    15: 6,  # traffic light
    9: 7,  # traffic sign
    6: 8,  # vegetation
    16: 9,  # terrain (does not occur)
    1: 10,  # sky
    10: 11,  # person
    17: 12,  # rider
    8: 13,  # car
    18: 14,  # truck (does not occur)
    19: 15,  # bus
    20: 16,  # train (does not occur)
    12: 17,  # motorcycle
    11: 18,  # bicycle
}


def to_train_ids(labels: np.ndarray, ids: Mapping[int, int]) -> np.ndarray:
    """Replace the ids of a label map by the indices of their classes.

    Args:
        labels (np.ndarray): Ids, of any integer type and shape.
        ids (dict): One of the tables of this module.

    Returns:
        np.ndarray: uint8, 255 where the id has no class.
    """
    table = np.full(256, IGNORE_INDEX, np.uint8)
    table[list(ids)] = list(ids.values())
    train_ids = table[labels & 255]
    train_ids[(labels < 0) | (labels > 255)] = IGNORE_INDEX
    return train_ids


def to_label_ids(train_ids: np.ndarray, ids: Mapping[int, int]) -> np.ndarray:
    """The way back: indices of classes to ids; 0 where there is none."""
    table = np.zeros(256, np.uint8)
    table[list(ids.values())] = list(ids)
    return table[train_ids]
