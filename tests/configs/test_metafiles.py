# Copyright (c) mic_mm authors. All rights reserved.
"""Metafiles name configs that exist and numbers of docs/en/benchmarks.md."""
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
INDEX = yaml.safe_load((ROOT / 'model-index.yml').read_text())
MODELS = [
    model for path in INDEX['Import']
    for model in yaml.safe_load((ROOT / path).read_text())['Models']
]
METHODS = {
    'source-only': 'source-only',
    'self-training': 'self-training',
    'mic': 'MIC (self-training)',
    'cdan': 'CDAN',
    'mcc': 'MCC',
    'cdan-mcc': 'CDAN+MCC',
    'mic-cdan-mcc': 'MIC (CDAN+MCC)',
    'sdat': 'SDAT',
    'mic-sdat': 'MIC (SDAT)',
    'sada': 'SADA',
    'mic-sada': 'MIC (SADA)',
    'oracle': 'oracle',
}


def tables():
    """Rows by section of the benchmarks, each a dict by column."""
    found, header, section = {}, None, None
    for line in (ROOT / 'docs/en/benchmarks.md').read_text().splitlines():
        if line.startswith('## '):
            section, header = line[3:], None
        if not line.startswith('|'):
            header = None
            continue
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if header is None:
            header = cells
        elif set(line) - set('|- '):
            found.setdefault(section, []).append(dict(zip(header, cells)))
    return found


TABLES = tables()


def row(section, label):
    section, = [name for name in TABLES if name.startswith(section)]
    found, = [r for r in TABLES[section] if next(iter(r.values())) == label]
    return found


def in_overview(label, seed, column):
    """A cell of the first table, whose first column is not repeated."""
    current = None
    for cells in TABLES['Digits']:
        current = cells[''] or current
        if current.startswith(label) and cells['seeds'] == seed:
            return cells[column]
    raise AssertionError(f'no row {label}, {seed}')


def documented(name):
    """Text of the table's cell with the mean, and of its seeds if apart."""
    method, network, *_ = name.split('_')
    if network == 'tiny-resnet':
        cells = row('Classification, every method', METHODS[method])
        target = name.rsplit('_', 1)[1]
        column = dict(
            mnist5k='optdigits → MNIST', optdigits='MNIST → optdigits')
        keys = list(cells)
        at = keys.index(column[target])
        return cells[keys[at]]
    if network == 'tiny-faster-rcnn':
        return row('Detection, Faster R-CNN',
                   METHODS[method].replace('MIC (self-training)', 'MIC'))[
                       'mean ± standard deviation']
    if network in ('tiny-daformer', 'tiny-hrda'):
        label = {'self-training': 'host: ClassMix self-training',
                 'mic': 'MIC on the host'}.get(method, method)
        column = dict([('tiny-daformer', 'DAFormer'), ('tiny-hrda', 'HRDA')])
        return row('Segmentation, DAFormer', label)[column[network]]
    task = {'tiny-unet': 'segmentation', 'tiny-fcos': 'detection'}[network]
    return in_overview(task, '0', 'MIC' if method == 'mic' else method)


@pytest.mark.parametrize('model', MODELS, ids=lambda model: model['Name'])
def test_numbers_are_those_of_the_benchmarks(model):
    result, = model['Results']
    value, *deviation = re.findall(r'[\d.]+', documented(model['Name']))
    metrics = dict(result['Metrics'])
    key = next(iter(metrics))
    assert key in ('accuracy', 'mIoU', 'AP50')
    expected = {key: float(value)}
    if deviation:
        expected[f'{key} standard deviation'] = float(deviation[0])
    assert metrics == expected
    assert (model['Metadata']['Seeds'] == '0, 1, 2') == bool(deviation)


@pytest.mark.parametrize('model', MODELS, ids=lambda model: model['Name'])
def test_configs_exist_and_train_as_described(model):
    path = ROOT / model['Config']
    assert path.is_file() and path.stem == model['Name']
    batch, iterations = re.search(r'_1xb(\d+)-(\w+?)_', path.stem).groups()
    metadata = model['Metadata']
    assert str(metadata['Iterations']) == iterations.replace('k', '000')
    assert str(metadata['Batch Size']).split(' + ')[0] == batch


def test_each_config_has_one_entry_and_nothing_is_published():
    names = [model['Name'] for model in MODELS]
    assert len(names) == len(set(names)) > 0
    assert not any('Weights' in model for model in MODELS)


def test_all_metafiles_are_imported():
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / 'configs').rglob('metafile.yml')
    }
    assert set(INDEX['Import']) == found


def test_the_index_is_valid_and_can_be_searched():
    modelindex = pytest.importorskip('modelindex')
    index = modelindex.load(str(ROOT / 'model-index.yml'))
    assert not index.check(silent=True)
    for entry in [*index.models, *index.collections]:
        assert not entry.check_errors
    assert {m.name for m in index.models} == {m['Name'] for m in MODELS}
    collections = {c.name for c in index.collections}
    for model in index.models:
        assert model.in_collection in collections
        # `mim search` joins lists, of strings only.
        for value in model.metadata.data.values():
            assert not isinstance(value, list) or all(
                isinstance(item, str) for item in value)
