# Copyright (c) mic_mm authors. All rights reserved.
"""Recorded segmentation experiments of the original as ours."""
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor, nn
from torch.nn.functional import pad

from mic_mm.seg.checkpoints import convert_model_config

from .golden import GoldenCase
from .models_seg_da import in_original_names

_DOMAINS = {'src': 'source', 'trg': 'target', '': 'both'}
_FACTORS = ('brightness', 'contrast', 'saturation', 'hue')
_NUM_LABELS = 256
_PUBLISHED_COLOR = dict(color_jitter_probability=0.2, color_jitter_strength=0.2)


def uda_model_config(uda: Mapping[str, Any], segmentor: dict,
                     **objectives) -> dict:
    """Our model config of a ``uda`` config of the original.

    Args:
        uda (Mapping): Config of DACS, AdvSeg or MinEnt.
        segmentor (dict): Our config of the segmentor.
        **objectives: Further objectives, which come after the source's; one
            of the name ``source`` replaces the default.
    """
    source_only = uda.get('source_only', False)
    terms = dict(
        source=dict(
            type='mic_mm.SegSourceSupervision',
            feature_distance=_feature_distance(uda)))
    if uda['type'] == 'DACS' and not source_only:
        terms['self_training'] = dict(
            type='mic_mm.ClassMixSelfTraining',
            color_aug=_color_aug(uda, 'sample', blur=uda['blur']))
    terms.update(objectives)
    if uda['mask_mode'] is not None:
        terms['mic'] = _masked_consistency(uda)
    return dict(
        type='mic_mm.UDASegmentor',
        segmentor=segmentor,
        teacher=None if source_only else _teacher(uda['alpha']),
        labeller=dict(
            type='mic_mm.PixelLabeller',
            threshold=uda.get('pseudo_threshold', 0.968),
            ignore_top=uda['pseudo_weight_ignore_top'],
            ignore_bottom=uda['pseudo_weight_ignore_bottom']),
        objectives=terms)


def _teacher(alpha: float) -> dict:
    return dict(type='mic_mm.EMATeacher', alpha=alpha)


def _feature_distance(uda: Mapping[str, Any]) -> Optional[dict]:
    if not uda.get('imnet_feature_dist_lambda'):
        return None
    return dict(
        type='mic_mm.FeatureDistance',
        weight=uda['imnet_feature_dist_lambda'],
        classes=uda['imnet_feature_dist_classes'],
        min_ratio=uda['imnet_feature_dist_scale_min_ratio'])


def _color_aug(uda: Mapping[str, Any], share: str, blur: bool) -> dict:
    return dict(
        type='mic_mm.ColorAugmentation',
        share=share,
        jitter_probability=1 - uda['color_jitter_probability'],
        jitter=dict(strength=uda['color_jitter_strength']),
        blur_probability=0.5 if blur else 0.)


def _masked_consistency(uda: Mapping[str, Any]) -> dict:
    objective = dict(
        type='mic_mm.MaskedConsistency',
        weight=uda['mask_lambda'],
        **mask_options(uda['mask_mode'], uda),
        mask=dict(
            type='mic_mm.BlockMask',
            ratio=uda['mask_generator']['mask_ratio'],
            block_size=uda['mask_generator']['mask_block_size']))
    own_alpha = uda['mask_alpha'] != 'same'
    own_threshold = uda['mask_pseudo_threshold'] != 'same'
    if own_alpha or own_threshold:
        objective['teacher'] = _teacher(
            uda['mask_alpha'] if own_alpha else uda['alpha'])
    if own_threshold:
        objective['pseudo_threshold'] = uda['mask_pseudo_threshold']
    return objective


def mask_options(mode: str,
                 uda: Mapping[str, Any] = _PUBLISHED_COLOR) -> dict:
    """Options of ``MaskedConsistency`` for a mask mode of the original."""
    domain, augmented = re.fullmatch('separate(src|trg|)(aug|)',
                                     mode).groups()
    return dict(
        on=_DOMAINS[domain],
        color_aug=_color_aug(uda, 'batch', True) if augmented else None)


