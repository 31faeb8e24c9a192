# Copyright (c) mic_mm authors. All rights reserved.
import json
import re

import numpy as np
import pytest

from mic_mm.core.draws import SeededDraws
from mic_mm.seg.datasets import ClassStatistics
from mic_mm.seg.datasets.rare_classes import RareClasses, class_probabilities, redraw_until_enough
from mic_mm.testing.draws import RecordedDraws
from mic_mm.testing.golden import load_golden


@pytest.fixture(scope='module')
def case():
    return load_golden('seg', 'case07')


@pytest.fixture(scope='module')
def statistics(case, tmp_path_factory):
    """The recorded counts, read from a file as the original wrote it."""
    folder = tmp_path_factory.mktemp('statistics')
    rows = [{
        **{str(c): int(n) for c, n in enumerate(row) if n > 0}, 'file': str(i)
    } for i, row in enumerate(case['pixel_counts'])]
    (folder / 'sample_class_stats.json').write_text(json.dumps(rows))
    return ClassStatistics.read(folder)


def constants(case):
    """The numbers of the recorded walk, from its description."""
    meaning = case.entry['arrays']['walk']['meaning']
    numbers = dict(
        min_pixels=r'min_pixels = (\d+)',
        max_redraws=r'at most (\d+) redraws',
        step=r'contains (\d+)\*\(k\+1\)',
        period=r'i mod (\d+)')
    return {
        name: int(re.search(pattern, meaning).group(1))
        for name, pattern in numbers.items()
    }


@pytest.mark.golden
def test_class_probabilities_equal_the_original__seg_case07(case, statistics):
    names = case.names('probabilities_T*')
    assert names
    for name in names:
        temperature = name.removeprefix('probabilities_T')
        ours = class_probabilities(statistics.totals(), float(temperature))
        case.assert_within(f'classes_T{temperature}', np.array(list(ours)))
        case.assert_within(name, np.array(list(ours.values())))


@pytest.mark.golden
def test_candidates_equal_the_original__seg_case07(case, statistics):
    rare = RareClasses(statistics, 0.01, constants(case)['min_pixels'])
    recorded = {int(n.removeprefix('candidates_c')): n
                for n in case.names('candidates_c*')}
    assert set(recorded) == set(rare.candidates)
    for class_id, name in recorded.items():
        files = np.array(rare.candidates[class_id]).astype(int)
        case.assert_within(name, files)


@pytest.mark.golden
def test_recorded_walk_is_repeated__seg_case07(case, statistics):
    numbers = constants(case)
    # At this temperature no class is so improbable that it has no numbers
    # that draw it; which class is drawn is given.
    rare = RareClasses(statistics, 10., numbers['min_pixels'])
    walk = []
    for ratio, class_id, image, _, target in case['walk']:
        draws = RecordedDraws({
            'class': chooses_class(rare, int(class_id)),
            'image': chooses_place(
                rare.candidates[int(class_id)], str(int(image)))
        })
        drawn_class, file = rare.draw(draws)
        made = []

        def crop(k):
            made.append(k)
            return k, numbers['step'] * (k + 1) * (
                int(file) % numbers['period'] + 1)

        redraw_until_enough(crop, numbers['min_pixels'] * ratio,
                            numbers['max_redraws'])
        draws.assert_all_used()
        assert made == list(range(len(made)))
        # The target is drawn by the sampler, without regard to the source.
        walk.append([ratio, drawn_class, int(file), len(made), target])
    case.assert_within('walk', np.array(walk))


def chooses_class(rare, class_id):
    """The middle of the part of [0, 1) that chooses a class."""
    below = 0.
    for other, probability in rare.probabilities.items():
        if other == class_id:
            return np.float64(below + probability / 2)
        below += probability
    raise KeyError(class_id)


def chooses_place(files, file):
    return np.float64((files.index(file) + 0.5) / len(files))


def make(counts):
    return ClassStatistics(counts)


def test_probabilities_by_hand():
    # shares 0.25 and 0.75 at T = 0.5: exp(1.5) and exp(0.5)
    ours = class_probabilities({4: 300, 9: 100, 7: 0}, 0.5)
    assert list(ours) == [9, 4]
    assert ours[9] == pytest.approx(1 / (1 + np.exp(-1)))
    assert sum(ours.values()) == pytest.approx(1)


def test_a_tiny_temperature_does_not_overflow():
    ours = class_probabilities({0: 10**9, 1: 10}, 1e-4)
    assert ours == {1: 1., 0: 0.}


def test_classes_and_images_are_drawn_with_their_probabilities():
    rare = RareClasses(
        make({
            'a': {0: 500, 1: 20},
            'b': {0: 500, 1: 30},
            'c': {0: 950}
        }), temperature=0.9, min_pixels=10)
    drawn = [rare.draw(SeededDraws(0, i)) for i in range(4000)]
    share = np.mean([c == 1 for c, _ in drawn])
    # standard error 0.008
    assert abs(share - rare.probabilities[1]) < 0.035
    assert {f for c, f in drawn if c == 1} == {'a', 'b'}
    images = np.mean([f == 'a' for c, f in drawn if c == 1])
    assert abs(images - 0.5) < 0.05


def test_numbers_at_the_ends_of_their_range_choose_the_ends():
    rare = RareClasses(make({'a': {0: 50}, 'b': {0: 50, 1: 5}}), 1., 1)
    first = rare.draw(RecordedDraws({'class': 0., 'image': 0.}))
    last = rare.draw(RecordedDraws({'class': 1., 'image': 1.}))
    assert first == (1, 'b') and last == (0, 'b')


def test_no_more_than_the_allowed_redraws_are_made():
    made = []
    result = redraw_until_enough(lambda k: (made.append(k) or k, 5), 5, 3)
    assert made == [0, 1, 2, 3] and result == 3


def test_a_crop_with_one_pixel_more_is_enough():
    made = []
    redraw_until_enough(lambda k: (made.append(k), 5 + k), 5, 3)
    assert made == [0, 1]


@pytest.mark.parametrize('counts', [{}, {'a': {}}, {'a': {3: 0}}])
def test_empty_statistics_are_refused(counts):
    with pytest.raises(ValueError, match='class statistics are empty'):
        RareClasses(make(counts), 0.01, 3000)


def test_a_class_that_never_fills_an_image_is_refused_by_number():
    counts = {'a': {0: 5000, 4: 70}, 'b': {0: 5000, 4: 90}}
    with pytest.raises(ValueError, match=r'min_pixels=3000.*\{4: 90\}'):
        RareClasses(make(counts), 0.01, 3000)


def test_a_class_that_does_not_occur_is_left_out():
    rare = RareClasses(make({'a': {0: 5000, 4: 0}}), 0.01, 3000)
    assert rare.probabilities == {0: 1.}
