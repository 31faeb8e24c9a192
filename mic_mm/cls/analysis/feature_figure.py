# Copyright (c) mic_mm authors. All rights reserved.
"""A picture of the features of both domains."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

# Distinguishable with any colour vision (Okabe and Ito).
_SOURCE, _TARGET = '#0072b2', '#d55e00'


def embed(features: Tensor, seed: int = 0) -> np.ndarray:
    """Embed features in the plane by t-SNE (van der Maaten, 2008).

    Args:
        features (Tensor): (N, D).
        seed (int): Seed. Defaults to 0.

    Returns:
        np.ndarray: (N, 2).

    Raises:
        ImportError: If scikit-learn is not installed.
    """
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise ImportError('t-SNE needs scikit-learn. Run: pip install '
                          'scikit-learn (or call the tool with --no-tsne).'
                          ) from error
    # It has to be below the number of images; 30 is the usual value.
    perplexity = min(30., (len(features) - 1) / 3)
    return TSNE(
        perplexity=perplexity, init='pca',
        random_state=seed).fit_transform(features.numpy())


def draw_domains(source: Tensor, target: Tensor, title: str,
                 path: Path) -> None:
    """Draw both domains in the plane.

    Args:
        source (Tensor): Features, (N, D).
        target (Tensor): Features, (M, D).
        title (str): Title of the figure.
        path (Path): Where to; the suffix chooses the format.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    points = embed(torch.cat([source, target]))
    figure = Figure(figsize=(6, 6), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xticks=[], yticks=[], title=title)
    for part, color, name in ((points[:len(source)], _SOURCE, 'source'),
                              (points[len(source):], _TARGET, 'target')):
        axes.scatter(part[:, 0], part[:, 1], s=6, c=color, alpha=0.6, label=name)
    axes.legend()
    figure.savefig(path, dpi=150)