def recorded_batch(inputs: GoldenCase, use_valid_mask: bool = False) -> dict:
    """The recorded images as a batch of the loader: BGR, 8 bit."""
    source = _loaded(inputs['source_rgb'])
    for sample, label in zip(source['data_samples'], inputs['source_label']):
        sample.gt_sem_seg = PixelData(data=torch.from_numpy(label).long())
    target = _loaded(inputs['target_rgb'])
    if use_valid_mask:
        for sample, valid in zip(target['data_samples'],
                                 inputs['valid_mask']):
            sample.pseudo_label_valid = PixelData(
                data=torch.from_numpy(valid).float())
    return dict(source=source, target=target)


def _loaded(rgb: np.ndarray) -> dict:
    size = rgb.shape[-2:]
    bgr = torch.from_numpy(rgb).flip(1)
    return dict(
        inputs=list(bgr),
        data_samples=[
            SegDataSample(
                metainfo=dict(img_shape=size, ori_shape=size, pad_shape=size))
            for _ in bgr
        ])


def recorded_numbers(case: GoldenCase,
                     prefix: str,
                     terms: list[str],
                     source_labels: np.ndarray,
                     crop: Optional[dict] = None) -> dict[str, Any]:
    """The random numbers of an iteration by the names of ours.

    Args:
        case (GoldenCase): A whole iteration.
        prefix (str): Of its arrays, e.g. ``'it0/'``.
        terms (list[str]): Names of the objectives in order of evaluation.
        source_labels (np.ndarray): The labels of the batch, whose classes the
            recorded choice refers to.
        crop (dict, optional): ``size`` of the images, ``crop`` of HRDA's
            detail (height and width), and ``divisible``. Defaults to None.
    """
    numbers: dict[str, Any] = {}
    if 'self_training' in terms:
        numbers.update(_mix_numbers(case, prefix, source_labels))
    if 'mic' in terms:
        numbers.update(_mask_numbers(case, prefix))
    if f'{prefix}draw_hr_boxes' in case:
        for name, box in zip(terms, case[f'{prefix}draw_hr_boxes'].tolist()):
            for axis, offset, side, part in zip('yx', (box[0], box[2]),
                                                crop['size'], crop['crop']):
                numbers[f'{name}.detail_crop.{axis}'] = _as_uniform(
                    offset, side - part, crop['divisible'])
    return numbers


