# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

# Up to this many classes the cells are large enough for a number.
_WITH_NUMBERS = 20


def draw_confusion_matrix(matrix: Tensor, classes: Sequence[str]) -> np.ndarray:
    """Draw which classes are taken for which.

    A row shows where the images of a true class go, in percent, so that rare
    classes are as visible as frequent ones.

    Args:
        matrix (Tensor): Confusion matrix, (C, C), rows are true classes.
        classes (Sequence[str]): Names of the C classes.

    Returns:
        np.ndarray: RGB picture, (H, W, 3), uint8.
    """
    # Not pyplot: it would keep the figure and may want a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    counts = matrix.float()
    percent = 100 * counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
    side = min(3 + 0.5 * len(classes), 16)
    figure = Figure(figsize=(side, side), layout='constrained')
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = axes.imshow(percent.numpy(), cmap='Blues', vmin=0, vmax=100)
    figure.colorbar(image, ax=axes, shrink=0.7, label='% of the true class')
    size = 9 if len(classes) <= _WITH_NUMBERS else 5
    ticks = range(len(classes))
    axes.set_xticks(ticks, classes, rotation=90, fontsize=size)
    axes.set_yticks(ticks, classes, fontsize=size)
    axes.set(xlabel='predicted', ylabel='true')
    if len(classes) <= _WITH_NUMBERS:
        for (row, column), value in np.ndenumerate(percent.numpy()):
            axes.text(column, row, f'{value:.0f}', ha='center', va='center',
                      fontsize=7, color='white' if value > 60 else 'black')
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
