# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process, master_only
from mmengine.fileio import LocalBackend
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from mic_mm.engine.checkpoints import (
    AtomicLocalBackend,
    LateRemovals,
    from_plain,
    to_plain,
    write_atomically,
)
from mic_mm.engine.checkpoints.atomic_file import BACKEND, PARTIAL_SUFFIX
from mic_mm.engine.checkpoints.due_validation import remember_validation, validation_is_due
from mic_mm.engine.checkpoints.pending_gradients import (
    is_pending,
    pending_gradients,
    restore_gradients,
)
from mic_mm.engine.distributed import average_gradients
from mic_mm.registry import HOOKS
from mic_mm.utils.checkpoint_file import check_checkpoint_file

from .check_checkpoint import check_checkpoint, checkpoint_to_load

LATEST = 'last_checkpoint'
_OUTDATED = 'outdated_ckpts'
_GRADIENTS = 'gradients'


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook`` for runs that may die at any time.

    * A checkpoint is written beside its place and renamed when it is
      complete; so is ``last_checkpoint``, which names the latest one.
    * Outdated checkpoints (``max_keep_ckpts``, ``save_best``) are removed
      after the new one has been written. There is room on the disk for one
      more than ``max_keep_ckpts``.
    * The state of a run is written as tensors and plain values, which
      ``torch.load(path, weights_only=True)`` reads. Checkpoints of MMEngine's
      own hook can be resumed too.
    * A checkpoint between two steps of an accumulation
      (``optim_wrapper.accumulative_counts``) holds the gradients so far.
    * With ``save_best``, a resumed run makes up for the validation that was
      due when its checkpoint was written. One that had been finished is done
      again, with the same result, unless it was the best so far.
    * Nothing outside of the folder of the run is removed, where it goes on in
      another one than it began in: moved, copied, or with another work_dir.
    * A file that cannot be loaded or resumed is refused by name before
      anything is initialised.

    .. code-block:: python

        default_hooks = dict(
            checkpoint=dict(
                type='mic_mm.AtomicCheckpointHook', by_epoch=False,
                interval=1000, max_keep_ckpts=1))

    Folders of object stores are written by their own backend.

    Args:
        *args: See ``mmengine.hooks.CheckpointHook``.
        **kwargs: See there.
    """

    _restored_gradients = False

    def before_run(self, runner: Runner) -> None:
        """Refuse a damaged or foreign file.

        Raises:
            CheckpointError: If the file cannot be used.
        """
        path = checkpoint_to_load(runner)
        if path is not None:
            check_checkpoint_file(path, to_resume=runner._resume)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Refuse what does not fit the model; make the log's objects again.

        Raises:
            CheckpointError: If the weights do not fit.
        """
        check_checkpoint(
            checkpoint,
            _plain(runner.model),
            source=checkpoint_to_load(runner),
            resume=runner._resume)
        for key in _state_keys(checkpoint):
            checkpoint[key] = from_plain(checkpoint[key])
        if runner._resume and _GRADIENTS in checkpoint:
            restore_gradients(_plain(runner.model), checkpoint[_GRADIENTS])
            self._restored_gradients = True

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add pending gradients; replace objects by plain values."""
        if 'optimizer' in checkpoint and is_pending(runner.optim_wrapper):
            checkpoint[_GRADIENTS] = pending_gradients(_plain(runner.model))
        for key in _state_keys(checkpoint):
            checkpoint[key] = to_plain(checkpoint[key], key)

    def before_train(self, runner: Runner) -> None:
        """Prepare the folder, and clean up after a run that has died."""
        super().before_train(runner)
        backend: Any = self.file_backend
        if self.file_client_args is None and isinstance(backend, LocalBackend):
            self.backend_args = dict(backend=BACKEND)
            backend = AtomicLocalBackend()
            self._remove_partial_files()
        self.file_backend = LateRemovals(backend)
        hub = runner.message_hub
        if _OUTDATED in hub.runtime_info:
            for path in hub.get_info(_OUTDATED):
                self.file_backend.remove(self._in_out_dir(path))
        self._find_best()
        self._remove_outdated()
        if self._restored_gradients:
            print_log(
                'The gradients of the unfinished accumulation are those of the '
                'checkpoint: none is lost, whatever MMEngine has warned of.',
                logger='current')
        if self.save_best is not None and validation_is_due(runner):
            runner.val_loop.run()

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Save if it is time to."""
        super().after_train_iter(runner, *args, **kwargs)
        self._remove_outdated()

    def after_train_epoch(self, runner: Runner) -> None:
        """Save if it is time to."""
        super().after_train_epoch(runner)
        self._remove_outdated()

    def after_val_epoch(self, runner: Runner, metrics: dict) -> None:
        """Save if it is the best one."""
        remember_validation(runner)
        super().after_val_epoch(runner, metrics)
        self._remove_outdated()

    def _save_checkpoint_with_step(self, runner: Runner, step: int,
                                   meta: dict) -> None:
        # In place of MMEngine's, which writes last_checkpoint directly.
        self._make_room(runner, step)
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        if is_pending(runner.optim_wrapper):
            # Of one process only, they would be lost on the others.
            average_gradients(_plain(runner.model).parameters())
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args)
        if is_main_process():
            write_atomically(
                Path(runner.work_dir, LATEST), self.last_ckpt.encode())

    def _make_room(self, runner: Runner, step: int) -> None:
        """Choose the checkpoint that ``step`` replaces.

        The new checkpoint itself says so, in case that nobody lives to
        remove the old one.
        """
        if self.max_keep_ckpts <= 0:
            return
        kept = self.keep_ckpt_ids
        if kept and kept[-1] == step:
            return
        outdated = []
        if len(kept) == self.max_keep_ckpts:
            outdated = [
                self.file_backend.join_path(
                    self.out_dir, self.filename_tmpl.format(kept.popleft()))
            ]
        kept.append(step)
        runner.message_hub.update_info('keep_ckpt_ids', list(kept))
        runner.message_hub.update_info(_OUTDATED, outdated)
        for path in outdated:
            self.file_backend.remove(path)

    def _in_out_dir(self, path: str) -> str:
        """The file of that name in the folder of this run."""
        return self.file_backend.join_path(self.out_dir, Path(path).name)

    def _find_best(self) -> None:
        """The next best checkpoint replaces that of this run."""
        if getattr(self, 'best_ckpt_path', None) is not None:
            self.best_ckpt_path = self._in_out_dir(self.best_ckpt_path)
        paths = getattr(self, 'best_ckpt_path_dict', {})
        for name, path in paths.items():
            if path is not None:
                paths[name] = self._in_out_dir(path)

    @master_only
    def _remove_outdated(self) -> None:
        if not isinstance(
                getattr(self, 'file_backend', None), LateRemovals):
            return  # evaluation without training
        best = getattr(self, 'best_ckpt_path_dict', {}).values()
        self.file_backend.apply(
            keep={
                self.last_ckpt,
                getattr(self, 'best_ckpt_path', None), *best
            })

    @master_only
    def _remove_partial_files(self) -> None:
        for path in Path(self.out_dir).glob(f'*.pth{PARTIAL_SUFFIX}'):
            path.unlink()


def _plain(model: nn.Module) -> nn.Module:
    return model.module if is_model_wrapper(model) else model


def _state_keys(checkpoint: dict) -> list[str]:
    return [key for key in checkpoint if key != 'state_dict']