def _as_uniform(offset: int, margin: int, divisible: int) -> np.float32:
    choices = max((margin + 1) // divisible, 1)
    return np.float32((offset // divisible + 0.5) / choices)


def _mix_numbers(case: GoldenCase, prefix: str,
                 source_labels: np.ndarray) -> dict[str, Any]:
    numbers = _decisions(case, f'{prefix}draw_mix_', 'self_training.color.')
    name = f'{prefix}draw_mix_factors'
    if name in case:
        _add_factors(numbers, 'self_training.', case[name][:, 0])
        # The operation with the smallest key comes first.
        numbers['self_training.color.order_keys'] = np.argsort(
            case[f'{prefix}draw_mix_order'], axis=1) / 4
    if f'{prefix}draw_mix_sigma' in case:
        numbers['self_training.color.sigma'] = case[f'{prefix}draw_mix_sigma']
    numbers['self_training.classmix.keys'] = _class_keys(
        case[f'{prefix}draw_classmix_choice'], source_labels)
    return numbers


def _class_keys(choice: np.ndarray, labels: np.ndarray) -> np.ndarray:
    classes = np.unique(labels)
    keys = np.ones((len(choice), _NUM_LABELS), np.float32)
    for row, chosen in zip(keys, choice):
        row[classes[chosen]] = 0
    return keys


def _mask_numbers(case: GoldenCase, prefix: str) -> dict[str, Any]:
    numbers = _decisions(case, f'{prefix}draw_mic_', 'mic.color.')
    name = f'{prefix}draw_mic_factors'
    if name in case:
        _add_factors(numbers, 'mic.', case[name][0])
        numbers['mic.color.order'] = case[f'{prefix}draw_mic_order'][0]
    if f'{prefix}draw_mic_sigma' in case:
        numbers['mic.color.sigma'] = case[f'{prefix}draw_mic_sigma'][0]
    numbers['mic.mask.noise'] = case[f'{prefix}draw_block_noise']
    return numbers


def recorded_mask_numbers(case: GoldenCase, mode: str,
                          term: str) -> dict[str, Any]:
    """The random numbers of a mask mode by the names of objective ``term``."""
    numbers: dict[str, Any] = {f'{term}.mask.noise': case[f'{mode}/noise']}
    numbers.update(_decisions(case, f'{mode}/', f'{term}.color.'))
    if f'{mode}/factors' in case:
        _add_factors(numbers, f'{term}.', case[f'{mode}/factors'])
        numbers[f'{term}.color.order'] = case[f'{mode}/order']
    if f'{mode}/sigma' in case:
        numbers[f'{term}.color.sigma'] = case[f'{mode}/sigma']
    return numbers


def _decisions(case: GoldenCase, name: str, ours: str) -> dict[str, Any]:
    if f'{name}decisions' not in case:
        return {}
    jitter, blur = case[f'{name}decisions']
    return {f'{ours}jitter_decision': jitter, f'{ours}blur_decision': blur}


def _add_factors(numbers: dict, ours: str, factors: np.ndarray) -> None:
    for index, factor in enumerate(_FACTORS):
        numbers[f'{ours}color.{factor}'] = factors[:, index]


def recorded_segmentor(inputs: GoldenCase) -> dict:
    """Our segmentor and preprocessor of a case of inputs, as a config."""
    return dict(
        convert_model_config(inputs.config),
        data_preprocessor=dict(
            type='SegDataPreProcessor',
            mean=inputs['mean'].tolist(),
            std=inputs['std'].tolist(),
            bgr_to_rgb=True,
            pad_val=0,
            seg_pad_val=255,
            size=inputs['source_rgb'].shape[-2:]))


class ParameterTables:
    """Tables with a row for each parameter, in recorded order and names.

    Args:
        names (Sequence[str]): Names in the original.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)

    def norms(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """L2 norms of ours, by name."""
        return torch.stack([t.norm() for t in self._rows(tensors)])

    def heads(self, tensors: Mapping[str, Tensor], width: int = 16) -> Tensor:
        """The first values of ours, filled up with zeros."""
        return torch.stack([
            pad(t.flatten()[:width], (0, max(width - t.numel(), 0)))
            for t in self._rows(tensors)
        ])

    def _rows(self, tensors: Mapping[str, Tensor]) -> list[Tensor]:
        renamed = in_original_names(tensors)
        return [renamed[name].detach() for name in self.names]


def parameters_of(network: nn.Module) -> dict[str, Tensor]:
    """Parameters by name."""
    return dict(network.named_parameters())


def gradients_of(network: nn.Module) -> dict[str, Tensor]:
    """Copies of the gradients by name; zero where there is none."""
    return {
        name: torch.zeros_like(p) if p.grad is None else p.grad.clone()
        for name, p in network.named_parameters()
    }


def term_gradients(network: nn.Module,
                   loss: Tensor) -> dict[str, Tensor]:
    """The gradient of one term of the loss, whose graph is kept."""
    parameters = parameters_of(network)
    found = torch.autograd.grad(
        loss, parameters.values(), retain_graph=True, allow_unused=True)
    return {
        name: torch.zeros_like(p) if grad is None else grad
        for (name, p), grad in zip(parameters.items(), found)
    }
