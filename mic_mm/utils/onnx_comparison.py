# Copyright (c) mic_mm authors. All rights reserved.
"""ONNX files against PyTorch, by onnxruntime on images of another size."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

import torch
from torch import Tensor

from .onnx_export import INPUT, random_images, require
from .tensor_models import TensorModel, run

# Added to height and width where they are free, and to the batch: not square,
# and divisible by all strides and pads of networks if the size is.
_OTHER_SIZE = (128, 256)
_OTHER_BATCH = 3
# Characters of what onnxruntime says, which goes on for lines.
_SHOWN = 200
# By whether something was left open.
_ADVICE = {
    True: 'Export it for a fixed size and batch, or try another exporter: '
    'networks with attention keep the size in torchscript, vision '
    'transformers of MMPretrain in both.',
    False: 'Try another exporter.',
}


@dataclass(frozen=True)
class Difference:
    """How far an output of the file is from that of PyTorch.

    Args:
        name (str): Of the output.
        largest (float): Largest absolute difference.
        scale (float): Largest absolute value of PyTorch's.
    """
    name: str
    largest: float
    scale: float

    @property
    def relative(self) -> float:
        """The largest difference in units of the largest value."""
        return self.largest / self.scale if self.scale else self.largest

    def __str__(self) -> str:
        return (f'{self.name}: largest difference {self.largest:.2e} at '
                f'values up to {self.scale:.2e}, relative '
                f'{self.relative:.2e}')


def verify_onnx(model: TensorModel,
                path: str | Path,
                size: Sequence[int],
                dynamic: Sequence[str] = (),
                tolerance: float = 1e-3) -> list[Difference]:
    """Compare a file on images that the exporter has not seen.

    Where ``dynamic`` leaves them open, it is three images of another height
    and width. A file that fails is removed, so that nobody uses it.

    Args:
        model (TensorModel): What was exported.
        path (str | Path): The file.
        size (Sequence[int]): Height and width it was exported with.
        dynamic (Sequence[str]): What was left open. Defaults to ().
        tolerance (float): Largest difference of an output in units of its
            largest value. Defaults to 1e-3; single precision of a deep
            network gives 1e-6 to 1e-4.

    Returns:
        list[Difference]: One for each output.

    Raises:
        ImportError: If onnxruntime is missing.
        ValueError: If an output is wrong, or the file cannot be run.
    """
    if 'size' in dynamic:
        size = [side + more for side, more in zip(size, _OTHER_SIZE)]
    batch = _OTHER_BATCH if 'batch' in dynamic else 1
    images = random_images(model, batch, size, seed=1)
    try:
        differences = compare_onnx(model, path, images)
        _check_differences(differences, path, tolerance)
    except ValueError as error:
        Path(path).unlink(missing_ok=True)
        raise ValueError(
            f'{error} Images were {tuple(images.shape)}. {_ADVICE[bool(dynamic)]} '
            'The file was removed.') from error
    return differences


def compare_onnx(model: TensorModel, path: str | Path,
                 images: Tensor) -> list[Difference]:
    """Differences of all outputs, computed by onnxruntime on the CPU.

    Args:
        model (TensorModel): What was exported.
        path (str | Path): The file.
        images (Tensor): Images, (B, 3, H, W).

    Raises:
        ImportError: If onnxruntime is missing.
        ValueError: If onnxruntime refuses the file or the images.
    """
    require(('onnxruntime', ))
    import onnxruntime
    expected = run(model, images)
    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what it raises is told below
        session = onnxruntime.InferenceSession(
            str(path), options, providers=['CPUExecutionProvider'])
        found = session.run(None, {INPUT: images.numpy()})
    except Exception as error:
        raise ValueError(f'onnxruntime cannot run {path}: '
                         f'{shorten(str(error), _SHOWN)}') from error
    return [
        _difference(name, value, torch.from_numpy(other))
        for (name, value), other in zip(expected.items(), found, strict=True)
    ]


def _difference(name: str, expected: Tensor, found: Tensor) -> Difference:
    if expected.shape != found.shape:
        raise ValueError(
            f'Output {name} of the ONNX file has the shape '
            f'{tuple(found.shape)}, but PyTorch gives '
            f'{tuple(expected.shape)}.')
    return Difference(name, float((expected - found).abs().max()),
                      float(expected.abs().max()))


def _check_differences(differences: Sequence[Difference], path: str | Path,
                       tolerance: float) -> None:
    # Not "greater": a difference that is no number is wrong.
    wrong = [d for d in differences if not d.relative <= tolerance]
    if wrong:
        listed = '; '.join(map(str, wrong))
        raise ValueError(f'{path} is wrong: more than the tolerance '
                         f'{tolerance} from PyTorch are {listed}.')
