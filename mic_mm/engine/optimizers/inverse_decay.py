# Copyright (c) mic_mm authors. All rights reserved.
"""Schedules of the learning rate."""
from __future__ import annotations

from typing import Any

from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import INF, _ParamScheduler

from mic_mm.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class InverseDecayLR(LRSchedulerMixin, _ParamScheduler):
    r"""Lets the learning rate decay with a power of the iteration.

    .. math::
        \eta_t = \eta_0 (1 + \gamma t)^{-p}

    with :math:`t` counted from ``begin``, for each parameter group (DANN;
    CDAN, SDAT and MIC).  It is computed from the initial value, not
    from the previous one, so it replaces what schedules before it did and
    does not combine with others that are active at the same time.

    Args:
        optimizer (Optimizer | BaseOptimWrapper): The optimizer.
        gamma (float): :math:`\gamma \ge 0`. Defaults to 0.001, as in CDAN,
            SDAT and MIC: 0.59 of the initial value after 1000 iterations,
            0.13 after 15000.
        power (float): :math:`p \ge 0`. Defaults to 0.75, as there.
        begin (int): Step at which it starts. Defaults to 0.
        end (int): Step at which it stops. Defaults to infinity.
        last_step (int): See MMEngine. Defaults to -1.
        by_epoch (bool): Whether a step is an epoch. Defaults to False: the
            published constants count iterations.
        verbose (bool): Whether to print each value. Defaults to False.

    Raises:
        ValueError: If ``gamma`` or ``power`` is negative.
    """

    def __init__(self,
                 optimizer: Any,
                 gamma: float = 0.001,
                 power: float = 0.75,
                 begin: int = 0,
                 end: int = INF,
                 last_step: int = -1,
                 by_epoch: bool = False,
                 verbose: bool = False) -> None:
        for name, value in (('gamma', gamma), ('power', power)):
            if value < 0:
                raise ValueError(f'InverseDecayLR: {name}={value} is '
                                 'negative: the learning rate would grow.')
        self.gamma = gamma
        self.power = power
        super().__init__(optimizer, begin, end, last_step, by_epoch, verbose)

    @classmethod
    def build_iter_from_epoch(cls,
                              *args: Any,
                              epoch_length: int,
                              gamma: float = 0.001,
                              begin: int = 0,
                              end: int = INF,
                              by_epoch: bool = True,
                              **kwargs: Any) -> InverseDecayLR:
        """Build a schedule by iterations from arguments that count epochs."""
        assert by_epoch, 'Only a schedule by epochs can be converted.'
        return cls(
            *args,
            gamma=gamma / epoch_length,
            begin=begin * epoch_length,
            end=end if end == INF else end * epoch_length,
            by_epoch=False,
            **kwargs)

    def _get_value(self) -> list[float]:
        factor = (1 + self.gamma * self.last_step)**-self.power
        return [base * factor for base in self.base_values]
