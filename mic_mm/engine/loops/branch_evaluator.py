# Copyright (c) mic_mm authors. All rights reserved.
from __future__ import annotations

from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.logging import print_log

# Where the libraries' metrics keep the files they are told to write.
_OUTPUT_ATTRIBUTES = ('out_file_path', 'output_dir', 'outfile_prefix')


class BranchEvaluator(Evaluator):
    """Several evaluators of one data set; names of metrics are prefixed.

    Args:
        evaluators (dict[str, Evaluator]): Evaluators by prefix.

    Raises:
        ValueError: If a metric writes predictions to files, which the
            branches would overwrite for each other.
    """

    def __init__(self, evaluators: dict[str, Evaluator]) -> None:
        metrics = [m for e in evaluators.values() for m in e.metrics]
        super().__init__(metrics)
        self.evaluators = evaluators
        for metric in metrics:
            _check_no_output(metric)

    def evaluate(self, size: int) -> dict:
        """Metrics of all branches, as ``'<branch>/<metric>'``."""
        found = {}
        for branch, evaluator in self.evaluators.items():
            # Metrics log tables of the classes, which look alike.
            print_log(f'{branch}:', 'current')
            for name, value in evaluator.evaluate(size).items():
                found[f'{branch}/{name}'] = value
        return found


def _check_no_output(metric: BaseMetric) -> None:
    for attribute in _OUTPUT_ATTRIBUTES:
        path = getattr(metric, attribute, None)
        if path:
            raise ValueError(
                f'The metric {type(metric).__name__} writes predictions to '
                f'{path}, but both student and teacher are evaluated. '
                'Evaluate one of them: remove `type` from val_cfg and '
                "test_cfg, and set model.predict_on='student' or 'teacher'.")
