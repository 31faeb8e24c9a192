# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
import torch.nn.functional as F

from mic_mm.cls.objectives.domain_adversarial import ConditionalAdversarial, DomainAdversarial
from mic_mm.cls.objectives.domain_term import DomainOutputs
from mic_mm.cls.objectives.entropy import certainty_weights
from mic_mm.cls.objectives.multilinear_map import MultilinearMap, RandomizedMultilinearMap
from mic_mm.testing.golden import load_golden

VARIANTS = [(kind, entropy) for kind in ('deterministic', 'randomized')
            for entropy in ('off', 'on')]


def recorded_term(case, kind, entropy):
    config = case.config
    term = ConditionalAdversarial(
        num_classes=config['num_classes'],
        feature_dim=config['features_dim'],
        hidden_dim=config['discriminator_hidden_size'],
        randomized=kind == 'randomized',
        randomized_dim=config['randomized_dim'],
        entropy_conditioning=entropy == 'on',
        warmup_iterations=config['grl_max_iters'])
    prefix = f'{kind}/discriminator/'
    term.discriminator.load_state_dict({
        name.removeprefix(prefix): torch.tensor(case[name])
        for name in case.names(f'{prefix}*')
    })
    term.reversal.load_state_dict(
        dict(steps=torch.tensor(config['grl_iter_num'])))
    if kind == 'randomized':
        term.map.load_state_dict(
            dict(
                feature_matrix=torch.tensor(case['Rf']),
                class_matrix=torch.tensor(case['Rg'])))
    return term


@pytest.mark.golden
@pytest.mark.parametrize('kind, entropy', VARIANTS)
def test_recorded_loss_is_reproduced__cls_cdan_loss(kind, entropy):
    case = load_golden('cls', 'cdan_loss')
    term = recorded_term(case, kind, entropy)
    case.assert_within('grl_coefficient', term.reversal.coefficient())
    tensors = {
        name: torch.tensor(case[name], requires_grad=True)
        for name in ('f_s', 'g_s', 'f_t', 'g_t')
    }
    outputs = DomainOutputs(*tensors.values())
    mapped = term.map(outputs.features, outputs.logits.softmax(dim=1))
    case.assert_within(f'{kind}/map', mapped)

    losses = term(outputs)
    losses['loss'].backward()
    at = f'{kind}/entropy_{entropy}'
    case.assert_within(f'{at}/loss', losses['loss'])
    case.assert_within(f'{at}/domain_accuracy', losses['domain_accuracy'])
    for name in ('f_s', 'f_t'):
        case.assert_within(f'{at}/grad_{name}', tensors[name].grad)
    for name in ('g_s', 'g_t'):
        assert tensors[name].grad is None
    check_discriminator(case, at, term.discriminator)


def check_discriminator(case, at, discriminator):
    parameters = dict(discriminator.named_parameters())
    assert len(case.names(f'{at}/discriminator_grad/*')) == len(parameters)
    for name, parameter in parameters.items():
        case.assert_within(f'{at}/discriminator_grad/{name}', parameter.grad)
    for name, value in discriminator.named_buffers():
        case.assert_within(f'{at}/discriminator_buffers/{name}', value)


def outputs_of(count_s=4, count_t=3, dim=5, classes=3, dtype=torch.double):
    torch.manual_seed(0)
    return DomainOutputs(*(torch.randn(*shape, dtype=dtype)
                           for shape in ((count_s, dim), (count_s, classes),
                                         (count_t, dim), (count_t, classes))))


def test_map_is_class_major():
    mapped = MultilinearMap(2, 3)(
        torch.tensor([[2., 3.]]), torch.tensor([[1., 10., 100.]]))
    assert mapped.tolist() == [[2., 3., 20., 30., 200., 300.]]


def test_randomized_map_preserves_inner_products_on_average():
    torch.manual_seed(0)
    f, g = torch.randn(2, 4), torch.rand(2, 3)
    exact = MultilinearMap(4, 3)(f, g)
    approximate = RandomizedMultilinearMap(4, 3, 200_000)(f, g)
    torch.testing.assert_close(
        approximate @ approximate.t(), exact @ exact.t(), rtol=0.1, atol=0.1)


