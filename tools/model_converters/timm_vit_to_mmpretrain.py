#!/usr/bin/env python
# Copyright (c) mic_mm authors. All rights reserved.
"""Convert a Vision Transformer of timm to MMPretrain's VisionTransformer.

SRC is a state dict of timm (.pth, .bin, .safetensors) or the .npz file of
Google's Vision Transformer from which timm's weights come. The published runs
of MIC start from timm 0.5's vit_base_patch16_224, which current timm calls
vit_base_patch16_224.augreg_in21k_ft_in1k; plain vit_base_patch16_224 is
another checkpoint today. The classifier is left out.

  python -c "import timm, torch; torch.save(timm.create_model(
    'vit_base_patch16_224.augreg_in21k_ft_in1k', pretrained=True).state_dict(),
    'timm_vit.pth')"
  python tools/model_converters/timm_vit_to_mmpretrain.py timm_vit.pth \\
    checkpoints/vit-b16_augreg_in21k_ft_in1k_224.pth
"""
import argparse
from pathlib import Path

from mic_mm.cls.checkpoints import load_timm_vit
from mic_mm.utils import cli
from mic_mm.utils.checkpoint_file import save_weights


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('src', type=Path, help='.pth, .safetensors or .npz')
    parser.add_argument('dst', type=Path, help='the converted .pth')
    return parser


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    with cli.usage_errors(parser, ValueError, OSError, ImportError):
        backbone = load_timm_vit(args.src)
    weights = backbone.state_dict()
    save_weights(args.dst, weights)
    print(f'{args.dst}: {len(weights)} weights, {backbone.num_layers} layers '
          f'of {backbone.embed_dims}, images of {backbone.img_size}')


if __name__ == '__main__':
    main()
