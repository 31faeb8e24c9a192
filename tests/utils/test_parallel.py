# Copyright (c) mic_mm authors. All rights reserved.
import time

import pytest

from mic_mm.utils.parallel import run_in_order, track


def square(number):
    time.sleep(0.01 * (number % 3))  # later items finish before earlier ones
    return number * number


@pytest.mark.parametrize('processes', [1, 2])
def test_results_come_in_the_order_of_the_items(processes, capsys):
    numbers = list(range(25))
    results = run_in_order(square, numbers, processes, 'squares')
    assert list(results) == [n * n for n in numbers]
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9 and lines[-1].startswith('squares: 25/25 after ')


def test_nothing_to_do_is_no_error_and_no_output(capsys):
    assert list(run_in_order(square, [], 4, 'squares')) == []
    assert capsys.readouterr().out == ''


@pytest.mark.parametrize('lines', [1, 3])
def test_number_of_lines_without_a_terminal(capsys, lines):
    assert list(track('abcdef', 6, 'letters', lines)) == list('abcdef')
    assert len(capsys.readouterr().out.splitlines()) == lines
