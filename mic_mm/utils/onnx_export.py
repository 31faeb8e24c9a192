# Copyright (c) mic_mm authors. All rights reserved.
"""ONNX files of plain models."""
from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

import torch
from mmengine.utils import digit_version
from torch import Tensor

from .tensor_models import TensorModel, run, writes_in_place

EXPORTERS = ('dynamo', 'torchscript')
DYNAMIC = ('batch', 'size')
INPUT = 'images'
# Newest operators that both exporters of PyTorch 2.5 write.
_OPSET = {'dynamo': 18, 'torchscript': 17}
# Of PyTorch 2.5 it cannot write batch norm.
_DYNAMO_SINCE = '2.6.0'
_PACKAGES = {'dynamo': ('onnx', 'onnxscript'), 'torchscript': ('onnx', )}


def export_onnx(model: TensorModel,
                path: str | Path,
                size: Sequence[int],
                dynamic: Sequence[str] = (),
                opset: Optional[int] = None,
                exporter: Optional[str] = None) -> None:
    """Write an ONNX file.

    Args:
        model (TensorModel): The model.
        path (str | Path): The file; its folder is made.
        size (Sequence[int]): Height and width of the images.
        dynamic (Sequence[str]): What may differ in use: ``'batch'``,
            ``'size'``. Defaults to (), one image of ``size``.
        opset (int, optional): Version of the operators. Defaults to None: 18,
            for ``'torchscript'`` 17.
        exporter (str, optional): ``'dynamo'`` or ``'torchscript'``, which is
            faster but keeps the size of images in networks with attention,
            and cannot export HRDA. Defaults to None, ``'dynamo'`` where
            PyTorch's is good enough (2.6).

    Raises:
        ImportError: If a package is missing.
        ValueError: If the model cannot be exported, or not with ``opset``.
    """
    exporter = exporter or default_exporter()
    _check(model, dynamic, exporter)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    images = random_images(model, 2 if 'batch' in dynamic else 1, size)
    outputs = _outputs(model, images)
    opset = opset or _OPSET[exporter]
    try:
        with torch.no_grad():
            torch.onnx.export(
                model, (images, ),
                str(path),
                input_names=[INPUT],
                output_names=list(outputs),
                opset_version=opset,
                dynamo=exporter == 'dynamo',
                **_dynamic_options(exporter, _axes(dynamic), outputs))
    except Exception as error:
        # Exporters raise whatever the operator they do not know leads to.
        raise ValueError(_reason(model, exporter, dynamic, error)) from error
    written = _make_portable(path)
    if written != opset:
        path.unlink()
        raise ValueError(
            f'The exporter {exporter} cannot write opset={opset} for a '
            f'{type(model.model).__name__}, but {written}. Use that, or '
            'the exporter torchscript for older ones.')


def default_exporter() -> str:
    """The exporter of the installed PyTorch."""
    new = digit_version(torch.__version__) >= digit_version(_DYNAMO_SINCE)
    return 'dynamo' if new else 'torchscript'


def random_images(model: TensorModel,
                  batch: int,
                  size: Sequence[int],
                  seed: int = 0) -> Tensor:
    """Random images in the range that the model takes."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.rand((batch, 3, *size), generator=generator)
    return noise * 255 if model.normalize else noise * 4 - 2


def require(packages: Sequence[str]) -> None:
    """Refuse to go on without packages of the extra `onnx`."""
    missing = [p for p in packages if importlib.util.find_spec(p) is None]
    if missing:
        raise ImportError(f'This needs {", ".join(missing)}. Install the '
                          'extra `onnx`: pip install "mic_mm[onnx]".')


def _check(model: TensorModel, dynamic: Sequence[str], exporter: str) -> None:
    if exporter not in EXPORTERS:
        raise ValueError(f'exporter={exporter!r} is none of {EXPORTERS}.')
    unknown = set(dynamic) - set(DYNAMIC)
    if unknown:
        raise ValueError(f'dynamic={sorted(unknown)} is none of {DYNAMIC}.')
    name = type(model.model).__name__
    if writes_in_place(model.model):
        if exporter == 'torchscript':
            raise ValueError(
                f'The torchscript exporter loses what {name} writes in place '
                '(its windows), and the file would be wrong. Use the '
                f'exporter dynamo, of PyTorch {_DYNAMO_SINCE} or later.')
        if dynamic:
            raise ValueError(
                f'The windows of {name} depend on the size of the images and '
                'are split by the size of the batch: export it for a fixed '
                'size and batch.')
    require(_PACKAGES[exporter])


def _outputs(model: TensorModel, images: Tensor) -> dict[str, Tensor]:
    try:
        return run(model, images)
    except RuntimeError as error:
        raise ValueError(
            f'A {type(model.model).__name__} cannot take images of '
            f'{images.shape[2]}x{images.shape[3]}: '
            f'{str(error).splitlines()[0]} Choose the size of the test '
            'pipeline in its config, or a larger one.') from error


def _dynamic_options(exporter: str, axes: Mapping[int, str],
                     outputs: Mapping[str, Tensor]) -> dict[str, Any]:
    if not axes:
        return {}
    if exporter == 'torchscript':
        return dict(
            dynamic_axes={INPUT: axes, **_output_axes(outputs, axes)})
    dims = {axis: torch.export.Dim(name) for axis, name in axes.items()}
    return dict(dynamic_shapes=(_freed(dims), ))


def _axes(dynamic: Sequence[str]) -> dict[int, str]:
    axes = {0: 'batch'} if 'batch' in dynamic else {}
    if 'size' in dynamic:
        axes.update({2: 'height', 3: 'width'})
    return axes


def _make_portable(path: Path) -> int:
    """One file, without the paths of the machine that wrote it.

    The dynamo exporter puts the weights into a second file and the lines of
    Python into each node.

    Returns:
        int: Version of its operators.
    """
    import onnx
    content = onnx.load(path)
    graphs = [content.graph, *content.functions]
    for node in (node for graph in graphs for node in graph.node):
        node.ClearField('metadata_props')
        node.ClearField('doc_string')
    onnx.save(content, path)
    path.with_name(f'{path.name}.data').unlink(missing_ok=True)
    return next(found.version for found in content.opset_import
                if found.domain in ('', 'ai.onnx'))


def _output_axes(outputs: Mapping[str, Tensor],
                 axes: Mapping[int, str]) -> dict[str, dict[int, str]]:
    return {
        name: {
            # Maps of a detector are smaller than its images.
            axis: of_input if axis == 0 else f'{name}_{of_input}'
            for axis, of_input in axes.items() if axis < value.ndim
        }
        for name, value in outputs.items()
    }


def _freed(dims: dict) -> dict:
    """Dimensions of which the exporter finds the limits by itself."""
    automatic = getattr(torch.export.Dim, 'DYNAMIC', None)
    return dims if automatic is None else dict.fromkeys(dims, automatic)


def _reason(model: TensorModel, exporter: str, dynamic: Sequence[str],
            error: Exception) -> str:
    first = next((line for line in str(error).splitlines() if line.strip()),
                 type(error).__name__)
    other = next(name for name in EXPORTERS if name != exporter)
    advice = ('a fixed size and batch' if dynamic else f'the exporter {other}')
    return (f'The exporter {exporter} cannot export a '
            f'{type(model.model).__name__}'
            f'{" with dynamic " + ", ".join(dynamic) if dynamic else ""}: '
            f'{type(error).__name__}: {first} Try {advice}.')
