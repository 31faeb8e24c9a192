# Copyright (c) mic_mm authors. All rights reserved.
"""Tiles: enlarged pictures with boxes and a caption."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Optional

import matplotlib
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from mic_mm.core.pixel_statistics import PixelStatistics

from .palette import Color

FONT_SIZE = 13


@dataclass(frozen=True)
class Tile:
    """A picture and the text below it.

    Attributes:
        picture (PIL.Image.Image): RGB.
        caption (str): One line; empty for none.
        words (tuple[str, ...]): What it may be found by: file and names of
            the classes in it. Defaults to ().
    """

    picture: Image.Image
    caption: str = ''
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Box:
    """A rectangle with a text.

    Attributes:
        corners (Sequence[float]): x1, y1, x2, y2 in pixels of the image.
        text (str): Name of what is inside.
        color (tuple): RGB in [0, 255].
    """

    corners: Sequence[float]
    text: str
    color: Color


@cache
def load_font(size: int = FONT_SIZE) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which Matplotlib brings along.

    It has the letters of most European languages; Pillow's own font has not
    even an e with an accent.  It stands in where Matplotlib has no fonts.
    """
    path = Path(matplotlib.get_data_path(), 'fonts', 'ttf', 'DejaVuSans.ttf')
    if not path.is_file():
        return ImageFont.load_default(size)
    return ImageFont.truetype(str(path), size)


def to_pixels(image: Tensor, statistics: PixelStatistics) -> np.ndarray:
    """Undo the normalisation of one image.

    Args:
        image (Tensor): (C, H, W); one channel becomes grey, and of more than
            three the first three are taken.
        statistics (PixelStatistics): How the image was normalised.

    Returns:
        np.ndarray: RGB in [0, 255], (H, W, 3), uint8.
    """
    image = image.detach().float().cpu()
    mean, std = (
        torch.as_tensor(values, dtype=torch.float32).cpu().view(-1, 1, 1)
        for values in (statistics.mean, statistics.std))
    pixels = (image * std + mean)[:3]
    if len(pixels) == 3 and statistics.channel_order == 'bgr':
        pixels = pixels.flip(0)
    pixels = pixels.round().clamp(0, 255).byte().expand(3, -1, -1)
    return pixels.permute(1, 2, 0).numpy()


def scale_to(size: tuple[int, int], tile_size: int) -> float:
    """Factor that brings an image to about ``tile_size`` pixels.

    Small images are enlarged by a whole number, so that each of their pixels
    keeps its shape.

    Args:
        size (tuple[int, int]): Height and width of the image.
        tile_size (int): Wanted length of the longer side.
    """
    factor = tile_size / max(size)
    return float(round(factor)) if factor > 1 else factor


def resize(pixels: np.ndarray,
           factor: float,
           blend: bool = True) -> Image.Image:
    """Enlarge without smoothing, or shrink.

    Args:
        pixels (np.ndarray): RGB in [0, 255], (H, W, 3), uint8.
        factor (float): New over old length of a side.
        blend (bool): Whether a pixel of a smaller picture is the mean of
            those it stands for. False picks one of them: colours that mean
            something, such as those of classes, stay what they are. Defaults
            to True.
    """
    picture = Image.fromarray(pixels)
    if factor == 1:
        return picture
    size = tuple(max(1, round(side * factor)) for side in picture.size)
    kinds = Image.Resampling
    shrinks = blend and factor < 1
    return picture.resize(size, kinds.BOX if shrinks else kinds.NEAREST)


def draw_boxes(picture: Image.Image,
               boxes: Sequence[Box],
               factor: float,
               crowd: Optional[int] = None) -> None:
    """Draw boxes, given in pixels of the image before ``factor``.

    Args:
        picture (PIL.Image.Image): RGB; drawn upon.
        boxes (Sequence[Box]): The boxes.
        factor (float): New over old length of a side.
        crowd (int, optional): With more boxes, texts wider than their box
            are left out, since they would hide other boxes. Defaults to
            None: every box has its text.
    """
    draw = ImageDraw.Draw(picture)
    font = load_font(11)
    is_crowd = crowd is not None and len(boxes) > crowd
    frames = []
    for box in boxes:
        x1, y1, x2, y2 = (value * factor for value in box.corners)
        # Pillow refuses corners in the wrong order.
        frame = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
        frames.append(frame)
        if not is_crowd or font.getlength(box.text) <= frame[2] - frame[0]:
            _draw_tag(draw, frame[:2], box, font, picture.size)
    for box, frame in zip(boxes, frames):
        draw.rectangle(frame, outline=box.color, width=2)


def _draw_tag(draw, corner, box: Box, font, size) -> None:
    left, top, right, bottom = draw.textbbox((0, 0), box.text, font=font)
    width, height = right - left + 4, bottom - top + 4
    # Inside of the picture, above the box where there is room.
    x = max(0, min(corner[0], size[0] - width))
    y = corner[1] - height if corner[1] >= height else corner[1]
    draw.rectangle((x, y, x + width, y + height), fill=box.color)
    draw.text((x + 2 - left, y + 2 - top),
              box.text,
              fill=text_color(box.color),
              font=font)


def text_color(background: Color) -> str:
    """Black or white, whichever reads better (ITU-R BT.601 luma)."""
    red, green, blue = background
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return 'black' if luma > 140 else 'white'
