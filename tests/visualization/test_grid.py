# Copyright (c) mic_mm authors. All rights reserved.
import numpy as np
from PIL import Image

from mic_mm.visualization.grid import Column, draw_grid, shorten
from mic_mm.visualization.tiles import Box, Tile, draw_boxes, load_font, resize


def tile(caption='', color='red'):
    return Tile(Image.new('RGB', (40, 40), color), caption)


def test_a_long_text_keeps_its_beginning_and_end():
    text = 'a_file_with_a_very_long_name.png'
    width = 100
    short = shorten(text, width)
    start, end = short.split('…')
    assert text.startswith(start) and text.endswith(end) and start and end
    assert load_font().getlength(short) <= width
    assert shorten('short', width) == 'short'


def test_a_long_caption_does_not_run_into_the_next_column():
    long, plain = (
        np.asarray(draw_grid([Column('a', [tile(caption)]), Column('b', [tile('', 'blue')])]))
        for caption in ('a class with a name of many words, weight 0.50', ''))
    for picture in (long, plain):
        blue = (picture == (0, 0, 255)).all(-1)
        assert blue.sum() == 40 * 40
    # The column has become wider, but not as wide as the text.
    assert plain.shape[1] < long.shape[1] < 160


def test_letters_with_accents_have_their_own_picture():
    def drawn(letter):
        return bytes(load_font().getmask(letter))

    assert len({drawn(letter) for letter in 'äéß×…←\u0416'}) == 7


def test_a_row_without_tiles_and_a_header_can_be_drawn():
    picture = draw_grid([Column('a', [None]), Column('b', [])], header=['one', 'two'])
    assert np.asarray(picture).min() < 100


def test_colors_of_classes_are_not_blended_when_a_map_shrinks():
    checkers = np.zeros((8, 8, 3), np.uint8)
    checkers[::2] = 200
    assert set(np.unique(resize(checkers, 0.5, blend=False))) <= {0, 200}
    assert set(np.unique(resize(checkers, 0.5))) == {100}


def test_in_a_crowd_texts_that_do_not_fit_are_left_out():
    boxes = [Box((2, 20 + i, 12, 30 + i), 'motorcycle', (250, 0, 250)) for i in range(3)]
    few, many = (Image.new('RGB', (80, 60)) for _ in range(2))
    draw_boxes(few, boxes, 1., crowd=3)
    draw_boxes(many, boxes, 1., crowd=2)

    def right_of_boxes(picture):
        return np.asarray(picture)[:, 20:].any()

    assert right_of_boxes(few) and not right_of_boxes(many)
    assert np.asarray(many).any()
