#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Print a config with everything it inherits."""
import argparse
from pathlib import Path

# First of all, so that `_base_ = 'mic_mm::...'` in configs can be resolved.
import mic_mm  # noqa: F401
from mic_mm.utils import cli

FORMATS = ('.py', '.json', '.yml', '.yaml')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    cli.add_config_arguments(parser)
    parser.add_argument(
        '--save-path', type=Path, help=f'write it to a file, {FORMATS}')
    args = parser.parse_args()
    if args.save_path and args.save_path.suffix not in FORMATS:
        parser.error(f'--save-path: {str(args.save_path)!r} has to end in '
                     f'one of {FORMATS}.')
    with cli.usage_errors(parser):
        cfg = cli.read_config(args.config, args.cfg_options)
    print(cfg.pretty_text)
    if args.save_path:
        args.save_path.parent.mkdir(parents=True, exist_ok=True)
        cfg.dump(args.save_path)


if __name__ == '__main__':
    main()
