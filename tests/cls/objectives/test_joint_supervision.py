# Copyright (c) mic_mm authors. All rights reserved.
import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper

from mic_mm.cls.objectives.domain_term import DomainTerm
from mic_mm.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from mic_mm.testing.batches import cls_batch, without_labels
from mic_mm.testing.models import tiny_classifier

TERMS = dict(
    mcc=dict(type='mic_mm.MinimumClassConfusion'),
    cdan=dict(
        type='mic_mm.ConditionalAdversarial',
        num_classes=4,
        feature_dim=6,
        hidden_dim=8))
MIC = dict(
    type='mic_mm.MaskedConsistency',
    mask=dict(type='mic_mm.BlockMask', ratio=0.5, block_size=8))


def with_bottleneck(classifier, in_channels=8, gap_dim=2):
    classifier['neck'] = dict(
        type='LinearNeck',
        in_channels=in_channels,
        out_channels=6,
        gap_dim=gap_dim,
        act_cfg=dict(type='ReLU'))
    classifier['head'].update(in_channels=6, init_cfg=None)
    return classifier


def vision_transformer():
    classifier = tiny_classifier()
    classifier['backbone'] = dict(
        type='VisionTransformer',
        arch=dict(
            embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=16),
        img_size=32,
        patch_size=8)
    return with_bottleneck(classifier, in_channels=16, gap_dim=0)


def build(classifier=None, terms=TERMS, **objectives):
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='mic_mm.UDAClassifier',
            classifier=classifier or with_bottleneck(tiny_classifier()),
            teacher=dict(type='mic_mm.EMATeacher'),
            objectives=dict(
                joint=dict(type='mic_mm.JointSupervision', terms=terms),
                **objectives))).train()


def pair(count=4):
    return dict(
        source=cls_batch(0, count), target=without_labels(cls_batch(9, count)))


def sgd(model):
    return OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))


def losses_of(model, data=None):
    model.update_teachers()
    batch = model.prepare(model.data_preprocessor(data or pair(), True))
    return batch, model.objectives['joint'](batch, model.student, None)


def test_both_domains_are_normalised_together():
    model, plain = build(), build().student
    batch, losses = losses_of(model)
    logits = plain(torch.cat([batch.source.inputs, batch.target.inputs]))
    labels = torch.cat([s.gt_label for s in batch.source.data_samples])
    torch.testing.assert_close(losses['source.loss'],
                               F.cross_entropy(logits[:4], labels))
    assert not torch.allclose(losses['source.loss'],
                              F.cross_entropy(
                                  plain(batch.source.inputs), labels))


def test_terms_see_features_and_logits_of_each_domain():
    model = build()
    seen = []
    model.objectives['joint'].terms['mcc'].register_forward_hook(
        lambda module, inputs, output: seen.append(inputs[0]))
    batch, _ = losses_of(model)
    plain = build().student
    features, = plain.extract_feat(
        torch.cat([batch.source.inputs, batch.target.inputs]))
    logits = plain.head((features, ))
    outputs, = seen
    for ours, theirs in ((outputs.source_features, features[:4]),
                         (outputs.target_features, features[4:]),
                         (outputs.source_logits, logits[:4]),
                         (outputs.target_logits, logits[4:])):
        torch.testing.assert_close(ours, theirs)


def test_the_student_runs_once():
    model = build()
    sizes = []
    for part in ('backbone', 'neck'):
        getattr(model.student, part).register_forward_hook(
            lambda module, inputs, output: sizes.append(len(output[0])))
    losses_of(model)
    assert sizes == [8, 8]


@pytest.mark.parametrize('off', ['mcc', 'cdan'])
def test_none_switches_a_term_off(off):
    _, losses = losses_of(build(terms=dict(TERMS, **{off: None})))
    assert not any(name.startswith(off) for name in losses)
    assert len([name for name in losses if 'loss' in name]) == 2


def test_without_terms_it_is_source_supervision_with_joint_statistics():
    for terms in (None, dict()):
        _, losses = losses_of(build(terms=terms))
        assert list(losses) == ['source.loss']


def test_ascent_leaves_the_adversarial_term_out():
    model = build()
    model.update_teachers()
    batch = model.prepare(model.data_preprocessor(pair(), True))
    batch.is_ascent = True
    losses = model.objectives['joint'](batch, model.student, None)
    assert set(losses) == {'source.loss', 'mcc.loss'}
    assert model.objectives['joint'].terms['cdan'].reversal.steps == 0


