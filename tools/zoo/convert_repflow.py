"""Convert weights that the authors of representation flow have published.

usage: python tools/zoo/convert_repflow.py IN OUT [--layer NAME]

IN is the state_dict of their Kinetics network (models/rep_flow.pt in their repository),
or of their first flow layer; with --layer, the layer of that name in a larger network
(`flow_layer` in their HMDB51 network). OUT is a state_dict: of
configs/repflow/repflow_r50_kinetics_released.py, or of
flowzoo_kernels.RepresentationFlow(C, n_iters=..., variant='tvl1', normalize='legacy').
"""

import argparse
from pathlib import Path

import torch

from flowzoo.zoo.convert_repflow import convert, read_state_dict


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, metavar="IN")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--layer", metavar="NAME", help="name of a layer within IN")
    args = parser.parse_args()

    try:
        theirs = read_state_dict(args.file)
        if args.layer:
            prefix = f"{args.layer}."
            theirs = {
                name.removeprefix(prefix): value
                for name, value in theirs.items()
                if name.startswith(prefix)
            }
            if not theirs:
                raise ValueError(f"no name in {args.file} begins with {prefix}")
        kind, ours = convert(theirs)
        torch.save(ours, args.out)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if kind == "network":
        classes = len(ours["cls_head.fc_cls.bias"])
        print(f"{args.out}: the Kinetics network, {classes} classes. To test it:")
        config = "configs/repflow/repflow_r50_kinetics_released.py"
        print(f"python tools/test.py {config} {args.out}")
    else:
        channels = len(ours["image_kernel"])
        print(f"{args.out}: the flow layer of {channels} channels, variant 'tvl1'")


if __name__ == "__main__":
    main()
