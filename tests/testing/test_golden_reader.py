# Copyright (c) mic_mm authors. All rights reserved.
import json

import numpy as np
import pytest

from mic_mm.testing.golden import ROOT_VARIABLE, list_golden, load_golden


@pytest.fixture
def recording(tmp_path, monkeypatch):
    """A recording with a case in each layout of the manifests, variant B."""
    rules = [
        dict(arrays='loss_*', rtol=1e-3),
        dict(arrays='it0/grad/*', atol_gmax=0.1),
        dict(arrays='*', exact=True),
    ]
    seg = dict(
        variant='B',
        files=[
            dict(file='case01_mask_B.npz', config=dict(side=4),
                 tolerances=rules),
            dict(file='case10_head_B.npz', tolerances=[]),
            dict(file='case10b_head_B.npz', tolerances=[]),
        ])
    assertions = [
        dict(compare='T*/loss, T*/entropy', rtol=0, atol=0.1, note=''),
        dict(compare='grad', rtol=0, atol=1e-8, atol_of_peak=0.01),
    ]
    cls = dict(
        variant='B',
        fixtures=[dict(id='mcc', file='mcc_B.npz', assertions=assertions)])
    for task, manifest in (('seg', seg), ('cls', cls)):
        (tmp_path / task).mkdir()
        (tmp_path / task / 'manifest.json').write_text(json.dumps(manifest))
    np.savez(
        tmp_path / 'seg' / 'case01_mask_B.npz', **{
            'loss_a': np.float32(2.),
            'label': np.arange(6, dtype=np.uint8).reshape(2, 3),
            'it0/grad/w': np.array([3., 4.]),
            'it0/grad/b': np.array([0.1]),
        })
    np.savez(
        tmp_path / 'cls' / 'mcc_B.npz', **{
            'T2/loss': 1.,
            'grad': np.array([10., 0.])
        })
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    return tmp_path


def test_load_golden__finds_files_through_the_manifest(recording):
    case = load_golden('seg', 'case01')
    assert case.config == dict(side=4)
    assert case.names('l*') == ['loss_a', 'label']
    assert 'label' in case and 'image' not in case
    assert case['label'].shape == (2, 3)


@pytest.mark.parametrize('identifier', ['case01_mask_B.npz', 'case01_mask',
                                        'case01'])
def test_load_golden__takes_file_name_or_identifier(recording, identifier):
    assert load_golden('seg', identifier).path.name == 'case01_mask_B.npz'


def test_list_golden__leaves_out_files_that_are_not_there(recording):
    assert list_golden('seg') == ['case01_mask']
    assert list_golden('cls') == ['mcc']


def test_assert_within__applies_the_first_rule_that_matches(recording):
    case = load_golden('seg', 'case01')
    case.assert_within('loss_a', 2.0019)
    with pytest.raises(AssertionError, match='case01_mask_B.npz: loss_a'):
        case.assert_within('loss_a', 2.0021)
    case.assert_within('label', [[0, 1, 2], [3, 4, 5]])
    with pytest.raises(AssertionError, match='equality.*1 of 6'):
        case.assert_within('label', [[0, 1, 2], [3, 4, 6]])


def test_assert_within__knows_the_largest_gradient_of_the_file(recording):
    case = load_golden('seg', 'case01')
    case.assert_within('it0/grad/b', [0.59])  # the norm of w is 5
    with pytest.raises(AssertionError):
        case.assert_within('it0/grad/b', [0.61])


def test_assert_within__reads_the_layout_of_cls_and_det(recording):
    case = load_golden('cls', 'mcc')
    case.assert_within('T2/loss', 1.09)
    with pytest.raises(AssertionError):
        case.assert_within('T2/loss', 1.11)
    case.assert_within('grad', [10.09, 0.09])
    with pytest.raises(AssertionError):
        case.assert_within('grad', [10., 0.11])


def test_assert_within__without_a_rule_is_an_error(recording):
    with pytest.raises(KeyError, match='no tolerance'):
        load_golden('cls', 'mcc').assert_within('other', 1.)


def test_assert_within__can_compare_with_something_else(recording):
    load_golden('seg', 'case01').assert_within('loss_a', 7., expected=7.)


def test_load_golden__prefers_the_exact_name_and_refuses_ambiguity(recording):
    with pytest.raises(FileNotFoundError):
        load_golden('seg', 'case10_head')
    with pytest.raises(KeyError, match='2 cases'):
        load_golden('seg', 'case10')
    with pytest.raises(KeyError, match='0 cases'):
        load_golden('seg', 'case99')


def test_load_golden__names_the_missing_manifest(recording):
    with pytest.raises(FileNotFoundError, match=ROOT_VARIABLE):
        load_golden('det', 'masking')


def test_own_recording_is_the_default(monkeypatch):
    monkeypatch.delenv(ROOT_VARIABLE, raising=False)
    assert 'case01_block_mask' in list_golden('seg')
