"""Convert MoNet's weights that the authors have published.

usage: python tools/zoo/convert_monet.py IN OUT

IN is their TensorFlow checkpoint, the path without .index and .data (TensorFlow is not
needed), or a .npz of its variables. OUT is a state_dict of
flowzoo.models.necks.MoNet(1024, variant='released'); in a config:

    neck=dict(type='MoNet', in_channels=1024, variant='released',
              init_cfg=dict(type='Pretrained', checkpoint=OUT))

convert_i3d.py, beside this file, converts the I3D in the same checkpoint.
"""

import argparse
from pathlib import Path

import torch

from flowzoo.io.tensorflow_variables import read_variables
from flowzoo.zoo.convert_monet import convert_monet


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, metavar="IN")
    parser.add_argument("out", type=Path, metavar="OUT")
    args = parser.parse_args()
    try:
        ours = convert_monet(read_variables(args.file))
        torch.save(ours, args.out)
    except (ImportError, OSError, ValueError) as error:
        parser.error(str(error))
    print(f"{args.out}: MoNet of {len(ours['of_reset_f.bias'])} channels")


if __name__ == "__main__":
    main()
