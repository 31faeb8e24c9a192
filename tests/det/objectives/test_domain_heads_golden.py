# Copyright (c) mic_mm authors. All rights reserved.
"""Domain classifiers, consistency and gradient scaling, as recorded."""
import re

import numpy as np
import pytest
import torch

from mic_mm.core.gradient_reversal import scale_gradient
from mic_mm.det.geometry import InclusiveRoIExtractor
from mic_mm.det.objectives import DomainHeads, ImageDomainHead, InstanceDomainHead, RegionFeatures
from mic_mm.det.objectives.domain_heads import ADVERSARIAL, CONSISTENCY
from mic_mm.det.objectives.image_domain_head import image_domain_loss
from mic_mm.testing.draws import RecordedDraws
from mic_mm.testing.golden import load_golden

pytestmark = pytest.mark.golden
SUBCASES = ['slim_nodrop', 'slim_drop', 'full_nodrop']
RUNS = {ADVERSARIAL: 'adv', CONSISTENCY: 'consist'}


def build_heads(config, channels=(3,), roi_dim=12, width='slim', dropout=0.):
    hidden = config.get(f'{width}_hidden', {'image': 1, 'instance': 1})
    return DomainHeads(
        ImageDomainHead(channels, hidden['image'], config['DA_IMG_GRL_WEIGHT']),
        InstanceDomainHead(
            roi_dim, len(config.get('pooler', {'scales': [1]})['scales']),
            hidden['instance'], config['DA_INS_GRL_WEIGHT'], dropout, first_level_only=True),
        config['COS_WEIGHT'])


@pytest.mark.parametrize('name, level, run', [
    ('grl_img', 'image', ADVERSARIAL), ('grl_ins', 'instance', ADVERSARIAL),
    ('grl_img_consist', 'image', CONSISTENCY), ('grl_ins_consist', 'instance', CONSISTENCY)])
def test_det_gradient_scaling_equals_the_original(name, level, run):
    case = load_golden('det', 'gradient_scaling')
    heads = build_heads(case.config)
    factor = heads.factor(getattr(heads, f'{level}_head'), run)
    x = torch.from_numpy(case['x']).requires_grad_()
    output = scale_gradient(x, factor)
    assert torch.equal(output, x)
    output.backward(torch.from_numpy(case['grad_output']))
    case.assert_within(f'{name}/factor', np.float64(factor))
    case.assert_within(f'{name}/grad_input', x.grad)


class Recorded:
    """A sub-case of the recording and the same in our modules."""

    def __init__(self, sub):
        self.case, self.sub = load_golden('det', 'da_heads'), sub
        config = self.case.config
        self.width = sub.split('_')[0]
        self.features = [
            torch.from_numpy(self.case[n]).requires_grad_() for n in self.case.names('feature_P*')]
        roi_feature = torch.from_numpy(self.case['roi_feature']).requires_grad_()
        dropout = config['dropout'] if sub.endswith('_drop') else 0.
        self.heads = build_heads(
            config, [f.shape[1] for f in self.features], roi_feature.shape[1], self.width,
            dropout).train()
        self.heads.load_state_dict({our_name(k): v for k, v in self.weights().items()})
        self.regions = RegionFeatures(
            self.rois(), roi_feature,
            torch.from_numpy(self.case['roi_domain']).float(), self.extractor())
        sources, targets = config['images_source'], config['images_target']
        self.is_source = torch.tensor([1.] * sources + [0.] * targets)

    def rois(self):
        names = self.case.names('rois_img*')
        return torch.cat([
            torch.cat([torch.full((len(self.case[n]), 1), float(i)),
                       torch.from_numpy(self.case[n])], dim=1) for i, n in enumerate(names)])

    def extractor(self):
        pooler = self.case.config['pooler']
        layer = dict(
            type='RoIAlign', output_size=pooler['resolution'], aligned=pooler['aligned'],
            sampling_ratio=pooler['sampling_ratio'])
        strides = [round(1 / scale) for scale in pooler['scales']]
        return InclusiveRoIExtractor(
            roi_layer=layer, out_channels=self.case.config['fpn_channels'],
            featmap_strides=strides)

    def weights(self):
        if self.width == 'slim':
            return {n.removeprefix('slim/'): torch.from_numpy(self.case[n])
                    for n in self.case.names('slim/*')}
        return self.recipe()

    def recipe(self):
        """Weights of original width, by the rule the manifest states."""
        text = self.case.config['full_width_recipe']
        base, factor = map(int, re.search(r'RandomState\((\d+)\*(\d+)', text).groups())
        offset = int(re.search(rf'{base}\+(\d+)', text).group(1))
        bias_std, scale = map(float, re.search(
            r'std = ([\d.]+) for biases and ([\d.]+)/sqrt', text).groups())
        weights = {}
        shapes = {original_name(k): v.shape for k, v in self.heads.state_dict().items()}
        for head, seed in (('imghead', base), ('inshead', base + offset)):
            keys = sorted(key for key in shapes if key.startswith(head))
            for index, key in enumerate(keys):
                shape = shapes[key]
                std = bias_std if key.endswith('bias') else scale / np.sqrt(np.prod(shape[1:]))
                drawn = np.random.RandomState(seed * factor + index).standard_normal(shape)
                weights[key] = torch.from_numpy((drawn * std).astype(np.float32))
        return weights

    def draws(self):
        numbers = {}
        if self.sub.endswith('_drop'):
            for run, short in RUNS.items():
                for layer in (1, 2):
                    keep = self.case[f'{self.sub}/keep_{short}_fc{layer}']
                    numbers[f'{run}.level0.dropout{layer}'] = keep.astype(np.float32)
        return RecordedDraws(numbers)

    def check(self, name, actual):
        name = f'{self.sub}/{name}'
        assert name in self.case, name
        self.case.assert_within(name, actual)
        self.checked.add(name)

    def check_gradients(self, loss, term):
        """Recorded gradients, and none where the original has none."""
        prefix = f'grad_{term}'
        named = {original_name(n): p for n, p in self.heads.named_parameters()}
        tensors = dict({f'feature_P{i + 2}': f for i, f in enumerate(self.features)},
                       roi_feature=self.regions.features, **named)
        grads = torch.autograd.grad(
            loss, tensors.values(), retain_graph=True, allow_unused=True)
        grads = dict(zip(tensors, grads))
        without = self.case.config['parameters_without_gradient'][term]
        assert set(without) == {n for n in named if grads[n] is None}
        kind = 'params' if self.width == 'slim' else 'param_norm'
        for name, grad in grads.items():
            path = f'{prefix}/{kind}/{name}' if name in named else f'{prefix}/{name}'
            if grad is None:
                assert f'{self.sub}/{path}' not in self.case, name
            elif f'{self.sub}/{path}' in self.case:
                is_norm = name in named and kind == 'param_norm'
                self.check(path, grad.norm() if is_norm else grad)
            elif f'{self.sub}/{path}_norm' in self.case:
                self.check(f'{path}_norm', grad.norm())
            else:
                assert not grad.any(), f'{name} has no gradient in the original'


