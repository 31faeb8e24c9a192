# Copyright (c) mic_mm authors. All rights reserved.
"""The passes of networks that an iteration cannot do without."""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from mic_mm.core import LabelledImages, UDAModel
from mic_mm.core.optimizer_step import student_optim_wrapper

STUDENT, TEACHER, FROZEN, MODULE = 'student', 'teacher', 'frozen', 'module'


class NetworkPass(ABC):
    """A pass that was seen in an iteration and may be run again.

    Args:
        objective (str): The objective in which it was seen.

    Attributes:
        kind (str): ``'student'``, ``'teacher'``, ``'frozen'`` or
            ``'module'``.
    """

    kind: str

    def __init__(self, objective: str) -> None:
        self.objective = objective

    @abstractmethod
    def run(self, library: bool = False) -> None:
        """Run it.

        Args:
            library (bool): In the way of the libraries, i.e. a forward pass
                without gradient under ``torch.no_grad``. Defaults to False.
        """


class StudentPass(NetworkPass):
    """Forward pass, losses and backward pass of the plain student.

    It is ``student.loss`` of the library, with the weights of pseudo-labels,
    the sum of what it returns and its backward pass.

    Args:
        objective (str): The objective.
        model (UDAModel): The model.
        images (LabelledImages): What the student saw.
        optim_wrapper (OptimWrapper): Gives precision and scale.
    """

    kind = STUDENT

    def __init__(self, objective: str, model: UDAModel,
                 images: LabelledImages, optim_wrapper: OptimWrapper) -> None:
        super().__init__(objective)
        self.model = model
        self.images = images
        self.optim_wrapper = student_optim_wrapper(optim_wrapper)

    def forward(self) -> Tensor | None:
        """The loss, with its graph; None if there is nothing to learn."""
        with self.optim_wrapper.optim_context(self.model):
            losses = self.model.weighted_loss(self.model.student, self.images)
            loss, _ = self.model.parse_losses(losses)
        if not isinstance(loss, Tensor) or not loss.requires_grad:
            return None
        return loss

    def run(self, library: bool = False) -> None:
        loss = self.forward()
        if loss is None:
            return
        scaler = getattr(self.optim_wrapper, 'loss_scaler', None)
        (loss if scaler is None else scaler.scale(loss)).backward()


class TeacherPass(NetworkPass):
    """The teacher's forward pass on the target images.

    Args:
        objective (str): The objective that asked for pseudo-labels.
        predict (Callable): ``predict(teacher, images)`` of the labeller.
        teacher (nn.Module): The averaged plain model.
        images (LabelledImages): The target images.
        context (Callable): Makes the context that sets the precision.
    """

    kind = TEACHER

    def __init__(self, objective: str, predict: Callable, teacher: nn.Module,
                 images: LabelledImages,
                 context: Callable[[], AbstractContextManager]) -> None:
        super().__init__(objective)
        self.predict = predict
        self.teacher = teacher
        self.images = images
        self.context = context

    def run(self, library: bool = False) -> None:
        with _without_gradient(library), self.context():
            self.predict(self.teacher, self.images)


class ModulePass(NetworkPass):
    """A pass through one module outside of the student's own loss.

    A frozen network (the ImageNet features of DAFormer), a network that an
    objective owns (a discriminator), or a part of the student where an
    objective goes through its parts by itself (the joint pass of both domains
    in classification); forward, and where it was seen with a gradient
    backward from a gradient of ones.  The losses computed of it are not part
    of the pass.

    Args:
        objective (str): The objective.
        module (nn.Module): The module.
        args (tuple): Its arguments.
        kwargs (dict): Its keyword arguments.
        context (Callable): Makes the context that sets the precision.
    """

    def __init__(self, objective: str, module: nn.Module, args: tuple,
                 kwargs: dict,
                 context: Callable[[], AbstractContextManager]) -> None:
        super().__init__(objective)
        self.module = module
        # views of what the recorded graph saw, not its nodes
        self.args, self.kwargs = map_tensors(_leaf, (args, kwargs))
        self.context = context
        needs = any(p.requires_grad for p in module.parameters())
        self.has_backward = torch.is_grad_enabled() and (
            needs or any(t.requires_grad for t in tensors_of((args, kwargs))))
        self.kind = MODULE if self.has_backward else FROZEN

    def run(self, library: bool = False) -> None:
        if not self.has_backward:
            with _without_gradient(library), self.context():
                self.module(*self.args, **self.kwargs)
            return
        outputs = self.forward()
        torch.autograd.backward(outputs, list(map(torch.ones_like, outputs)))

    def forward(self) -> list[Tensor]:
        """The outputs that have a graph."""
        args, kwargs = map_tensors(_leaf, (self.args, self.kwargs))
        with self.context():
            outputs = tensors_of(self.module(*args, **kwargs))
        return [output for output in outputs if output.requires_grad]


def _without_gradient(library: bool) -> AbstractContextManager:
    return torch.no_grad() if library else torch.inference_mode()


def _leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().requires_grad_(tensor.requires_grad)


def map_tensors(function: Callable[[Tensor], Any], value: Any) -> Any:
    """Apply ``function`` to the tensors of nested tuples, lists and dicts."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, dict):
        return {k: map_tensors(function, v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(map_tensors(function, item) for item in value)
    return value


def tensors_of(value: Any) -> list[Tensor]:
    """The tensors of nested tuples, lists and dicts."""
    found: list[Tensor] = []
    map_tensors(found.append, value)
    return found
