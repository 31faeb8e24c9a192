# Copyright (c) mic_mm authors. All rights reserved.
"""Functions are measured in turn."""
from mic_mm.benchmark import Seconds, take_turns


def test_each_function_comes_first_as_often():
    calls = []
    measured = take_turns({name: lambda _, n=name: calls.append(n)
                           for name in 'abc'}, 3, lambda: None, warmup=0)
    assert ''.join(calls) == 'abc' 'bca' 'cab'
    assert [len(seconds.wall) for seconds in measured.values()] == [3, 3, 3]


def test_preparation_and_tidying_are_not_measured():
    seen = []
    take_turns({'a': seen.append}, 1, lambda: None, prepare={'a': lambda: 'made'},
               tidy=lambda: seen.append('tidied'), warmup=1)
    assert seen == ['made', 'tidied'] * 2


def test_ratios_are_of_medians_and_of_neighbours():
    slow, fast = Seconds([2., 8., 6.], [2., 2., 2.]), Seconds([1., 2., 6.], [1., 1., 4.])
    ratio = slow.ratio_to(fast)
    assert ratio == dict(wall=3., cpu=2., paired=2., paired_cpu=2.)
    assert slow.summary() == dict(wall=6., cpu=2., least=2.)