def our_name(key):
    head, kind, layer, level, leaf = re.fullmatch(
        r'(\w+)\.da_\w+?_(conv|fc)(\d)_level(\d)\.(\w+)', key).groups()
    ours = {'imghead': 'image_head', 'inshead': 'instance_head'}[head]
    return f'{ours}.levels.{level}.{kind}{layer}.{leaf}'


def original_name(key):
    head, level, layer, leaf = re.fullmatch(r'(\w+)\.levels\.(\d)\.(\w+)\.(\w+)', key).groups()
    head, short = {'image_head': ('imghead', 'img'), 'instance_head': ('inshead', 'ins')}[head]
    return f'{head}.da_{short}_{layer}_level{level}.{leaf}'


@pytest.mark.parametrize('sub', SUBCASES)
def test_det_domain_heads_equal_the_original(sub):
    recorded = Recorded(sub)
    recorded.checked = set()
    case, heads = recorded.case, recorded.heads
    draws = recorded.draws()
    losses = heads(recorded.features, recorded.is_source, recorded.regions, draws)
    draws.assert_all_used()
    case.assert_within('roi_level', recorded.regions.levels)
    for term in ('image', 'instance', 'consistency'):
        recorded.check(f'loss_da_{term}', losses[f'{term}.loss'])
        recorded.check_gradients(losses[f'{term}.loss'], term)
    for index, logits in enumerate(heads.image_logits(recorded.features, ADVERSARIAL)):
        if f'{sub}/image_logits_P{index + 2}' in case:
            recorded.check(f'image_logits_P{index + 2}', logits)
    for run, suffix in ((ADVERSARIAL, ''), (CONSISTENCY, '_consist')):
        logits = heads.instance_logits(recorded.regions, run, draws)
        recorded.check(f'instance_logits{suffix}', logits[:, None])
        assert not logits[recorded.regions.levels > 0].any()
    draw_names = case.names(f'{sub}/keep_*')
    assert recorded.checked == set(case.names(f'{sub}/*')) - set(draw_names)


def test_det_domain_heads_have_every_recorded_subcase():
    case = load_golden('det', 'da_heads')
    found = {name.split('/')[0] for name in case.names('*/loss_da_image')}
    assert found == set(SUBCASES)


def test_det_domain_loss_notices_maps_enlarged_without_aligned_corners():
    recorded = Recorded('slim_nodrop')
    logits = recorded.heads.image_logits(recorded.features, ADVERSARIAL)
    size = logits[0].shape[-2:]
    enlarged = [torch.nn.functional.interpolate(x, size=size, mode='bilinear') for x in logits]
    with pytest.raises(AssertionError):
        recorded.case.assert_within(
            'slim_nodrop/loss_da_image', image_domain_loss(enlarged, recorded.is_source))
