# Copyright (c) mic_mm authors. All rights reserved.
"""Weights of the original code under the names of MMSegmentation 1.x."""
from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

# Stages count from 1 there and from 0 here.
_BLOCK = r'^(?P<prefix>(?:backbone\.)?)block(?P<stage>[1-4])\.(?P<block>\d+)\.'
_STAGE_RENAMES = (
    (r'^(?P<prefix>(?:backbone\.)?)patch_embed(?P<stage>[1-4])\.proj\.',
     '{prefix}layers.{stage}.0.projection.'),
    (r'^(?P<prefix>(?:backbone\.)?)patch_embed(?P<stage>[1-4])\.norm\.',
     '{prefix}layers.{stage}.0.norm.'),
    (_BLOCK + r'attn\.proj\.', '{prefix}layers.{stage}.1.{block}.attn.attn.out_proj.'),
    (_BLOCK + r'mlp\.fc1\.', '{prefix}layers.{stage}.1.{block}.ffn.layers.0.'),
    (_BLOCK + r'mlp\.fc2\.', '{prefix}layers.{stage}.1.{block}.ffn.layers.4.'),
    (_BLOCK + r'mlp\.dwconv\.dwconv\.', '{prefix}layers.{stage}.1.{block}.ffn.layers.1.'),
    (_BLOCK, '{prefix}layers.{stage}.1.{block}.'),
    # after the blocks, which have a norm1 and a norm2 of their own
    (r'^(?P<prefix>(?:backbone\.)?)norm(?P<stage>[1-4])\.(?=weight$|bias$)',
     '{prefix}layers.{stage}.2.'),
)
_QUERY = re.compile(_BLOCK + r'attn\.q\.(?P<kind>weight|bias)$')
_POINTWISE = re.compile(_BLOCK + r'mlp\.fc[12]\.weight$')
_RENAMES: tuple[tuple[re.Pattern, str], ...] = tuple(
    (re.compile(pattern), target) for pattern, target in _STAGE_RENAMES)


def convert_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename and reshape the weights of an original segmentor or backbone.

    Of the Mix Transformer, stages are renamed, query and key-value
    projections merged into ``in_proj``, and the linear layers of the MLP
    written as 1×1 convolutions.  Everything else (ResNetV1c, the decode
    heads) keeps its name.

    Args:
        weights (Mapping[str, Tensor]): Weights of one branch, i.e. without
            the prefix ``model.``; with or without ``backbone.``.

    Returns:
        dict[str, Tensor]: Weights for MMSegmentation 1.x.

    Raises:
        ValueError: If a query projection has no key-value projection or the
            reverse.
    """
    converted: dict[str, Tensor] = {}
    for name, value in weights.items():
        query = _QUERY.match(name)
        if query:
            target = _format(
                '{prefix}layers.{stage}.1.{block}.attn.attn.in_proj_', query)
            key_value = _partner(weights, name, '.q.', '.kv.')
            converted[target + query['kind']] = torch.cat([value, key_value])
        elif re.search(_BLOCK + r'attn\.kv\.', name):
            _partner(weights, name, '.kv.', '.q.')
        else:
            converted[_rename(name)] = (
                value[..., None, None] if _POINTWISE.match(name) else value)
    return converted


def _partner(weights: Mapping[str, Tensor], name: str, mine: str,
             other: str) -> Tensor:
    partner = name.replace(f'attn{mine}', f'attn{other}')
    if partner not in weights:
        raise ValueError(f'The checkpoint has {name!r} but no {partner!r}: '
                         'the weights of the attention are incomplete.')
    return weights[partner]


def _rename(name: str) -> str:
    for pattern, target in _RENAMES:
        match = pattern.match(name)
        if match:
            return _format(target, match) + name[match.end():]
    return name


def _format(target: str, match: re.Match) -> str:
    fields: dict[str, str | int] = match.groupdict()
    fields['stage'] = int(match['stage']) - 1
    return target.format(**fields)
