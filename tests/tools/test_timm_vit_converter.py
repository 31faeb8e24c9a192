# Copyright (c) mic_mm authors. All rights reserved.
"""The converted Vision Transformer computes what timm's does."""
import numpy as np
import pytest
import torch
import torch.nn.functional as F

pytest.importorskip('mmpretrain')

from mic_mm.cls.checkpoints import build_backbone  # noqa: E402

TOOL = 'model_converters/timm_vit_to_mmpretrain.py'
DIMS, DEPTH, HIDDEN, PATCH, SIDE, HEADS = 128, 2, 24, 4, 12, 2


@pytest.fixture
def convert(run_tool, tmp_path):
    """Runs the tool and gives the backbone that loads its file."""

    def run(src):
        dst = tmp_path / 'new' / 'vit.pth'
        run_tool(TOOL, src, dst)
        weights = torch.load(dst, weights_only=True)['state_dict']
        backbone = build_backbone(weights)
        backbone.load_state_dict(weights)
        backbone.eval()
        return backbone

    return run


def timm_weights(norm='norm'):
    """Random weights under the names of timm 0.5."""
    generator = torch.Generator().manual_seed(0)

    def random(*shape):
        return torch.randn(shape, generator=generator) * 0.2

    def linear(name, inputs, outputs):
        return {f'{name}.weight': random(outputs, inputs),
                f'{name}.bias': random(outputs)}

    weights = {
        'cls_token': random(1, 1, DIMS),
        'pos_embed': random(1, 1 + (SIDE // PATCH)**2, DIMS),
        'patch_embed.proj.weight': random(DIMS, 3, PATCH, PATCH),
        'patch_embed.proj.bias': random(DIMS),
        f'{norm}.weight': 1 + random(DIMS),
        f'{norm}.bias': random(DIMS),
        **linear('head', DIMS, 10)
    }
    for i in range(DEPTH):
        for name in ('norm1', 'norm2'):
            weights[f'blocks.{i}.{name}.weight'] = 1 + random(DIMS)
            weights[f'blocks.{i}.{name}.bias'] = random(DIMS)
        weights.update({
            **linear(f'blocks.{i}.attn.qkv', DIMS, 3 * DIMS),
            **linear(f'blocks.{i}.attn.proj', DIMS, DIMS),
            **linear(f'blocks.{i}.mlp.fc1', DIMS, HIDDEN),
            **linear(f'blocks.{i}.mlp.fc2', HIDDEN, DIMS)
        })
    return weights


def timm_forward(weights, images):
    """timm's VisionTransformer up to its tokens, in plain PyTorch."""

    def norm(name, x):
        return F.layer_norm(x, (DIMS, ), weights[f'{name}.weight'],
                            weights[f'{name}.bias'], eps=1e-6)

    def linear(name, x):
        return x @ weights[f'{name}.weight'].T + weights[f'{name}.bias']

    x = F.conv2d(images, weights['patch_embed.proj.weight'],
                 weights['patch_embed.proj.bias'], stride=PATCH)
    x = x.flatten(2).transpose(1, 2)
    cls_token = weights['cls_token'].expand(len(x), -1, -1)
    x = torch.cat([cls_token, x], dim=1) + weights['pos_embed']
    for i in range(DEPTH):
        qkv = linear(f'blocks.{i}.attn.qkv', norm(f'blocks.{i}.norm1', x))
        query, key, value = (
            part.unflatten(2, (HEADS, -1)).transpose(1, 2)
            for part in qkv.split(DIMS, dim=2))
        scores = query @ key.transpose(2, 3) / (DIMS // HEADS)**0.5
        mixed = (scores.softmax(dim=3) @ value).transpose(1, 2).flatten(2)
        x = x + linear(f'blocks.{i}.attn.proj', mixed)
        hidden = linear(f'blocks.{i}.mlp.fc1', norm(f'blocks.{i}.norm2', x))
        x = x + linear(f'blocks.{i}.mlp.fc2', F.gelu(hidden))
    return x, norm


@pytest.fixture
def images():
    return torch.randn(
        2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def test_features_are_those_of_timm(convert, tmp_path, images):
    weights = timm_weights()
    torch.save(weights, tmp_path / 'timm.pth')
    tokens, norm = timm_forward(weights, images)
    with torch.no_grad():
        features, = convert(tmp_path / 'timm.pth')(images)
    assert torch.allclose(features, norm('norm', tokens)[:, 0], atol=1e-5)


def test_features_of_the_mae_variant_are_those_of_timm(
        convert, tmp_path, images):
    weights = timm_weights('fc_norm')
    torch.save(dict(model=weights), tmp_path / 'mae.pth')
    tokens, norm = timm_forward(weights, images)
    with torch.no_grad():
        features, = convert(tmp_path / 'mae.pth')(images)
    expected = norm('fc_norm', tokens[:, 1:].mean(dim=1))
    assert torch.allclose(features, expected, atol=1e-5)


def google_arrays(weights):
    """The same weights in the layout of Google's .npz files."""
    def vector(name):
        return weights[name].numpy()

    arrays = {
        'cls': vector('cls_token'),
        'Transformer/posembed_input/pos_embedding': vector('pos_embed'),
        'embedding/kernel': np.einsum(
            'oihw->hwio', vector('patch_embed.proj.weight')),
        'embedding/bias': vector('patch_embed.proj.bias'),
        'Transformer/encoder_norm/scale': vector('norm.weight'),
        'Transformer/encoder_norm/bias': vector('norm.bias'),
        'head/kernel': np.einsum('oi->io', vector('head.weight')),
        'head/bias': vector('head.bias')
    }
    for i in range(DEPTH):
        ours, theirs = f'blocks.{i}.', f'Transformer/encoderblock_{i}/'
        for a, b in (('norm1', 'LayerNorm_0'), ('norm2', 'LayerNorm_2')):
            arrays[f'{theirs}{b}/scale'] = vector(f'{ours}{a}.weight')
            arrays[f'{theirs}{b}/bias'] = vector(f'{ours}{a}.bias')
        for a, b in (('fc1', 'Dense_0'), ('fc2', 'Dense_1')):
            arrays[f'{theirs}MlpBlock_3/{b}/kernel'] = np.einsum(
                'oi->io', vector(f'{ours}mlp.{a}.weight'))
            arrays[f'{theirs}MlpBlock_3/{b}/bias'] = vector(
                f'{ours}mlp.{a}.bias')
        place = f'{theirs}MultiHeadDotProductAttention_1/'
        size = DIMS // HEADS
        for n, name in enumerate(('query', 'key', 'value')):
            rows = slice(n * DIMS, (n + 1) * DIMS)
            kernel = vector(f'{ours}attn.qkv.weight')[rows]
            arrays[f'{place}{name}/kernel'] = np.einsum(
                'hsi->ihs', kernel.reshape(HEADS, size, DIMS))
            arrays[f'{place}{name}/bias'] = vector(
                f'{ours}attn.qkv.bias')[rows].reshape(HEADS, size)
        arrays[f'{place}out/kernel'] = np.einsum(
            'ohs->hso',
            vector(f'{ours}attn.proj.weight').reshape(DIMS, HEADS, size))
        arrays[f'{place}out/bias'] = vector(f'{ours}attn.proj.bias')
    return arrays


def test_files_of_google_give_the_same(convert, tmp_path, images):
    weights = timm_weights()
    torch.save(weights, tmp_path / 'timm.pth')
    np.savez(tmp_path / 'google.npz', **google_arrays(weights))
    expected = convert(tmp_path / 'timm.pth').state_dict()
    actual = convert(tmp_path / 'google.npz').state_dict()
    assert expected.keys() == actual.keys()
    for key in expected:
        assert torch.equal(expected[key], actual[key]), key


@pytest.mark.parametrize('key, value, message', [
    ('blocks.1.mlp.fc2.bias', None, '1 weights not set: layers.1'),
    ('blocks.0.ls1.gamma', torch.ones(DIMS), "'blocks.0.ls1.gamma' is no"),
    ('blocks.0.attn.proj.bias', torch.ones(3), 'layers.0.attn.proj.bias: (3,) in'),
])
def test_other_weights_are_refused(
        convert, tmp_path, capsys, key, value, message):
    weights = timm_weights()
    weights[key] = value
    weights = {k: v for k, v in weights.items() if v is not None}
    torch.save(weights, tmp_path / 'timm.pth')
    with pytest.raises(SystemExit) as end:
        convert(tmp_path / 'timm.pth')
    assert end.value.code == 2
    assert message in ' '.join(capsys.readouterr().err.split())
    assert not (tmp_path / 'new').exists()


@pytest.mark.parametrize('content, message', [
    ([1, 2], 'this file has a list'),
    ({'patch_embed.proj.weight': torch.ones(DIMS + 1, 3, PATCH, PATCH)},
     f'width {DIMS + 1} is no multiple'),
    ({'a': torch.ones(1)}, "'a' is no weight of a plain"),
    ({'cls_token': torch.ones(1)}, "there is no 'patch_embed.projection.weight'"),
])
def test_files_of_another_kind_or_width_are_refused(
        convert, tmp_path, capsys, content, message):
    torch.save(content, tmp_path / 'other.pth')
    with pytest.raises(SystemExit):
        convert(tmp_path / 'other.pth')
    assert message in ' '.join(capsys.readouterr().err.split())


@pytest.mark.parametrize('suffix', ['npz', 'pth'])
def test_files_that_are_none_are_refused(suffix, convert, tmp_path, capsys):
    (tmp_path / f'text.{suffix}').write_text('PK no weights')
    for name in (f'text.{suffix}', f'gone.{suffix}'):
        with pytest.raises(SystemExit) as end:
            convert(tmp_path / name)
        assert end.value.code == 2 and name in capsys.readouterr().err