def test_matrices_are_saved_with_the_model():
    options = dict(num_classes=3, feature_dim=5, randomized=True,
                   randomized_dim=7)
    saved, loaded = (ConditionalAdversarial(**options) for _ in range(2))
    assert not torch.equal(saved.map.feature_matrix, loaded.map.feature_matrix)
    loaded.load_state_dict(saved.state_dict())
    assert torch.equal(saved.map.feature_matrix, loaded.map.feature_matrix)
    assert torch.equal(saved.map.class_matrix, loaded.map.class_matrix)
    assert not any('matrix' in name for name, _ in saved.named_parameters())


@pytest.mark.parametrize('entropy', [False, True])
def test_gradient_agrees_with_finite_differences(entropy):
    term = ConditionalAdversarial(
        3, 5, hidden_dim=6, entropy_conditioning=entropy).double()
    term.reversal.high = term.reversal.low = -1.  # not reversed
    given = outputs_of()

    def loss(f_s, f_t):
        return term(
            DomainOutputs(f_s, given.source_logits, f_t,
                          given.target_logits))['loss']

    inputs = [
        f.clone().requires_grad_()
        for f in (given.source_features, given.target_features)
    ]
    assert torch.autograd.gradcheck(loss, inputs)


def test_entropy_conditioning_weights_the_cross_entropy():
    term = ConditionalAdversarial(
        3, 5, hidden_dim=6, entropy_conditioning=True, weight=2.).double()
    given = outputs_of()
    g = given.logits.softmax(dim=1)
    probabilities = torch.sigmoid(
        term.discriminator(torch.einsum('ic,id->icd', g,
                                        given.features).flatten(1)))
    labels = torch.tensor([1., 1., 1., 1., 0., 0., 0.], dtype=torch.double)
    cross_entropy = F.binary_cross_entropy(
        probabilities, labels, reduction='none')
    expected = 2 * (certainty_weights(g) * cross_entropy).mean()
    torch.testing.assert_close(term(given)['loss'], expected)


def test_features_ascend_where_the_discriminator_descends():
    term = DomainAdversarial(
        5, hidden_dim=8, batch_norm=False, warmup_iterations=0).double()
    given = outputs_of()
    features = given.source_features.clone().requires_grad_()
    outputs = DomainOutputs(features, given.source_logits,
                            given.target_features, given.target_logits)
    before = term(outputs)['loss']
    before.backward()
    with torch.no_grad():
        ascended = DomainOutputs(features - 0.01 * features.grad,
                                 *list(vars(outputs).values())[1:])
        assert term(ascended)['loss'] > before
        for parameter in term.parameters():
            parameter -= 0.01 * parameter.grad
        assert term(outputs)['loss'] < before


def test_plain_discriminator_sees_the_features():
    term = DomainAdversarial(5, hidden_dim=8, batch_norm=False, dropout=0.5)
    given = outputs_of(dtype=torch.float)
    term.eval()
    logits = term.discriminator(given.features)
    expected = (-F.logsigmoid(logits[:4]).sum() -
                F.logsigmoid(-logits[4:]).sum()) / 7
    torch.testing.assert_close(term(given)['loss'], expected)
    right = int((logits[:4] >= 0).sum() + (logits[4:] < 0).sum())
    assert term(given)['domain_accuracy'].item() == pytest.approx(
        100 * right / 7)
    # Linear, ReLU, Dropout, twice, and a last Linear: the original's variant.
    assert set(term.discriminator.state_dict()) == {
        f'{layer}.{name}' for layer in (0, 3, 6)
        for name in ('weight', 'bias')
    }


@pytest.mark.parametrize('options, match', [
    (dict(feature_dim=0), 'feature_dim=0'),
    (dict(num_classes=-1), 'num_classes=-1'),
    (dict(hidden_dim=0), 'hidden_dim=0'),
    (dict(randomized_dim=0), 'randomized_dim=0'),
    (dict(weight=-1), 'weight=-1'),
])
def test_values_out_of_range_are_refused(options, match):
    with pytest.raises(ValueError, match=match):
        ConditionalAdversarial(**dict(num_classes=3, feature_dim=5) | options)


@pytest.mark.parametrize('options, remedy', [
    (dict(feature_dim=6), 'Set feature_dim=5'),
    (dict(num_classes=4), 'Set num_classes=3'),
])
def test_sizes_that_do_not_fit_the_student_are_refused(options, remedy):
    term = ConditionalAdversarial(
        **dict(num_classes=3, feature_dim=5, hidden_dim=4) | options)
    with pytest.raises(ValueError, match=remedy):
        term(outputs_of(dtype=torch.float))
