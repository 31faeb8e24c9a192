# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from torch import Tensor, nn


class DomainDiscriminator(nn.Sequential):
    """Tells source from target: three linear layers.

    The layers have PyTorch's default initialisation, as in the original.

    Args:
        in_features (int): Length of its input.
        hidden_dim (int): Width of the two hidden layers. Defaults to 1024,
            as in CDAN, SDAT and MIC.
        batch_norm (bool): Whether the hidden layers are batch-normalised.
            Defaults to True, as in CDAN, SDAT and MIC.
        dropout (float): Dropout after the hidden layers. Defaults to 0; the
            original's variant without batch norm uses 0.5.
    """

    def __init__(self,
                 in_features: int,
                 hidden_dim: int = 1024,
                 batch_norm: bool = True,
                 dropout: float = 0.) -> None:

        def hidden(width: int) -> list[nn.Module]:
            layers: list[nn.Module] = [nn.Linear(width, hidden_dim)]
            if batch_norm:
                layers.append(nn.BatchNorm1d(hidden_dim))
            layers.append(nn.ReLU())
            if dropout:
                layers.append(nn.Dropout(dropout))
            return layers

        super().__init__(*hidden(in_features), *hidden(hidden_dim),
                         nn.Linear(hidden_dim, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Logits of belonging to the source, (B, )."""
        return super().forward(features).squeeze(1)
