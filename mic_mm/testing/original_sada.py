# Copyright (c) mic_mm authors. All rights reserved.
"""Recorded MIC(SADA) experiments of the original as ours."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mic_mm.det.checkpoints import convert_domain_heads, convert_weights

from .draws import RecordedDraws
from .golden import GoldenCase, load_golden
from .original_detector import image, keys_of, slim_detector, weights_of

PASSES = {'joint': 'student', 'mic': 'masked'}
_RUNS = {'adversarial': 'adv', 'consistency': 'consist'}
_DOMAIN_HEADS = 'da_heads.'


def sada_model_config(case: GoldenCase) -> dict:
    """Our model of the recorded iterations."""
    scales = load_golden('det', 'da_heads').config
    masking = load_golden('det', 'masking').config
    overrides = case.config['overrides']
    hidden = case.config['da_head_hidden']
    return dict(
        type='mic_mm.UDADetector',
        detector=slim_detector(case),
        teacher=dict(
            type='mic_mm.EMATeacher',
            alpha=load_golden('det', 'ema_teacher').config['alpha'],
            warmup=False),
        labeller=dict(
            type='mic_mm.BoxLabeller',
            threshold=overrides['MODEL.PSEUDO_LABEL_THRESHOLD']),
        objectives=dict(
            joint=dict(
                type='mic_mm.DomainAdversarialDetection',
                image_head=dict(
                    hidden_dim=hidden['image'],
                    gradient_scale=scales['DA_IMG_GRL_WEIGHT']),
                instance_head=dict(
                    hidden_dim=hidden['instance'],
                    gradient_scale=scales['DA_INS_GRL_WEIGHT'],
                    dropout=scales['dropout'],
                    first_level_only=True),
                consistency=dict(gradient_scale=scales['COS_WEIGHT'])),
            mic=dict(
                type='mic_mm.MaskedConsistency',
                weight=overrides['MODEL.PSEUDO_LABEL_LAMBDA'],
                exclude=('bbox', ),
                color_aug=dict(
                    type='mic_mm.ColorAugmentation',
                    jitter_probability=0.,
                    blur_probability=1.),
                mask=dict(
                    type='mic_mm.BlockMask',
                    ratio=masking['mask_ratio'],
                    block_size=masking['mask_block_size']))))


def load_recorded_weights(model: nn.Module, case: GoldenCase) -> None:
    """Load the recorded initial weights into student and classifiers."""
    weights = weights_of(case, 'init/')
    anchors = model.student.rpn_head.prior_generator.base_anchors
    missing = model.student.load_state_dict(
        convert_weights(weights, anchors), strict=False).missing_keys
    assert all(name.endswith('num_batches_tracked') for name in missing)
    model.objectives['joint'].heads.load_state_dict(
        convert_domain_heads(weights))


def recorded_batch(case: GoldenCase, iteration: int) -> dict:
    """The images of an iteration as a batch of the loader.

    They have the common size of the original's batch; what is padded there
    is the mean pixel here.
    """
    batch = {}
    for domain in ('source', 'target'):
        pixels = torch.from_numpy(
            case[f'iter{iteration}/{domain}_images']).float()
        mean = torch.tensor(case.config['mean_bgr']).view(3, 1, 1)
        samples = []
        for index, size in enumerate(case.config[f'{domain}_hw']):
            height, width = size
            pixels[index, :, height:] = mean
            pixels[index, :, :, width:] = mean
            samples.append(_sample(case, iteration, domain, index, size))
        batch[domain] = dict(inputs=list(pixels), data_samples=samples)
    return batch


def _sample(case: GoldenCase, iteration: int, domain: str, index: int, size):
    if domain == 'target':
        return image(size)
    prefix = f'iter{iteration}/source_gt'
    sample = image(size, case[f'{prefix}_boxes_img{index}'],
                   case[f'{prefix}_labels_img{index}'])
    sample.ignored_instances = InstanceData(bboxes=torch.zeros(0, 4))
    return sample


class SADADraws(RecordedDraws):
    """Recorded numbers, and the sampled regions among given candidates."""

    def find_regions(self, name: str, candidates: list[Tensor],
                     sampled: list[Tensor]) -> None:
        """Set the keys ``name`` by which ``sampled`` are drawn.

        Args:
            name (str): Name of the keys.
            candidates (list[Tensor]): Boxes of each image, (N, 4).
            sampled (list[Tensor]): Recorded boxes of each image, in the
                order of the candidates.
        """
        chosen = [
            match_boxes(ours, theirs)
            for ours, theirs in zip(candidates, sampled)
        ]
        self._numbers[name] = keys_of(chosen, max(map(len, candidates)))


def match_boxes(ours: Tensor, theirs: Tensor) -> Tensor:
    """Index in ``ours`` of each box of ``theirs``, each used once."""
    distance = torch.cdist(theirs.double(), ours.detach().double(), p=1)
    chosen = []
    for row in distance:
        index = int(row.argmin())
        distance[:, index] = torch.inf
        chosen.append(index)
    return torch.tensor(chosen)


def recorded_numbers(case: GoldenCase, iteration: int,
                     num_anchors: int) -> dict[str, Tensor]:
    """Numbers for :class:`SADADraws`; regions are yet to be found."""
    prefix = f'iter{iteration}/'
    numbers = {
        'mic.mask.noise': case[f'{prefix}mask_draw'],
        'mic.color.sigma': case[f'{prefix}sigma']
    }
    for run, short in _RUNS.items():
        for layer in (1, 2):
            keep = case[f'{prefix}student/dropout_keep_{short}_fc{layer}']
            numbers[f'joint.{run}.level0.dropout{layer}'] = keep.astype(
                np.float32)
    for objective, network_pass in PASSES.items():
        numbers[f'{objective}.rpn.sample_keys'] = keys_of(
            _sampled_anchors(case, prefix + network_pass), num_anchors)
    return numbers


def _sampled_anchors(case: GoldenCase, prefix: str) -> list[np.ndarray]:
    images = len(case.names(f'{prefix}/img*/rois'))
    return [
        np.concatenate([
            case[name] for kind in ('positive', 'negative')
            for name in case.names(f'{prefix}/img{index}/rpn_{kind}')
        ] or [np.zeros(0)]).astype(np.int64) for index in range(images)
    ]


def in_original_layout(tensors: Mapping[str, Tensor],
                       names: list[str]) -> dict[str, Tensor]:
    """Parameters of ours, or gradients, by the names of the original.

    The rows of the background's box regression, which we do not have, are
    NaN.

    Args:
        tensors (Mapping[str, Tensor]): The student's, and those of the domain
            classifiers as ``image_head.…`` and ``instance_head.…``.
        names (list[str]): Names in the original.
    """
    return {name: _in_original_layout(tensors, name) for name in names}


def _in_original_layout(tensors: Mapping[str, Tensor], name: str) -> Tensor:
    value = tensors[our_name(name)]
    if '.predictor.cls_score.' in name:
        return torch.cat([value[-1:], value[:-1]])
    if '.predictor.bbox_pred.' in name:
        return torch.cat([torch.full_like(value[:4], torch.nan), value])
    return value


def our_name(name: str) -> str:
    """Our name of a parameter of the original."""
    dummy = {name: torch.zeros(8)}
    if name.startswith(_DOMAIN_HEADS):
        return next(iter(convert_domain_heads(dummy)))
    return next(iter(convert_weights(dummy, [])))