@pytest.mark.parametrize('make', [
    lambda: with_bottleneck(tiny_classifier()), vision_transformer,
    tiny_classifier
])
def test_trains_stock_classifiers(make):
    classifier = make()
    terms = dict(
        TERMS,
        cdan=dict(
            TERMS['cdan'], feature_dim=classifier['head']['in_channels']))
    model = build(classifier, terms, mic=MIC)
    before = {k: v.clone() for k, v in model.named_parameters()}
    model.update_teachers()
    model.objectives['joint'].terms['cdan'].reversal.low = 0.5
    logs = model.train_step(pair(), sgd(model))
    assert {
        'joint.source.loss', 'joint.mcc.loss', 'joint.cdan.loss',
        'joint.cdan.domain_accuracy', 'mic.loss'
    } <= set(logs)
    parts = [v for k, v in logs.items() if 'loss' in k and k != 'loss']
    torch.testing.assert_close(logs['loss'], sum(parts))
    moved = {
        name.rsplit('.', 1)[0]
        for name, parameter in model.named_parameters()
        if not torch.equal(parameter, before[name])
    }
    assert 'student.head.fc' in moved
    assert 'objectives.joint.terms.cdan.discriminator.0' in moved
    assert any(name.startswith('student.backbone') for name in moved)


def test_discriminator_is_trained_under_its_own_name():
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.build(
        dict(
            type='mic_mm.UDAOptimWrapperConstructor',
            optim_wrapper_cfg=dict(optimizer=dict(type='SGD', lr=1.)),
            paramwise_cfg=dict(
                custom_keys={
                    'backbone': dict(lr_mult=0.1),
                    'objectives.joint.terms.cdan': dict(lr_mult=0.5)
                })))
    model = build()
    rates = {
        id(p): group['lr']
        for group in constructor(model).param_groups for p in group['params']
    }
    discriminator = model.objectives['joint'].terms['cdan'].discriminator
    for part, rate in ((model.student.backbone, 0.1),
                       (model.student.neck, 1.), (model.student.head, 1.),
                       (discriminator, 0.5)):
        assert {rates[id(p)] for p in part.parameters()} == {rate}


def test_terms_are_computed_in_full_precision():
    model = build()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        _, losses = losses_of(model)
        sum(v for k, v in losses.items() if 'loss' in k).backward()
    assert losses['cdan.loss'].dtype == torch.float32
    _, exact = losses_of(build())
    for name in ('source.loss', 'mcc.loss', 'cdan.loss'):
        torch.testing.assert_close(
            losses[name].float(), exact[name], rtol=0.05, atol=0.01)


def test_resumed_training_continues_the_warm_start():
    straight = build()
    for _ in range(3):
        straight.update_teachers()
        straight.train_step(pair(), sgd(straight))
    resumed = build()
    resumed.load_state_dict(straight.state_dict())
    reversals = [
        m.objectives['joint'].terms['cdan'].reversal
        for m in (straight, resumed)
    ]
    assert reversals[0].coefficient() == reversals[1].coefficient() > 0


def head_without_fc():
    classifier = with_bottleneck(tiny_classifier())
    classifier['head'] = dict(
        type='ClsHead', loss=dict(type='CrossEntropyLoss'))
    return classifier


def head_with_its_own_loss():
    classifier = with_bottleneck(tiny_classifier())
    classifier['head'] = dict(
        type='MultiLabelLinearClsHead', num_classes=4, in_channels=6)
    return classifier


@pytest.mark.parametrize('make, name', [
    (head_without_fc, 'ClsHead'),
    (head_with_its_own_loss, 'MultiLabelLinearClsHead'),
])
def test_head_without_features_and_logits_is_refused(make, name):
    with pytest.raises(TypeError, match=f'the head is a {name}'):
        build(make())


def test_feature_map_is_refused_with_the_remedy():
    classifier = tiny_classifier()
    classifier['neck'] = None
    with pytest.raises(ValueError, match='gap_dim=2'):
        losses_of(build(classifier))


def test_label_mixing_augmentation_is_refused():
    classifier = with_bottleneck(tiny_classifier())
    classifier['data_preprocessor']['batch_augments'] = dict(
        augments=dict(type='Mixup', alpha=0.8))
    with pytest.raises(ValueError, match='batch_augments'):
        build(classifier)


def test_missing_target_is_refused():
    model = build()
    with pytest.raises(ValueError, match="'joint'.* need target images"):
        losses_of(model, dict(source=pair()['source']))


def test_batch_of_one_is_refused_where_vectors_are_normalised():
    model = build(mic=MIC)
    model.update_teachers()
    with pytest.raises(ValueError, match="'neck.norm'.*batch_size"):
        model.train_step(pair(count=1), sgd(model))


@MODELS.register_module()
class Nothing(torch.nn.Module):
    """No term."""


def test_entry_that_is_no_term_is_refused():
    assert not issubclass(Nothing, DomainTerm)
    with pytest.raises(TypeError, match='terms.mcc is a Nothing'):
        build(terms=dict(mcc=dict(type='mic_mm.Nothing')))


@pytest.mark.parametrize('name', ['source', 'mcc_loss'])
def test_term_name_that_cannot_be_logged_is_refused(name):
    with pytest.raises(ValueError, match=f"named '{name}'"):
        build(terms={name: TERMS['mcc']})
