# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from pathlib import Path
from typing import Union

from PIL import Image


def size_problem(labels: tuple[int, int], image: Union[str, Path],
                 decode: bool = False) -> str | None:
    """Why an image does not fit its label map; None if it does.

    Args:
        labels (tuple[int, int]): Height and width of the label map.
        image (str | Path): Path of the image.
        decode (bool): Decode the whole image rather than reading its header.
            Defaults to False.
    """
    try:
        with Image.open(image) as opened:
            width, height = opened.size
            if decode:
                opened.load()
    except FileNotFoundError:
        return f'its image {image} does not exist'
    except OSError as error:
        return f'its image {image} cannot be read ({error})'
    if (height, width) != tuple(labels):
        return (f'it is {labels[0]}x{labels[1]} (height x width), but its '
                f'image {image} is {height}x{width}')
    return None
